"""Claims: held, opened on their day, decided, paid once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask

from portal.db import inside, session, writing
from portal.jobs.claim_mail import facts_of
from portal.jobs.work import work
from portal.mail import render
from portal.models import (
    Claim,
    Due,
    Message,
    Order,
    Settlement,
    Shipment,
    Shop,
    UnitClaim,
    Variant,
    payout,
)
from portal.models.change import Conflict
from portal.models.claim_acts import answer, appeal, approve, call_off, decline, follow_claims
from portal.models.claim_acts import ask as ask_customer
from portal.models.claim_news import over
from portal.models.claim_request import AskedClaim, request_claim
from portal.models.credit import balances
from portal.models.ledger import book, sums_of
from portal.models.rma_facts import Asked
from portal.models.rma_request import order_for_return
from portal.sources.sentences import Invalid
from tests.conftest import shop_id
from tests.models.bought import NOW, PAID_MINOR, ask, bought, sold
from themes import load

DAY = timedelta(days=1)
SHIRTS_MINOR = 3 * 2_000 - 300


def claimed(order_id: str, kind: str = "damaged", now: datetime = NOW, **more: Any) -> str:
    """Claim in a transaction of its own; gives the claim's id."""
    with inside(shop_id("fern")), writing():
        order = order_for_return(order_id, lock=True)
        assert order is not None
        return request_claim(order, AskedClaim(kind, **more), "page", "customer", now).id


def on(claim_id: str, act: Callable[[Claim], Any]) -> None:
    with inside(shop_id("fern")), writing():
        claim = Claim.locked(claim_id)
        assert claim is not None
        act(claim)


def told(claim_id: str, *names: str) -> tuple[Any, ...]:
    with inside(shop_id("fern")):
        claim = Claim.read(claim_id)
        assert claim is not None
        return tuple(getattr(claim, name) for name in names)


def rows(claim_id: str) -> list[tuple[str, str, int]]:
    with inside(shop_id("fern")):
        found = session.query(Settlement).filter_by(subject=claim_id).order_by(Settlement.id)
        return [(row.kind, row.status, row.amount_minor) for row in found]


def lost(order_id: str, since: datetime = NOW - 3 * DAY) -> None:
    """Have the order's parcel never arrive; it was scanned last at `since`."""
    with inside(shop_id("fern")), writing():
        for parcel in session.query(Shipment).filter_by(order_id=order_id):
            parcel.status, parcel.delivered_at = "in_transit", None
            parcel.last_scan_at = parcel.status_since = since


def refund_done(claim_id: str) -> None:
    with inside(shop_id("fern")):
        [id] = [r.id for r in session.query(Settlement).filter_by(subject=claim_id)]
    for step in (lambda: payout.begin(id, NOW), lambda: payout.succeeded(id, "re_1", NOW)):
        with inside(shop_id("fern")), writing():
            step()


def test_without_cover_a_person_decides_and_the_refund_goes_out_once(any_app: Flask) -> None:
    order_id = bought()
    id = claimed(order_id, lines={"MUG": 1})
    assert told(id, "status", "payout_minor") == ("open", 0)
    on(id, lambda claim: approve(claim, "staff:1", NOW))
    assert rows(id) == [("refund", "wanted", 1_499)]
    refund_done(id)
    assert told(id, "status", "payout_minor") == ("paid", 1_499)
    with inside(shop_id("fern")):
        sums = sums_of([order_id])[order_id]
    assert (sums.refunded_minor, sums.captured_minor) == (1_499, PAID_MINOR)
    with pytest.raises(Conflict):
        on(id, lambda claim: approve(claim, "staff:1", NOW))


def mailed(claim_id: str) -> list[str]:
    """The kinds of mails about a claim, in the order they were planned."""
    with inside(shop_id("fern")):
        rows = session.query(Message).where(Message.cause.startswith(f"{claim_id}:"))
        return [row.kind for row in rows.order_by(Message.created_at, Message.id)]


