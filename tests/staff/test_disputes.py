"""Disputes and insurers at the desk: seen with their deadline, answered once, refused in words."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from typing import Any
from zipfile import ZipFile

import pytest
from flask import Flask

from portal import clock
from portal.db import inside, session, writing
from portal.models import CarrierClaim, Claim, Dispute
from portal.models.dispute_acts import take_in
from portal.payments.contract import DisputeFacts, DisputeMove
from tests.conftest import shop_id
from tests.models.bought import PAID_MINOR, bought
from tests.models.test_claim import claimed
from tests.pages.browser import Browser
from tests.staff.test_claims import act
from tests.staff.test_signin import joined


@pytest.fixture
def desk(app: Flask) -> Browser:
    return joined(app)


@pytest.fixture
def claim_id(desk: Browser) -> str:
    """An open claim for the mug."""
    now = clock.now()
    return claimed(bought(now=now), now=now, lines={"MUG": 1}, statement="In two pieces.")


def disputed(claim_id: str, status: str = "needs_response", **more: Any) -> str:
    """Its order's payment is disputed; gives the dispute."""
    now = clock.now()
    facts = {
        "id": "dp_1", "payment": "pi_1001", "status": status, "reason": "product_not_received",
        "amount_minor": PAID_MINOR, "currency": "USD", "is_refundable": False, "opened_at": now,
        "due_at": now + timedelta(days=7, minutes=5), "moves": (DisputeMove("txn_1", PAID_MINOR),),
    }  # fmt: skip
    with inside(shop_id("fern")), writing():
        row = take_in(DisputeFacts(**{**facts, **more}), now, now)
        assert row is not None
        return row.id


def test_a_dispute_is_listed_with_its_days_left_and_answered_once(
    desk: Browser, claim_id: str
) -> None:
    dispute_id = disputed(claim_id)
    here = f"/staff/disputes/{dispute_id}"
    listed = desk.get("/staff/queue?view=disputes").text
    for words in (here, "It did not arrive", "$76.89", "7 days left"):
        assert words in listed
    assert "It did not arrive" in desk.get(f"/staff/peek/{dispute_id}").text
    page = desk.get(here).text
    for words in ("no refund, credit, exchange or claim", f"/staff/claims/{claim_id}", "pi_1001"):
        assert words in page
    assert desk.send(f"{here}/evidence", here, words="It was signed for.").status_code == 303
    page = desk.get(here).text
    assert "To be sent" in page
    assert "Send the evidence" not in page
    form = f"/staff/claims/{claim_id}"
    again = desk.send(f"{here}/evidence", form, words="Again.")
    assert (again.status_code, "The evidence is being sent" in again.text) == (409, True)
    with inside(shop_id("fern")):
        assert session.get_one(Dispute, dispute_id).words == "It was signed for."


def test_a_claim_of_a_disputed_order_is_not_paid_and_says_why(desk: Browser, claim_id: str) -> None:
    dispute_id = disputed(claim_id)
    page = desk.get(f"/staff/claims/{claim_id}").text
    assert f"/staff/disputes/{dispute_id}" in page
    assert "could be paid twice" in act(desk, claim_id, "approval")
    with inside(shop_id("fern")):
        assert session.get_one(Claim, claim_id).status == "open"


def test_a_disputes_pack_is_that_of_its_order(desk: Browser, claim_id: str) -> None:
    dispute_id = disputed(claim_id)
    answer = desk.get(f"/staff/disputes/{dispute_id}/evidence.zip")
    content = io.BytesIO(answer.data)
    answer.close()
    with ZipFile(content) as pack:
        assert pack.namelist() == ["summary.pdf", "facts.json"]
        assert "Evidence for dispute dp_1" in pack.read("facts.json").decode()


def test_a_claim_is_handed_to_the_insurer_with_its_last_day(desk: Browser, claim_id: str) -> None:
    here = f"/staff/claims/{claim_id}"
    page = desk.get(here).text
    assert "EasyPost takes it until" in page
    assert "25 days left" in page, "30 days after the parcel was sent, five days ago"
    assert "Give an amount from 1 to 1499" in act(desk, claim_id, "insurer", amount="15.00")
    page = act(desk, claim_id, "insurer", amount="9.50")
    assert re.search(r"To be filed.*\$9\.50 for damage", page, re.DOTALL)
    assert "claimed with the insurer already" in act(desk, claim_id, "insurer")
    with inside(shop_id("fern")), writing():
        row = CarrierClaim.of_claim(claim_id)
        assert row is not None
        row.ends("failed", clock.now(), "EasyPost knows no insurance of this parcel.")
        session.get_one(Claim, claim_id).status = "paid"
    assert here in desk.get("/staff/queue?view=claims").text
    page = desk.get(here).text
    assert "EasyPost knows no insurance of this parcel." in page
    assert "Try again" in page


def test_another_shops_dispute_is_not_there(app: Flask) -> None:
    now = clock.now()
    dispute_id = disputed(claimed(bought(now=now), now=now, lines={"MUG": 1}))
    volta = joined(app, slug="volta")
    for path in ("", "/evidence.zip"):
        assert volta.get(f"/staff/disputes/{dispute_id}{path}").status_code == 404
