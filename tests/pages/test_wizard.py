"""A return from the tracking page to its own page: every step, without JavaScript."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from portal import clock
from portal.db import inside, session, writing
from portal.models import Link, Return, UnitClaim
from tests.conftest import shop_id
from tests.models.bought import bought
from tests.pages.browser import Browser


@pytest.fixture
def path(any_app: Flask) -> str:
    """The tracking page of an order that arrived three days ago, by its own link."""
    return own_link(bought())


def own_link(order_id: str) -> str:
    with inside(shop_id("fern")):
        return f"/t/{Link.of(order_id)}"


def walk(browser: Browser, path: str, **what: str) -> object:
    """Answer every step for the first article; gives the answer to the last button."""
    first = browser.get(f"{path}/return").text
    sku = re.search(r'name="sku" value="([^"]+)"', first)
    assert sku, first
    browser.send(f"{path}/return/items", **{"take-0": "on", "sku": sku[1], "quantity-0": "1"})
    browser.send(f"{path}/return/why", **{"reason-0": what.get("reason", "changed_mind")})
    chosen = {"resolution-0": what.get("resolution", "refund")}
    browser.send(f"{path}/return/what", **chosen)
    browser.send(f"{path}/return/how", method=what.get("method", "label"))
    return browser.send(f"{path}/return/review")


def test_four_questions_and_a_look_lead_to_the_returns_page(any_app: Flask, path: str) -> None:
    browser = Browser(any_app)
    answer = walk(browser, path)
    assert answer.status_code == 303, answer.text  # type: ignore[attr-defined]
    where = answer.headers["Location"]  # type: ignore[attr-defined]
    page = browser.get(where)
    assert page.status_code == 200
    assert "Approved" in page.text
    with inside(shop_id("fern")):
        rma = session.query(Return).one()
        assert (rma.status, rma.channel, rma.method) == ("approved", "page", "label")
        assert session.query(UnitClaim).count() == 1