def test_each_step_is_mailed_once(any_app: Flask) -> None:
    id = claimed(bought(), lines={"MUG": 1})
    on(id, lambda claim: ask_customer(claim, "staff:1", NOW + DAY, "Which side?"))
    on(id, lambda claim: answer(claim, "customer", NOW + DAY, "The handle."))
    on(id, lambda claim: approve(claim, "staff:1", NOW + 2 * DAY))
    refund_done(id)
    assert sorted(mailed(id)) == ["claim_approved", "claim_asked", "claim_open", "claim_paid"]
    off = claimed(bought(number="1002"), lines={"MUG": 1})
    on(off, lambda claim: call_off(claim, "customer", NOW))
    assert mailed(off) == ["claim_open"]


def test_a_mail_about_a_claim_says_how_it_stands_and_is_dropped_when_it_moved_on(
    app: Flask,
) -> None:
    id = claimed(bought(), lines={"MUG": 1})
    with inside(shop_id("fern")):
        shop = session.get_one(Shop, shop_id("fern"))
        [message] = session.query(Message).where(Message.cause.startswith(id))
        assert over(message) == ""
        letter = render(message.kind, facts_of(message, shop, "en"), shop, load("fern"), "en")
    for words in ("We have your claim 1001-C1", "no cover on this order", "/c/", "Mug"):
        assert words in letter.subject + letter.text
    on(id, lambda claim: decline(claim, "staff:1", NOW, "worn", "It was worn."))
    with inside(shop_id("fern")):
        first, second = (
            session.query(Message).where(Message.cause.startswith(id)).order_by(Message.id)
        )
        told = {row.kind: over(row) for row in (first, second)}
    assert told == {"claim_open": "The claim is declined now.", "claim_declined": ""}


def test_what_is_claimed_is_in_no_return_and_in_no_other_claim(any_app: Flask) -> None:
    order_id = bought()
    claimed(order_id, lines={"MUG": 1})
    with pytest.raises(Conflict):
        ask(order_id, Asked.of("MUG", 1, "faulty"))
    with pytest.raises(Conflict):
        claimed(order_id, lines={"MUG": 1})
    ask(order_id, Asked.of("TEE-M", 3, "too_small"))
    with pytest.raises(Conflict):
        claimed(order_id)


def test_too_early_it_waits_and_opens_by_itself_on_its_day(any_app: Flask) -> None:
    order_id = bought()
    lost(order_id)
    id = claimed(order_id, "lost")
    status, opens = told(id, "status", "opens_on")
    assert (status, opens) == ("waiting", (NOW - 3 * DAY + 7 * DAY).date())
    with inside(shop_id("fern")):
        [due] = session.query(Due).filter_by(queue="claim", subject=id)
        assert due.at.date() == opens
    with inside(shop_id("fern")), writing():
        session.query(Due).filter_by(subject=id).update({"at": NOW})
    with time_machine.travel(NOW + 5 * DAY, tick=False):
        assert work("claim") == 1
    assert told(id, "status") == ("open",)


def test_a_new_scan_moves_the_day_and_an_arrival_ends_the_claim(any_app: Flask) -> None:
    order_id = bought()
    lost(order_id)
    id = claimed(order_id, "lost")
    lost(order_id, since=NOW)
    follow(order_id)
    with time_machine.travel(NOW + DAY, tick=False):
        work("claim")
    assert told(id, "status", "opens_on") == ("waiting", (NOW + 7 * DAY).date())
    with inside(shop_id("fern")), writing():
        for parcel in session.query(Shipment).filter_by(order_id=order_id):
            parcel.status, parcel.delivered_at = "delivered", NOW + DAY
    follow(order_id)
    with time_machine.travel(NOW + 2 * DAY, tick=False):
        work("claim")
    assert told(id, "status") == ("cancelled",)
    ask(order_id, Asked.of("MUG", 1, "faulty"), now=NOW + 2 * DAY)


