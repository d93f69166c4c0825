"""Claims at the desk: seen in the queue, decided, asked about, paid once."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from portal import clock
from portal.db import inside, session, writing
from portal.models import Settlement, payout
from tests.conftest import shop_id
from tests.models.bought import bought
from tests.models.test_claim import claimed, told
from tests.pages.browser import Browser
from tests.staff.test_signin import joined


@pytest.fixture
def desk(any_app: Flask) -> Browser:
    return joined(any_app)


@pytest.fixture
def claim_id(desk: Browser) -> str:
    """An open claim for the mug."""
    now = clock.now()
    return claimed(bought(now=now), now=now, lines={"MUG": 1}, statement="In two pieces.")


def act(browser: Browser, claim_id: str, what: str, **fields: object) -> str:
    """Send one of the page's forms as it stands there; gives the page that follows."""
    here = f"/staff/claims/{claim_id}"
    version = re.search(r'name="version" value="(\d+)"', browser.get(here).text)
    assert version, browser.get(here).text
    answer = browser.send(f"{here}/{what}", form=here, **{"version": version[1], **fields})
    assert answer.status_code in (303, 409), answer.text
    return answer.text if answer.status_code == 409 else browser.get(here).text


def test_a_claim_waits_in_its_view_and_is_found_by_number(desk: Browser, claim_id: str) -> None:
    listed = desk.get("/staff/queue?view=claims").text
    assert f"/staff/claims/{claim_id}" in listed
    assert "It arrived damaged" in listed
    assert f"/staff/claims/{claim_id}" in desk.get("/staff/queue?q=1001-c1").text
    page = desk.get(f"/staff/claims/{claim_id}").text
    for words in ("In two pieces.", "no cover", "Your rights by law hold all the same", "$14.99"):
        assert words in page


def test_approving_pays_once_and_a_second_click_says_so(desk: Browser, claim_id: str) -> None:
    page = act(desk, claim_id, "approval", amount="10.00", note="Half was fine.")
    assert "Refund, $10.00: wanted" in page
    assert told(claim_id, "status", "payout_minor") == ("approved", 1_000)
    again = desk.send(
        f"/staff/claims/{claim_id}/approval", f"/staff/claims/{claim_id}", version="1"
    )
    assert again.status_code == 409
    with inside(shop_id("fern")):
        assert session.query(Settlement).count() == 1


def test_more_than_was_paid_is_refused(desk: Browser, claim_id: str) -> None:
    assert "Give an amount from 1 to 1499" in act(desk, claim_id, "approval", amount="15.00")
    assert "Write the amount as a number" in act(desk, claim_id, "approval", amount="lots")
    assert told(claim_id, "status") == ("open",)


def test_declined_asked_and_approved_after_all(desk: Browser, claim_id: str) -> None:
    act(desk, claim_id, "question", text="Which side?")
    assert told(claim_id, "status") == ("needs_info",)
    act(desk, claim_id, "rejection", code="evidence", note="It looks whole.")
    assert told(claim_id, "status", "rejection_code") == ("declined", "evidence")
    act(desk, claim_id, "approval", override_reason="A regular.")
    assert told(claim_id, "status", "override_reason") == ("approved", "A regular.")


def test_money_that_failed_is_shown_and_can_be_paid_by_hand(desk: Browser, claim_id: str) -> None:
    act(desk, claim_id, "approval")
    with inside(shop_id("fern")):
        [row] = session.query(Settlement)
        row_id = row.id
    for step in (payout.begin, lambda id, now: payout.failed(id, "The card is closed.", now)):
        with inside(shop_id("fern")), writing():
            step(row_id, clock.now())
    assert "/staff/claims/" in desk.get("/staff/queue?view=claims").text
    page = desk.get(f"/staff/claims/{claim_id}").text
    assert "The card is closed." in page
    desk.send(
        f"/staff/settlements/{row_id}/payment", f"/staff/claims/{claim_id}", how="Bank transfer"
    )
    assert told(claim_id, "status") == ("paid",)


def test_another_shops_claim_is_not_there(app: Flask) -> None:
    now = clock.now()
    claim_id = claimed(bought(now=now), now=now, lines={"MUG": 1})
    assert joined(app, slug="volta").get(f"/staff/claims/{claim_id}").status_code == 404
