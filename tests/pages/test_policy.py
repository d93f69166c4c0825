"""The policy page: the rules in force in sentences, for people who are not signed in."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from portal import clock
from portal.db import inside, writing
from portal.models.policy import PolicyVersion
from tests.conftest import shop_id
from tests.pages.browser import Browser


def published(*rules: dict[str, Any], **more: Any) -> None:
    """Put a policy in force at fern."""
    document = {
        "version": 2,
        "time_zone": "America/New_York",
        "currency": "USD",
        "otherwise": "review",
        "rules": [*rules, {"id": "approve", "kind": "approve"}],
        **more,
    }
    with inside(shop_id("fern")), writing():
        PolicyVersion.draft(document, "staff:1", clock.now()).publish("staff:1", clock.now())


def test_every_shop_has_a_policy_to_read(any_app: Flask) -> None:
    for slug in ("fern", "volta"):
        answer = Browser(any_app, slug).get("/policy")
        assert answer.status_code == 200
        assert "within 30 days of their delivery" in answer.text


RULES = [
    ({"kind": "window", "days": 45}, "within 45 days of their delivery"),
    ({"kind": "window", "days": 30, "by_category": {"Shoes": 14}}, "Shoes: within 14 days."),
    ({"kind": "final_sale"}, "Final sales cannot come back, except for"),
    (
        {"kind": "decline", "when": {"fact": "category", "is": "Underwear"}},
        "Category Underwear: this cannot come back.",
    ),
    ({"kind": "restocking_fee", "amount_minor": 500}, "A fee of $5.00 is taken off"),
    ({"kind": "restocking_fee", "share_bps": 1500}, "A fee of 15 % is taken off"),
    ({"kind": "bonus", "share_bps": 1000}, "You get 10 % on top with store credit."),
    ({"kind": "label", "paid_by": "customer", "cost_minor": {"label": 595}}, "$5.95"),
    (
        {"kind": "review", "when": {"fact": "unit_price_minor", "at_least": 30000}},
        "Price from $300.00: a person decides",
    ),
    (
        {"kind": "window", "days": 60, "when": {"fact": "customer_tags", "has_any": ["member"]}},
        "Customers marked member: you can send things back within 60 days",
    ),
    ({"kind": "keep_item", "when": {"fact": "country", "is": "CH"}}, "In Switzerland"),
    (
        {"kind": "review", "when": {"fact": "reason", "in": ["faulty", "wrong_item"]}},
        "For something broken or a wrong item: a person decides",
    ),
    (
        {"kind": "money_moves", "at": "arrival", "resolutions": ["refund"]},
        "You get a refund as soon as the parcel is back.",
    ),
]


@pytest.mark.parametrize(("rule", "sentence"), RULES, ids=lambda value: str(value)[:40])
def test_a_rule_is_a_sentence(app: Flask, rule: dict[str, Any], sentence: str) -> None:
    published({"id": "window", "kind": "window"}, {"id": "it", **rule})
    assert sentence in Browser(app).get("/policy").text


def test_an_earlier_version_can_still_be_read(app: Flask) -> None:
    published({"id": "window", "kind": "window", "days": 90})
    browser = Browser(app)
    assert "within 90 days" in browser.get("/policy").text
    assert "within 30 days" in browser.get("/policy?version=1").text
    assert browser.get("/policy?version=77").status_code == 404


def test_a_draft_shows_nowhere(app: Flask) -> None:
    with inside(shop_id("fern")), writing():
        document = {"version": 9, "time_zone": "UTC", "currency": "USD", "otherwise": "decline"}
        PolicyVersion.draft({**document, "rules": []}, "staff:1", clock.now())
    assert "Version 2" not in Browser(app).get("/policy").text
    assert Browser(app).get("/policy?version=2").status_code == 404


def test_every_page_leads_to_it(app: Flask) -> None:
    assert 'href="/policy"' in Browser(app).get("/").text
