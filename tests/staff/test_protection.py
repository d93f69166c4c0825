"""The books before the merchant: figures, the rows behind each, spreadsheets, recovered money."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from html import unescape

import pytest
import time_machine
from flask import Flask

from portal import clock
from portal.db import inside, session, writing
from portal.models import Order, PlanVersion, Shop
from portal.models.cover import Choice, take_quote
from portal.models.cover_record import SETTING, Year, keep_years
from tests.api.test_protection import PLAN
from tests.conftest import shop_id
from tests.models.bought import NOW
from tests.models.test_claim import claimed, refund_done, told
from tests.models.test_earned import cancel, earn
from tests.models.test_premium import PREMIUM, covered
from tests.pages.browser import Browser
from tests.staff.test_signin import joined

LATER = NOW + timedelta(days=2)
LINK = re.compile(r'href="(/staff/protection/(\w+)\?[^"]*)">([^<]*)</a>')


@pytest.fixture
def sold(app: Flask) -> str:
    """A month of selling cover: one given up, one with a claim that was paid; gives its claim."""
    with inside(shop_id("fern")), writing():
        PlanVersion.publish(PLAN, "operator", NOW)
    covered("1002", shipping_address={"name": "Bo", "city": "Oslo", "country": "NO"})
    home, gone = covered("1001"), covered("=1+1")
    cancel(gone, NOW)
    earn(LATER)
    claim = claimed(home, now=LATER, lines={"MUG": 1})
    refund_done(claim)
    return claim


def page(browser: Browser, path: str) -> str:
    with time_machine.travel(LATER, tick=False):
        answer = browser.get(path)
    assert answer.status_code == 200, answer.text
    return unescape(answer.text)


def minor(text: str) -> int:
    return int(re.sub(r"[^0-9-]", "", text))


def test_each_figure_leads_to_rows_that_come_to_it(app: Flask, sold: str) -> None:
    with time_machine.travel(LATER, tick=False):
        desk = joined(app, role="reader")
    text = page(desk, "/staff/protection")
    for words in ("$4.35", "-$1.45", "$2.90", "$14.99", "too few", "US → NO", "Damaged"):
        assert words in text
    found = LINK.findall(text)
    links = {(what, "month" in url, "lane" in url): (url, shown) for url, what, shown in found}
    assert {"sold", "back", "earned", "paid", "claims", "parcels", "claimed"} <= {
        what for what, *_ in links
    }
    for (what, *_), (url, shown) in links.items():
        rows = page(desk, url)
        count = re.search(r"<b>(\d+)</b> rows?", rows)
        if not count:
            assert minor(shown or "0") == 0, (url, shown)
            continue
        total = re.search(r"together <b>([^<]+)</b>", rows)
        assert shown in (count[1], total[1] if total else ""), (url, shown)
        assert len(re.findall(r'<th scope="row">', rows)) == int(count[1]), what


def test_a_spreadsheet_of_the_books_adds_up_and_runs_no_formula(app: Flask, sold: str) -> None:
    with time_machine.travel(LATER, tick=False):
        desk = joined(app, role="owner")
    rows = list(csv.DictReader(io.StringIO(page(desk, "/staff/protection.csv"))))
    assert {row["lane"] for row in rows} == {"US>US", "US>NO"}
    assert sum(minor(row["sold"]) + minor(row["back"]) for row in rows) == 2 * PREMIUM
    assert sum(minor(row["paid"]) for row in rows) == 1_499
    back = list(csv.DictReader(io.StringIO(page(desk, "/staff/protection/back.csv"))))
    assert [(row["order"], row["amount"]) for row in back] == [("'=1+1", "-1.45")]


def test_the_period_is_chosen_and_other_currencies_stay_apart(app: Flask, sold: str) -> None:
    with time_machine.travel(LATER, tick=False):
        desk = joined(app, role="owner")
    assert "Dec 2026" not in page(desk, "/staff/protection")
    assert "Dec 2026" in page(desk, "/staff/protection?period=2026")
    for odd in ("1999", "9" * 40, "²"):
        assert "Dec 2026" not in page(desk, f"/staff/protection?period={odd}")
    covered("2001", currency="EUR")
    text = page(desk, "/staff/protection?currency=EUR")
    assert "€1.45" in text
    assert "$4.35" not in text
    with time_machine.travel(LATER, tick=False):
        assert desk.get("/staff/protection/everything").status_code == 404


def test_refused_quotes_are_told_with_their_reason(app: Flask, sold: str) -> None:
    with inside(shop_id("fern")), writing():
        order = Order.numbered("1002", lock=True)
        assert order is not None
        take_quote(order, "pq1.nothing.signed", Choice("order", "token:1", NOW), NOW)
    with time_machine.travel(LATER, tick=False):
        desk = joined(app, role="owner")
    text = page(desk, "/staff/protection")
    assert "It was not signed by us" in text
    assert "with the order" in page(desk, "/staff/protection/refused")


def test_the_plan_in_force_is_told_in_words(app: Flask, sold: str) -> None:
    with time_machine.travel(LATER, tick=False):
        text = page(joined(app, role="owner"), "/staff/protection")
    for words in ("1.5% of the value", "At least €0.98", "Gift cards", "as its own service"):
        assert words in text


def test_who_may_set_the_rules_decides_whether_the_year_is_said(app: Flask, sold: str) -> None:
    with inside(shop_id("fern")), writing():
        keep_years([Year("USD", 1_254, 10, 10_000, 7_100)], clock.now())
    desk = joined(app, role="owner")
    assert "0.8% of 1,254" in desk.get("/staff/protection").text
    assert (
        desk.send("/staff/protection/record", "/staff/protection", aloud="yes").status_code == 303
    )
    assert "Shown to customers" in desk.get("/staff/protection").text
    with inside(shop_id("fern")):
        assert session.get_one(Shop, shop_id("fern")).settings[SETTING] is True
    desk.send("/staff/protection/record", "/staff/protection", aloud="no")
    assert "Not shown" in desk.get("/staff/protection").text


def test_money_that_came_back_is_booked_once_by_a_person_and_can_be_taken_back(
    app: Flask, sold: str
) -> None:
    desk, here = joined(app), f"/staff/claims/{sold}"

    def send(**fields: str) -> int:
        version = re.search(r'name="version" value="(\d+)"', desk.get(here).text)
        assert version
        form = {"version": version[1], "source": "carrier", "reference": "UPS 7", **fields}
        return desk.send(f"{here}/recovery", here, **form).status_code

    assert send(amount="9.00") == 303
    assert "Carrier, UPS 7" in desk.get(here).text
    assert send(amount="9.00") == 409
    assert send(amount="900000") == 409
    assert send(amount="nine") == 409
    assert told(sold, "recovered_minor") == (900,)
    assert send(back="yes", why="Another claim's.") == 303
    assert told(sold, "recovered_minor") == (0,)