def follow(order_id: str) -> None:
    with inside(shop_id("fern")), writing():
        for parcel in session.query(Shipment).filter_by(order_id=order_id):
            follow_claims(parcel, NOW)


def test_what_needs_a_photo_is_asked_for_and_decided_after_it(app: Flask) -> None:
    order_id = bought()
    id = claimed(order_id, lines={"TEE-M": 2})
    assert told(id, "status") == ("open",)  # without cover a person looks anyway
    on(id, lambda claim: decline(claim, "staff:1", NOW, "worn", "It was worn."))
    assert told(id, "status", "rejection_code") == ("declined", "worn")


def test_a_declined_claim_may_be_appealed_within_its_days(any_app: Flask) -> None:
    id = claimed(bought(), lines={"MUG": 1})
    on(id, lambda claim: decline(claim, "staff:1", NOW, "worn"))
    with pytest.raises(Conflict):
        on(id, lambda claim: appeal(claim, "customer", NOW + 15 * DAY, "It was new."))
    on(id, lambda claim: appeal(claim, "customer", NOW + 14 * DAY, "It was new."))
    assert told(id, "status", "appeal") == ("open", "It was new.")


def test_a_declined_claim_frees_its_units_and_comes_back_only_if_they_are_free(
    any_app: Flask,
) -> None:
    order_id = bought()
    id = claimed(order_id, lines={"MUG": 1})
    on(id, lambda claim: decline(claim, "staff:1", NOW, "worn"))
    ask(order_id, Asked.of("MUG", 1, "faulty"))
    with pytest.raises(Conflict):
        on(id, lambda claim: appeal(claim, "customer", NOW, "It was new."))
    with pytest.raises(Conflict):
        on(id, lambda claim: approve(claim, "staff:1", NOW, override_reason="goodwill"))


def test_credit_is_given_at_once(any_app: Flask) -> None:
    order_id = bought()
    id = claimed(order_id, lines={"MUG": 1}, wanted="store_credit")
    on(id, lambda claim: approve(claim, "staff:1", NOW))
    assert told(id, "status") == ("paid",)
    with inside(shop_id("fern")):
        customer = session.get_one(Order, order_id).customer_id
        assert balances(customer or "", NOW) == {"USD": 1_499}


def test_a_replacement_is_an_order_of_its_own_and_off_the_stock(any_app: Flask) -> None:
    sold(sku="TEE-M", available=5)
    order_id = bought()
    id = claimed(order_id, lines={"TEE-M": 2}, wanted="reship")
    on(id, lambda claim: approve(claim, "staff:1", NOW))
    assert told(id, "status", "payout_minor") == ("paid", 2 * 1_900)
    with inside(shop_id("fern")):
        made = Order.numbered("1001-C1")
        assert made is not None
        assert [(line.sku, line.quantity) for line in made.lines] == [("TEE-M", 2)]
        assert made.captured_minor == 2 * 1_900
        assert session.query(Variant).filter_by(sku="TEE-M").one().available == 3
        sums = sums_of([order_id])[order_id]
        assert (sums.payout_minor, sums.refundable_minor) == (3_800, PAID_MINOR - 3_800)


def test_what_is_not_in_stock_is_refunded(any_app: Flask) -> None:
    sold(sku="TEE-M", available=1)
    id = claimed(bought(), lines={"TEE-M": 2}, wanted="reship")
    on(id, lambda claim: approve(claim, "staff:1", NOW))
    assert told(id, "wanted") == ("refund",)
    assert rows(id) == [("refund", "wanted", 3_800)]
    with inside(shop_id("fern")):
        assert session.query(Variant).filter_by(sku="TEE-M").one().available == 1


def test_a_claim_pays_at_most_what_is_left_of_the_order(any_app: Flask) -> None:
    order_id = bought()
    with inside(shop_id("fern")), writing():
        book(order_id, "refunded", PAID_MINOR - 500, "USD", "elsewhere", NOW, reference="pi_1001")
    id = claimed(order_id, lines={"MUG": 1})
    on(id, lambda claim: approve(claim, "staff:1", NOW))
    assert rows(id) == [("refund", "wanted", 500)]
    assert told(id, "payout_minor") == (500,)


