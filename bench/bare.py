"""The reference: Flask with nothing, answering a page of a given size with the same headers."""

from __future__ import annotations

import os

from flask import Flask, Response

app = Flask(__name__)
BODY = os.urandom(int(os.environ.get("BENCH_BYTES", "5000")))  # as packed as gzip leaves it


@app.get("/<path:_path>")
def page(_path: str) -> Response:
    """A body that is there."""
    response = Response(BODY, mimetype="text/html")
    response.headers["Content-Encoding"] = "gzip"
    response.headers["Cache-Control"] = "private, no-cache"
    return response
