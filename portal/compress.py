"""Compressed answers, with the file beneath a compressed one closed when it is sent."""

from __future__ import annotations

from flask import Flask, Response
from flask_compress import Compress


def init_compress(app: Flask) -> None:
    """Compress what is worth it. Views that keep packed bodies are left as they are."""
    app.config["COMPRESS_ALGORITHM"] = ["gzip"]
    Compress(app)
    app.after_request(_remember_file)  # registered later, so it runs before


def _remember_file(response: Response) -> Response:
    """Compressing replaces a file's body and forgets to close the file."""
    body = response.response
    if hasattr(body, "close"):
        response.call_on_close(body.close)
    return response
