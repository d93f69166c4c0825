"""A customer's browser for tests: cookies, forms with their tokens, one clean context a request."""

from __future__ import annotations

import re
from contextvars import Context
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class Browser:
    """Talks to one shop. Each request runs in a context of its own, as behind a server."""

    def __init__(self, app: Flask, slug: str = "fern", address: str = "203.0.113.7") -> None:
        self.client: FlaskClient = app.test_client()
        self.host = f"{slug}.localhost:8000"
        self.address = address

    def open(self, path: str, method: str = "GET", **more: Any) -> TestResponse:
        """One request; `more` is werkzeug's (data, headers …)."""
        environ = {"REMOTE_ADDR": self.address, **more.pop("environ_overrides", {})}
        return Context().run(
            self.client.open,
            path,
            method=method,
            base_url=f"http://{self.host}",
            environ_overrides=environ,
            **more,
        )

    def get(self, path: str, **more: Any) -> TestResponse:
        """GET."""
        return self.open(path, **more)

    def send(self, path: str, form: str = "", **fields: Any) -> TestResponse:
        """POST to `path` what was typed into the form found at `form` (default: the same path)."""
        page = self.get(form or path)
        found = TOKEN.search(page.text)
        assert found, page.text
        return self.open(path, "POST", data={"csrf_token": found[1], **fields})

    def look_up(self, number: str = "1042", proof: str = "", **more: Any) -> TestResponse:
        """Send the lookup form."""
        return self.send("/track", number=number, proof=proof, **more)
