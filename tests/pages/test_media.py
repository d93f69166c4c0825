"""The pictures we serve: this shop's own, and never anything but pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from portal.db import inside, session, writing
from portal.keys import digest
from portal.models import Picture
from portal.pictures import keep, path_of
from tests.conftest import running_app, shop_id
from tests.pages.browser import Browser


@pytest.fixture
def app(sqlite_url: str, tmp_path: Path) -> Iterator[Flask]:
    """The site on SQLite, with a folder for pictures."""
    yield from running_app(sqlite_url, MEDIA_ROOT=str(tmp_path / "media"))


def kept(picture_id: str = "pic_1", slug: str = "fern", state: str = "kept") -> str:
    """Keep a picture; gives its path on the site."""
    url = f"https://cdn.example/{picture_id}"
    shop = shop_id(slug)
    keep(shop, picture_id, b"RIFF....WEBP")
    with inside(shop), writing():
        session.add(Picture(id=picture_id, url=url, url_digest=digest(url), state=state))
    return f"/media/{picture_id}"


def test_a_picture_is_served_to_be_kept_and_as_nothing_else(app: Flask) -> None:
    answer = Browser(app).get(kept(), headers={"Accept": "text/html"})
    assert (answer.status_code, answer.data) == (200, b"RIFF....WEBP")
    assert answer.mimetype == "image/webp"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "Set-Cookie" not in answer.headers


def test_a_picture_that_is_known_is_not_sent_again(app: Flask) -> None:
    browser, path = Browser(app), kept()
    first = browser.get(path)
    again = browser.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_another_shop_sees_nothing(app: Flask) -> None:
    path = kept()
    stranger = Browser(app, "volta").get(path)
    unknown = Browser(app, "volta").get("/media/pic_2")
    assert (stranger.status_code, stranger.text) == (404, unknown.text)


@pytest.mark.parametrize("state", ["wanted", "refused"])
def test_only_what_is_kept_is_shown(app: Flask, state: str) -> None:
    assert Browser(app).get(kept(state=state)).status_code == 404


def test_a_file_that_is_gone_is_not_there(app: Flask) -> None:
    path = kept()
    path_of(shop_id("fern"), "pic_1").unlink()
    assert Browser(app).get(path).status_code == 404


@pytest.mark.parametrize(
    "name",
    ["../1/pic_1", "..%2f1%2fpic_1", "pic_1.webp", "pic_1%00", "%2e%2e", "a" * 500, "pic_%"],
)
def test_no_name_leads_anywhere_else(app: Flask, name: str) -> None:
    kept()
    assert Browser(app).get(f"/media/{name}").status_code == 404
