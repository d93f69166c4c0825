"""The tracking page behind its link: who gets in, what it costs, how it is kept and sent."""

from __future__ import annotations

import gzip
from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from portal import clock
from portal.db import inside, session, writing
from portal.keys import digest
from portal.models import Link, Order, OrderLine, Picture, Shipment, ShipmentLine
from portal.pages.tracking import SHELF
from tests.conftest import shop_id
from tests.pages.browser import Browser
from tests.pages.orders import change, link_to, placed
from tests.statements import statements

GZIP = {"Accept-Encoding": "gzip"}


def selects(seen: list[str]) -> list[str]:
    """The SELECTs among these statements, but the one that finds the shop."""
    return [sql for sql in seen if sql.lstrip().startswith("SELECT") and "FROM shop " not in sql]


def opened(app: Flask, **more: object) -> tuple[Browser, str, str]:
    order_id = placed(**more)  # type: ignore[arg-type]
    return Browser(app), order_id, f"/t/{link_to(order_id)}"


@pytest.mark.parametrize("part", ["", "/live"])
def test_a_page_takes_two_statements_and_one_once_it_is_kept(any_app: Flask, part: str) -> None:
    browser, _, path = opened(any_app)
    for expected in (2, 1, 1):
        with statements() as seen:
            assert browser.get(path + part).status_code == 200
        assert len(selects(seen)) == expected, seen


def test_a_new_version_is_told_at_once(any_app: Flask) -> None:
    browser, order_id, path = opened(any_app)
    first = browser.get(path + "/live")
    with inside(shop_id("fern")), writing():
        parcel = session.query(Shipment).one()
        parcel.status = "out_for_delivery"
    change(order_id)
    second = browser.get(path + "/live", headers={"If-None-Match": first.headers["ETag"]})
    assert second.status_code == 200
    assert "Out for delivery" in second.text
    assert first.headers["ETag"] != second.headers["ETag"]


def test_a_later_check_shows_its_time(app: Flask) -> None:
    browser, _, path = opened(app)
    first = browser.get(path).text
    with inside(shop_id("fern")), writing():
        session.query(Shipment).one().checked_at = clock.now() - timedelta(hours=3)
    assert browser.get(path).text != first


