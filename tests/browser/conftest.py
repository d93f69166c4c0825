"""A real server with every state of both brands, and a real browser to look at them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from portal import clock, create_app
from portal.db import db, session
from portal.live import streams_of
from tests.browser.stock import Shown, stock
from tests.conftest import settings_for, two_shops
from tests.pages.samples import NOW

CHROMIUM = "/usr/bin/chromium"
# Chromium looks for its maker's hosts unless told not to.
QUIETLY = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Silent(WSGIRequestHandler):
    """Answers on lines that stay open, and says nothing."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: object) -> None:
        """Nothing."""


@dataclass(frozen=True)
class Site:
    """A running server and the orders it shows: `orders[brand][state]`."""

    app: Flask
    port: int
    orders: dict[str, dict[str, Shown]]

    def url(self, brand: str, path: str) -> str:
        """An address of a brand."""
        return f"http://{brand}.localhost:{self.port}{path}"

    def page_of(self, brand: str, state: str) -> str:
        """The address of the page that shows `state`."""
        return self.url(brand, self.orders[brand][state].path)


@pytest.fixture(scope="module")
def site(migrated_sqlite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The site at the moment the samples are read at, on a port of its own."""
    path = tmp_path_factory.mktemp("site") / "porchlight.db"
    path.write_bytes(migrated_sqlite.read_bytes())
    app = create_app(settings_for(f"sqlite:///{path}"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: NOW)
        with app.app_context():
            two_shops()
            orders = {brand: stock(brand) for brand in ("fern", "volta")}
            session.remove()
        server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Silent)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield Site(app, server.server_port, orders)
        streams_of(app).stop()
        server.shutdown()
        thread.join()
        server.server_close()
        with app.app_context():
            db.engine.dispose()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIETLY)
        yield browser
        browser.close()


@pytest.fixture
def phone(chromium: Browser) -> Iterator[Page]:
    """A page 360 pixels wide."""
    context = chromium.new_context(viewport={"width": 360, "height": 740}, locale="en-US")
    yield context.new_page()
    context.close()
