"""A day at the desk: decide, ask, count, pay, try again; and two people at one return."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask

from portal.db import inside, session, writing
from portal.models import AuditEntry, Label, Message, Settlement
from tests.conftest import shop_id
from tests.models.bought import NOW, ask, bought, rma, shirts
from tests.pages.browser import Browser
from tests.staff.test_signin import joined


@pytest.fixture
def desk(any_app: Flask) -> Browser:
    return joined(any_app)


def act(browser: Browser, rma_id: str, what: str, **fields: object) -> str:
    """Send one of the page's forms as it stands there; gives the page that follows."""
    here = f"/staff/returns/{rma_id}"
    version = re.search(r'name="version" value="(\d+)"', browser.get(here).text)
    assert version, browser.get(here).text
    answer = browser.send(f"{here}/{what}", form=here, **{"version": version[1], **fields})
    assert answer.status_code in (303, 409), answer.text
    return answer.text if answer.status_code == 409 else browser.get(here).text


def counted(browser: Browser, rma_id: str, *rows: tuple[int, str, str]) -> str:
    """Count shirts: how many, in which condition, whether they are accepted."""
    fields: dict[str, object] = {"sku": ["TEE-M"] * len(rows)}
    for place, (quantity, condition, accept) in enumerate(rows):
        fields |= {
            f"quantity-{place}": quantity,
            f"condition-{place}": condition,
            f"accept-{place}": accept,
            f"disposition-{place}": "restock",
        }
    return act(browser, rma_id, "receipt", **fields)


def test_some_are_accepted_others_not_and_only_those_are_paid(desk: Browser) -> None:
    rma_id = ask(bought(), shirts(3, "changed_mind"))
    counted(desk, rma_id, (2, "A", ""), (1, "D", "no"))
    assert "2 × Shirt: Refund" in desk.get(f"/staff/returns/{rma_id}").text
    act(desk, rma_id, "resolution", **{"pay-sku": "TEE-M"})
    with inside(shop_id("fern")):
        assert [unit.acceptance for unit in rma(rma_id).units].count("accepted") == 2
        assert session.query(Settlement).one().amount_minor == 3_800


def test_an_own_amount_needs_a_reason_and_has_a_cap(desk: Browser) -> None:
    rma_id = ask(bought(), shirts(1, "changed_mind"))
    counted(desk, rma_id, (1, "A", ""))
    paid = {"pay-sku": "TEE-M"}
    assert "Say why" in act(desk, rma_id, "resolution", **paid, **{"amount-0": "12.50"})
    reason = {"reason": "Sold as seen"}
    told = act(desk, rma_id, "resolution", **paid, **reason, **{"amount-0": "19.01"})
    assert "at most $19.00" in told
    told = act(desk, rma_id, "resolution", **paid, **reason, **{"amount-0": "nineteen"})
    assert "such as 12.50" in told
    act(desk, rma_id, "resolution", **paid, **reason, **{"amount-0": "12,50"})
    with inside(shop_id("fern")):
        row = session.query(Settlement).one()
        assert (row.amount_minor, row.reason) == (1_250, "Sold as seen")


def test_a_question_is_mailed_and_stands_in_the_history(desk: Browser) -> None:
    rma_id = ask(bought(), shirts(1, "other"))
    page = act(desk, rma_id, "question", text="Which colour did you get?")
    assert "Which colour did you get?" in page
    with inside(shop_id("fern")):
        message = session.query(Message).filter_by(kind="question").one()
        assert (message.recipient, message.state) == ("ada@example.com", "wanted")
        assert message.facts["question"] == "Which colour did you get?"


def test_a_failed_label_is_tried_again(desk: Browser) -> None:
    rma_id = ask(bought(), shirts(1, "changed_mind"), method="label")
    with inside(shop_id("fern")), writing():
        label = session.query(Label).one()
        label.status, label.problem = "failed", "No rates."
    assert "Try the label again" in desk.get(f"/staff/returns/{rma_id}").text
    act(desk, rma_id, "label")
    with inside(shop_id("fern")):
        assert session.query(Label).one().status == "wanted"
    assert "No label of this return has failed" in act(desk, rma_id, "label")


def test_a_parcel_that_was_lost_is_paid_where_the_shop_bears_it(desk: Browser) -> None:
    rma_id = ask(bought(), shirts(1, "changed_mind"), method="label")
    with inside(shop_id("fern")), writing():
        rma(rma_id).status = "shipped"
    act(desk, rma_id, "loss", accept="yes", note="The carrier looked for it")
    act(desk, rma_id, "resolution", **{"pay-sku": "TEE-M"})
    with inside(shop_id("fern")):
        assert session.query(Settlement).one().amount_minor == 1_900


def test_who_decides_on_an_old_page_is_told_so_and_changes_nothing(desk: Browser) -> None:
    rma_id = ask(bought(), shirts(1, "other"))
    here = f"/staff/returns/{rma_id}"
    old = re.search(r'name="version" value="(\d+)"', desk.get(here).text)
    assert old
    act(desk, rma_id, "approval", note="Fine")
    answer = desk.send(
        f"{here}/rejection", form=here, version=old[1], code="worn", note="It was worn."
    )
    assert answer.status_code == 409
    assert "Somebody decided a moment ago" in answer.text
    with inside(shop_id("fern")):
        assert rma(rma_id).status == "approved"


def test_what_was_declined_is_approved_after_all_with_a_reason(desk: Browser) -> None:
    rma_id = ask(bought(), shirts(1, "other"))
    act(desk, rma_id, "rejection", code="worn", note="It was worn.")
    act(desk, rma_id, "approval", override_reason="The photo shows it is new")
    with inside(shop_id("fern")):
        assert rma(rma_id).status == "approved"
        whys = [entry.why for entry in session.query(AuditEntry)]
        assert "The photo shows it is new" in whys


def test_the_search_finds_a_name_in_every_list_and_takes_signs_as_they_are(desk: Browser) -> None:
    rma_id = ask(bought(), shirts(1, "changed_mind"))
    for word in ("ada@", "1001", "#1001", "ADA"):
        assert rma_id in desk.get(f"/staff/queue?q={word.replace('#', '%23')}").text
    assert rma_id not in desk.get("/staff/queue?q=%25").text
    assert "Nothing fits" in desk.get("/staff/queue?q=nobody").text


def test_the_queue_is_shown_in_pages(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.staff.queue_rows.MOST", 2)
    desk = joined(app)
    ids = [
        ask(bought(number=f"10{n}"), shirts(1, "other"), now=NOW + timedelta(minutes=n))
        for n in range(3)
    ]
    first, second = desk.get("/staff/queue").text, desk.get("/staff/queue?page=2").text
    assert [id for id in ids if id in first] == ids[:2]
    assert [id for id in ids if id in second] == ids[2:]
    assert "More" in first
    assert "Back" in second
