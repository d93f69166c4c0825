"""From an order's `image_url` to a picture on its page: fetched, redrawn, kept, or refused."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import timedelta
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from PIL import Image

from portal import clock
from portal.db import every_shop, inside, session
from portal.jobs.work import ATTEMPTS, work
from portal.keys import settings
from portal.models import Due, Picture
from portal.pictures import path_of
from tests.conftest import running_app, shop_id
from tests.mail.stories import ordered
from tests.pages.browser import Browser
from tests.pages.orders import link_to
from tests.test_fetch import allowed, reply, sink, url_of

__all__ = ["allowed", "sink"]


@pytest.fixture
def any_app_with_media(database_url: str, tmp_path: Path) -> Iterator[Flask]:
    """The site on each database, with a folder for pictures."""
    yield from running_app(database_url, MEDIA_ROOT=str(tmp_path / "media"))


@pytest.fixture
def app(sqlite_url: str, tmp_path: Path) -> Iterator[Flask]:
    """The site on SQLite, with a folder for pictures."""
    yield from running_app(sqlite_url, MEDIA_ROOT=str(tmp_path / "media"))


def png(side: int = 80) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (side, side), "#557733").save(out, "PNG")
    return out.getvalue()


def order_with(url: str, slug: str = "fern") -> str:
    line = {"sku": "A", "title": "Olive", "quantity": 1, "unit_price_minor": 1, "image_url": url}
    order_id, _ = ordered(slug, lines=[line])
    return order_id


def picture(slug: str = "fern") -> Picture:
    with inside(shop_id(slug)):
        found = session.query(Picture).one()
        session.expunge_all()
        return found


def is_due() -> bool:
    with every_shop():
        return session.query(Due).filter_by(queue="picture").first() is not None


def test_a_picture_comes_onto_its_page(
    any_app_with_media: Flask, sink: ThreadingHTTPServer, allowed: None
) -> None:
    sink.answer = reply(png(), Content_Type="text/html")  # type: ignore[attr-defined]
    order_id = order_with(url_of(sink))
    work("picture")
    kept = picture()
    assert (kept.state, kept.error, is_due()) == ("kept", "", False)
    browser = Browser(any_app_with_media)
    page = browser.get(f"/t/{link_to(order_id)}").text
    assert f'src="/media/{kept.id}"' in page
    assert url_of(sink) not in page
    answer = browser.get(f"/media/{kept.id}")
    assert (answer.status_code, answer.mimetype) == (200, "image/webp")
    assert Image.open(io.BytesIO(answer.data)).format == "WEBP"
    work("picture")
    assert len(sink.seen) == 1  # type: ignore[attr-defined]


def test_a_picture_inside_our_networks_is_refused_and_never_asked_for(
    app: Flask, sink: ThreadingHTTPServer
) -> None:
    order_with(url_of(sink))
    work("picture")
    assert picture().state == "refused"
    assert "not on the open internet" in picture().error
    assert sink.seen == []  # type: ignore[attr-defined]
    assert not is_due()


@pytest.mark.parametrize("content", [b"", b"<svg/>", b"<script>alert(1)</script>", png()[:40]])
def test_what_is_no_picture_is_refused_with_the_reason(
    app: Flask, sink: ThreadingHTTPServer, allowed: None, content: bytes
) -> None:
    sink.answer = reply(content, Content_Type="image/png")  # type: ignore[attr-defined]
    order_with(url_of(sink))
    work("picture")
    assert picture().state == "refused"
    assert "not a picture" in picture().error
    assert not path_of(shop_id("fern"), picture().id).exists()


def test_a_server_that_is_down_is_asked_again_and_not_for_ever(
    app: Flask, sink: ThreadingHTTPServer, allowed: None
) -> None:
    sink.answer = reply(b"", 503)  # type: ignore[attr-defined]
    with time_machine.travel(clock.now(), tick=False) as time:
        order_with(url_of(sink))
        for _ in range(ATTEMPTS + 1):
            work("picture")
            time.shift(timedelta(hours=1))
    assert len(sink.seen) == ATTEMPTS  # type: ignore[attr-defined]
    assert (picture().state, picture().error) == ("refused", "The server answered 503.")
    assert not is_due()


def test_a_server_that_comes_back_is_heard(
    app: Flask, sink: ThreadingHTTPServer, allowed: None
) -> None:
    sink.answer = reply(b"", 503)  # type: ignore[attr-defined]
    with time_machine.travel(clock.now(), tick=False) as time:
        order_with(url_of(sink))
        work("picture")
        assert picture().state == "wanted"
        sink.answer = reply(png())  # type: ignore[attr-defined]
        time.shift(timedelta(minutes=1))
        work("picture")
    assert (picture().state, picture().error) == ("kept", "")


def test_nothing_half_written_is_left_beside_a_picture(
    app: Flask, sink: ThreadingHTTPServer, allowed: None
) -> None:
    sink.answer = reply(png())  # type: ignore[attr-defined]
    order_with(url_of(sink))
    work("picture")
    names = [path.name for path in Path(settings().media_root).rglob("*") if path.is_file()]
    assert names == [f"{picture().id}.webp"]
