"""Compressed answers, with the file beneath a compressed one closed when it is sent."""

from __future__ import annotations

from flask import Flask, Response
from flask_compress import Compress


def init_compress(app: Flask) -> None:
    """Compress what is worth it. Views that keep packed bodies are left as they are."""
    app.config["COMPRESS_ALGORITHM"] = ["gzip"]
    app.config["COMPRESS_REGISTER"] = False
    compress = Compress(app)

    @app.after_request
    def pack(response: Response) -> Response:
        if "Content-Encoding" in response.headers or response.status_code == 304:
            return response
        body = response.response
        if hasattr(body, "close"):  # compressing replaces a file's body and forgets to close it
            response.call_on_close(body.close)
        return compress.after_request(response)
