"""A draft before it is in force: tried, replayed, looked at, and published by who may."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask

from portal import clock
from portal.db import inside, session
from portal.models import Return
from portal.models.policy import PolicyVersion
from portal.models.rma_past import past_requests
from tests.conftest import shop_id
from tests.models.bought import ask, bought, shirts
from tests.pages.browser import Browser
from tests.staff.policy_forms import Form, filled, saved
from tests.staff.test_policy_editor import DRAFT, begun, document, publish
from tests.staff.test_signin import PASSWORD, joined

TRY = "n-0=1&why-0=too_small&try=yes"


def test_the_bench_shows_the_draft_beside_the_rules_in_force_and_stores_nothing(app: Flask) -> None:
    bought(now=clock.now())
    browser = begun(app)
    saved(browser, f"{DRAFT}/rules/window", days="2")
    saved(browser, f"{DRAFT}/new/bonus", share_bps="10")
    text = browser.get(f"{DRAFT}/bench?q=%231001&{TRY}&resolution=store_credit").text
    draft, live = text.split('aria-label="In force: version 1"')
    draft = draft.split('aria-label="Version 2"')[1]
    assert "Declined" in draft
    assert "2 days counted from delivery" in draft
    assert "Approved" in live
    assert "$19.00" in live
    assert "This decided." in live
    later = (clock.now() + timedelta(days=40)).date()
    text = browser.get(f"{DRAFT}/bench?q=1001&{TRY}&on={later}").text
    assert text.count('chip--bad">Declined') == 2
    with inside(shop_id("fern")):
        assert session.query(Return).count() == 0


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("q=nowhere", "There is no order nowhere."),
        ("q=1001&try=yes", "Choose how many pieces"),
        ("q=1001&n-0=1&on=soon", "Give a day such as"),
        ("q=1001&n-0=1&on=0001-01-01&try=yes", ""),
        ("q=%00&n-0=x&why-0=%FF&resolution=gold", "There is no order"),
    ],
)
def test_the_bench_says_what_it_needs(app: Flask, query: str, sentence: str) -> None:
    bought(now=clock.now())
    browser = joined(app, role="reader")
    answer = browser.get(f"/staff/policy/1/bench?{query}")
    assert answer.status_code in (200, 422)
    assert sentence in answer.text


def test_a_replay_counts_what_would_have_changed_and_its_money(app: Flask) -> None:
    now = clock.now()
    for n in range(3):
        order = bought(number=f"30{n}", now=now)
        ask(order, shirts(1, "too_small", resolution="refund"), now=now)
    old = bought(number="1", now=now - timedelta(days=100))
    ask(old, shirts(1, "too_small", resolution="refund"), now=now - timedelta(days=100))
    browser = begun(app)
    same = browser.get(f"{DRAFT}/replay").text
    assert "Every one would have ended the same" in same
    saved(browser, f"{DRAFT}/rules/window", days="2")
    told = browser.get(f"{DRAFT}/replay").text
    assert "3 approvals become declines (−$57.00)." in told
    assert "−$57.00</td>" in told
    assert ">300-R1</a>" in told
    saved(browser, f"{DRAFT}/rules/window", days="30")
    saved(browser, f"{DRAFT}/new/restocking_fee", amount_minor="1.50")
    told = browser.get(f"{DRAFT}/replay").text
    assert "3 approvals stay, with other amounts (−$4.50)." in told
    with inside(shop_id("fern")):
        assert len(list(past_requests())) == 4


def test_customers_pages_are_seen_under_the_draft_before_they_see_them(app: Flask) -> None:
    bought(now=clock.now())
    browser = begun(app)
    saved(browser, f"{DRAFT}/rules/window", days="2")
    page = browser.get(f"{DRAFT}/preview").text
    assert "within 2 days of their delivery" in page
    assert "only staff see this page" in page
    assert "within 30 days" in Browser(app).get("/policy").text
    wizard = browser.get(f"{DRAFT}/wizard?q=1001").text
    assert "The return window closed" in wizard
    assert "Return by" in browser.get("/staff/policy/1/wizard").text
    assert browser.get(f"{DRAFT}/wizard?q=none").status_code == 422


def test_publishing_asks_who_somebody_is_unless_they_have_just_shown_it(app: Flask) -> None:
    with time_machine.travel(clock.now(), tick=False) as time:
        browser = begun(app)
        time.shift(timedelta(minutes=40))
        seen = {"seen": document_hash(), "when": "now"}
        asked = browser.send(f"{DRAFT}/publication", form=DRAFT, **seen)
        assert asked.status_code == 302
        assert "/staff/verify" in asked.headers["Location"]
        assert "is in force" not in browser.get("/staff/policy").text
        asked = browser.get(f"{DRAFT}/publication")
        where = asked.headers["Location"]
        wrong = browser.send(where, password="not the password at all")
        assert wrong.status_code == 200
        assert browser.get(f"{DRAFT}/publication").status_code == 302
        right = browser.send(where, password=PASSWORD)
        assert right.headers["Location"].endswith(f"{DRAFT}/publication")
        assert publish(browser).status_code == 303


def document_hash() -> str:
    """What a form of the draft carries."""
    with inside(shop_id("fern")):
        drafts = session.query(PolicyVersion).where(PolicyVersion.since.is_(None))
        found = drafts.one().hash
        session.remove()
    return found


def test_no_form_works_without_its_token(app: Flask) -> None:
    browser = begun(app)
    before = document()
    for path in ("rules/window", "rules/window/place", "rules/window/removal", "new/review", "head",
                 "publication", "withdrawal", "restoration", "removal"):  # fmt: skip
        data = {"seen": document_hash(), "kind": "window", "to": "down"}
        assert browser.open(f"{DRAFT}/{path}", "POST", data=data).status_code == 400, path
    assert document() == before


def hostile(shared_data: Path) -> list[str]:
    """Naughty strings, every twentieth of those that a browser can send."""
    path = shared_data / "security/strings/blns.json"
    found: list[str] = json.loads(path.read_text("utf-8"))
    return [text for text in found if text.strip() and len(text) < 300][::20]


def test_hostile_texts_come_back_as_text_from_every_field(app: Flask, shared_data: Path) -> None:
    texts = hostile(shared_data)
    browser = begun(app)
    script = "\"'><script>alert(1)</script>{{7*7}}"
    for n, text in enumerate([script, *texts]):
        form = filled(browser, f"{DRAFT}/new/{('decline', 'destination', 'window')[n % 3]}")
        form.row("category", "is", text)
        form.type({name: text for name in ("because", "to", "note") if name in form.fields})
        if n % 3 == 2:  # a number that is none
            form.fields["days"] = text
        answer = form.send(browser)
        assert answer.status_code in (303, 422), repr(text)
        assert "<script>alert" not in answer.text
    page = browser.get(DRAFT).text
    assert "<script>alert" not in page
    assert "{{7*7}}" in page
    kept = next(r for r in document()["rules"] if script in r.get("because", ""))
    again = Form(browser.get(f"{DRAFT}/rules/{kept['id']}").text, f"{DRAFT}/rules/{kept['id']}")
    assert again.fields["because"] == script
    assert again.send(browser).status_code == 303
    assert next(r for r in document()["rules"] if r["id"] == kept["id"]) == kept
    for path in ("preview", "bench?q=%3Cscript%3Ealert", "changes", "publication"):
        answer = browser.get(f"{DRAFT}/{path}")
        assert answer.status_code in (200, 422)
        assert "<script>alert" not in answer.text


def test_many_rules_and_long_lists_are_still_answered(app: Flask) -> None:
    browser = begun(app)
    form = filled(browser, f"{DRAFT}/new/window")
    many: dict[str, Any] = {"by_category.count": "99999999", "holidays.count": "-3"}
    form.type({**many, "when.count": "²", "place": "10" * 200})
    assert form.send(browser).status_code == 303