def test_what_has_not_changed_is_not_sent_again(app: Flask) -> None:
    browser, _, path = opened(app)
    for part in ("", "/live"):
        first = browser.get(path + part)
        again = browser.get(path + part, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
        assert again.headers["Cache-Control"] == "private, no-cache"


def test_the_body_is_packed_once_and_plain_for_who_wants_it_plain(app: Flask) -> None:
    browser, _, path = opened(app)
    plain, packed = browser.get(path), browser.get(path, headers=GZIP)
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert packed.headers["ETag"] == plain.headers["ETag"]
    assert len(packed.data) <= 14_600


def test_head_is_get_without_a_body(app: Flask) -> None:
    browser, _, path = opened(app)
    for part in ("", "/live", "/arrival.ics", "/code", "/updates"):
        got, head = browser.get(path + part), browser.open(path + part, "HEAD")
        assert (head.status_code, head.data) == (got.status_code, b"")


def test_the_page_is_private_hidden_from_indexes_and_apart_by_reader(app: Flask) -> None:
    browser, _, path = opened(app)
    answer = browser.get(path, headers=GZIP)
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    vary = {name.strip() for name in answer.headers["Vary"].split(",")}
    assert vary == {"Accept-Language", "Cookie", "Accept-Encoding"}


def test_the_kept_page_holds_no_form_no_nonce_and_sets_no_cookie(app: Flask) -> None:
    browser, _, path = opened(app)
    for _ in range(2):
        answer = browser.get(path)
        assert "csrf" not in answer.text
        assert "nonce" not in answer.text + answer.headers["Content-Security-Policy"]
        assert "Set-Cookie" not in answer.headers
        assert "'sha256-" in answer.headers["Content-Security-Policy"]


def test_words_that_name_days_are_made_anew_at_midnight(app: Flask) -> None:
    with time_machine.travel("2026-11-25T17:00:00+00:00", tick=False) as time:
        browser, _, path = opened(app, days_left=1)
        first = browser.get(path).text
        time.move_to("2026-11-26T05:59:00+00:00")  # still the 25th in Austin
        assert browser.get(path).text == first
        time.move_to("2026-11-26T06:00:00+00:00")
        assert browser.get(path).text != first


@pytest.mark.parametrize(
    ("status", "is_whole", "stops"),
    [("delivered", True, True), ("delivered", False, False), ("in_transit", True, False)],
)
def test_an_open_page_is_told_to_stop_when_all_is_final(
    app: Flask, status: str, is_whole: bool, stops: bool
) -> None:
    browser, order_id, path = opened(app, status=status)
    if is_whole:  # the parcel is the order: nothing else follows
        with inside(shop_id("fern")), writing():
            session.query(ShipmentLine).delete()
        change(order_id)
    first = browser.get(path + "/live")
    again = browser.get(path + "/live", headers={"If-None-Match": first.headers["ETag"]})
    assert [("Live-Stop" in answer.headers) for answer in (first, again)] == [stops, stops]


def test_the_live_part_is_the_middle_of_the_page(app: Flask) -> None:
    browser, _, path = opened(app)
    assert browser.get(path + "/live").text.strip() in browser.get(path).text


# --- who gets in --------------------------------------------------------------------------------

SHAPES = [
    "x",
    "a" * 21,
    "a" * 65,
    "a" * 4000,
    "A" * 23 + "%00",
    "%00" * 24,
    "%f0%9f%8c%b5" * 24,
    "é" * 24,
    "..%2f..%2fetc%2fpasswd0000",
    "a" * 23 + "%0a",
    "'%20or%201=1--%20aaaaaaaaaaaaaaa",
]


@pytest.mark.parametrize("token", [*SHAPES, "a" * 24])
def test_a_token_that_is_none_answers_404(any_app: Flask, token: str) -> None:
    browser = Browser(any_app)
    for part in ("", "/live", "/arrival.ics", "/code", "/updates"):
        answer = browser.get(f"/t/{token}{part}")
        assert answer.status_code == 404
        assert "There is nothing here" in answer.text


def test_another_shops_link_answers_as_an_unknown_one(any_app: Flask) -> None:
    _, _, path = opened(any_app)
    stranger = Browser(any_app, "volta")
    unknown = stranger.get("/t/" + "a" * 24)
    for part in ("", "/live", "/arrival.ics", "/code", "/updates"):
        answer = stranger.get(path + part)
        assert (answer.status_code, answer.text) == (404, unknown.text)


def test_a_revoked_link_answers_410_with_an_empty_lookup_form(any_app: Flask) -> None:
    browser, order_id, path = opened(any_app)
    browser.get(path)
    with inside(shop_id("fern")), writing():
        fresh = Link.renew(order_id, clock.now())
    for part in ("", "/live", "/arrival.ics", "/code", "/updates"):
        answer = browser.get(path + part)
        assert answer.status_code == 410
        assert 'action="/track"' in answer.text
        assert '1042"' not in answer.text
    assert browser.get(f"/t/{fresh}").status_code == 200


def test_a_link_lives_180_days_longer_than_the_last_right(any_app: Flask) -> None:
    end = clock.now().replace(microsecond=0)
    browser, order_id, path = opened(any_app)
    with time_machine.travel(end + timedelta(days=2000)):
        assert browser.get(path).status_code == 200  # not delivered: rights have not begun to end
    change(order_id, rights_end_at=end)
    for days, expected in ((179.9, 200), (180, 410)):
        with time_machine.travel(end + timedelta(days=days), tick=False):
            assert browser.get(path).status_code == expected


def test_the_orders_own_link_is_not_a_lifted_one(app: Flask) -> None:
    _, order_id, path = opened(app)
    with inside(shop_id("fern")), writing():
        lent = Link.lend(order_id, "some browser", clock.now())
        Link.lift(session.query(Link).filter_by(token_digest=digest(lent)).one().id)
    with inside(shop_id("fern")):
        assert f"/t/{Link.of(order_id)}" == path


# --- language, files, pictures ------------------------------------------------------------------


def test_the_language_asked_for_is_kept_in_our_links(app: Flask) -> None:
    browser, _, path = opened(app)
    german = browser.get(f"{path}?lang=de")
    assert '<html lang="de">' in german.text
    assert f'href="{path}/updates?lang=de"' in german.text
    assert f'data-live="{path}/live?lang=de"' in german.text
    assert "lang=de" not in browser.get(path).text
    assert '<html lang="en">' in browser.get(f"{path}?lang=xx").text


@pytest.mark.parametrize(
    ("accept", "lang"),
    [("de-AT,de;q=0.9", "de-AT"), ("en-US", "en-US"), ("fr", "en"), ("de-ZZZZ", "de"), ("*", "en")],
)
def test_the_browsers_language_and_region_are_heard(app: Flask, accept: str, lang: str) -> None:
    browser, _, path = opened(app)
    answer = browser.get(path, headers={"Accept-Language": accept})
    assert f'<html lang="{lang}">' in answer.text


def test_the_arrival_is_a_calendar_entry_while_it_lies_ahead(any_app: Flask) -> None:
    browser, _, path = opened(any_app, days_left=3)
    answer = browser.get(path + "/arrival.ics")
    assert answer.mimetype == "text/calendar"
    assert answer.text.startswith("BEGIN:VCALENDAR\r\n")
    with inside(shop_id("fern")):
        parcel = session.query(Shipment).one()
        parcel_id, day = parcel.id, parcel.eta_date
    assert f"DTSTART;VALUE=DATE:{day:%Y%m%d}\r\n" in answer.text
    assert browser.get(f"{path}/arrival.ics?parcel={parcel_id}").status_code == 200
    assert browser.get(f"{path}/arrival.ics?parcel=shp_other").status_code == 404


def test_a_parcel_that_is_there_has_no_calendar_entry(app: Flask) -> None:
    browser, _, path = opened(app, status="delivered")
    assert browser.get(path + "/arrival.ics").status_code == 404


def test_a_picture_is_shown_once_it_is_kept(any_app: Flask) -> None:
    browser, _, path = opened(any_app)
    url = "https://cdn.example/olive.jpg"
    with inside(shop_id("fern")), writing():
        session.query(OrderLine).filter_by(position=0).one().image_url = url
        session.add(Picture(id="pic_1", url=url, url_digest=digest(url), state="wanted"))
    assert "cdn.example" not in browser.get(path).text
    with inside(shop_id("fern")), writing():
        session.get_one(Picture, "pic_1").state = "kept"
    with time_machine.travel(clock.now() + timedelta(minutes=2)):
        assert 'src="/media/pic_1"' in browser.get(path).text


def test_an_order_without_parcels_has_a_page(any_app: Flask) -> None:
    with inside(shop_id("fern")), writing():
        order = Order(number="7", number_key="7", placed_at=clock.now(), currency="USD")
        session.add(order)
        session.flush()
        token = Link.issue(order.id)
    answer = Browser(any_app).get(f"/t/{token}")
    assert answer.status_code == 200
    assert "Not shipped yet" in answer.text


def test_the_kept_pages_stay_bounded() -> None:
    assert len(SHELF) < 2000