def test_staff_pay_no_more_than_what_was_paid(app: Flask) -> None:
    id = claimed(bought(), lines={"MUG": 1})
    with pytest.raises(Invalid, match="1499"):
        on(id, lambda claim: approve(claim, "staff:1", NOW, amount_minor=1_500))
    on(id, lambda claim: approve(claim, "staff:1", NOW, amount_minor=1_000))
    assert rows(id) == [("refund", "wanted", 1_000)]


def test_a_refund_that_falls_through_is_owed_again(any_app: Flask) -> None:
    id = claimed(bought(), lines={"MUG": 1})
    on(id, lambda claim: approve(claim, "staff:1", NOW))
    refund_done(id)
    with inside(shop_id("fern")):
        [row] = session.query(Settlement).filter_by(subject=id).all()
    with inside(shop_id("fern")), writing():
        payout.failed(row.id, "The card is closed.", NOW)
    assert told(id, "status", "paid_at") == ("approved", None)


def test_lost_and_delivered_are_told_apart(app: Flask) -> None:
    order_id = bought()
    with pytest.raises(Conflict, match="not_received"):
        claimed(order_id, "lost")
    lost(order_id)
    with pytest.raises(Conflict, match="lost"):
        claimed(order_id, "damaged")
    with inside(shop_id("fern")):
        assert session.query(UnitClaim).count() == 0


def holds(sku: str, quantity: int) -> dict[str, Any]:
    return {"sku": sku, "quantity": quantity}


def test_an_order_in_two_parcels_asks_which_and_holds_what_is_in_it(app: Flask) -> None:
    parcels = [
        {"carrier": "UPS", "tracking_number": f"1Z5R89W303{digit * 8}", "lines": [line]}
        for digit, line in (("1", holds("MUG", 1)), ("2", holds("TEE-M", 3)))
    ]
    order_id = bought(shipments=parcels)
    with pytest.raises(Invalid, match="which one"):
        claimed(order_id)
    with inside(shop_id("fern")):
        ids = {p.tracking_number[-1]: p.id for p in session.query(Shipment)}
    with pytest.raises(Invalid, match="holds nothing of MUG"):
        claimed(order_id, shipment_id=ids["2"], lines={"MUG": 1})
    id = claimed(order_id, shipment_id=ids["2"])
    with inside(shop_id("fern")):
        claim = Claim.read(id)
        assert claim is not None
        assert [unit.sku for unit in claim.units] == ["TEE-M"] * 3
        assert claim.paid_minor == SHIRTS_MINOR


def test_terms_of_the_day_it_was_made_hold(app: Flask) -> None:
    order_id = bought()
    lost(order_id)
    id = claimed(order_id, "lost")
    with inside(shop_id("fern")), writing():
        shop = session.get_one(Shop, shop_id("fern"))
        shop.settings = {**shop.settings, "claims": {"lost": {"wait_days": 30, "last_days": 40}}}
    other = bought(number="1002")
    lost(other)
    assert told(claimed(other, "lost"), "opens_on") == ((NOW + 27 * DAY).date(),)
    assert told(id, "opens_on") == ((NOW + 4 * DAY).date(),)


def test_called_off_frees_the_units(app: Flask) -> None:
    order_id = bought()
    id = claimed(order_id, lines={"MUG": 1})
    on(id, lambda claim: call_off(claim, "customer", NOW))
    ask(order_id, Asked.of("MUG", 1, "faulty"))


def test_an_answer_goes_to_who_asked(app: Flask) -> None:
    id = claimed(bought(), lines={"MUG": 1})
    on(id, lambda claim: ask_customer(claim, "staff:1", NOW, "Which side is broken?"))
    assert told(id, "status") == ("needs_info",)
    on(id, lambda claim: answer(claim, "customer", NOW, "The handle."))
    assert told(id, "status", "statement") == ("open", "The handle.")
