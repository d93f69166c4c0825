"""The reference: Flask with nothing, answering a page of a given size with the same headers, and
JSON that is read and written.
"""

from __future__ import annotations

import os

from flask import Flask, Response, jsonify, request

app = Flask(__name__)
BODY = os.urandom(int(os.environ.get("BENCH_BYTES", "5000")))  # as packed as gzip leaves it


@app.get("/<path:_path>")
def page(_path: str) -> Response:
    """A body that is there."""
    response = Response(BODY, mimetype="text/html")
    response.headers["Content-Encoding"] = "gzip"
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@app.post("/<path:_path>")
def echo(_path: str) -> Response:
    """What was sent, read and written again: as large as asked for in the query."""
    sent = request.get_json()
    return jsonify({"sent": sent, "filling": "x" * int(request.args.get("filling", "0"))})
