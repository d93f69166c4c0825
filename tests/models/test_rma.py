"""A return's life: its parcel, its last day, what is kept, what is lost, what comes late."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from carriers.contract import Scan, Status, Tracking
from portal.db import inside, session, writing
from portal.models import (
    Exchange,
    Label,
    Message,
    Order,
    PolicyVersion,
    Return,
    Shipment,
    Variant,
    payout,
)
from portal.models.audit import AuditEntry
from portal.models.change import Conflict
from portal.models.ledger import sums_of
from portal.models.observe import observe
from portal.models.rma_acts import APPROVED_FOR, approve, cancel, decline, expire, send
from portal.models.rma_receipt import Count, lose, receive
from portal.models.rma_rows import Act
from portal.models.rma_settle import lapse, resolve
from portal.models.settlement import settlements_of
from portal.sources.document import OrderDocument
from tests.conftest import shop_id
from tests.models.bought import MUG, NOW, SHIRT, ask, bought, shirts, sold

DAY = timedelta(days=1)
ACT = Act("staff", NOW)


def on(id: str, act: Callable[[Return], Any]) -> Any:
    """Do something with a return in a transaction of its own."""
    with inside(shop_id("fern")), writing():
        found = Return.locked(id)
        assert found is not None
        return act(found)


def state(id: str) -> str:
    return str(on(id, lambda rma: rma.status))


def policy(*rules: dict[str, Any]) -> None:
    with inside(shop_id("fern")), writing():
        document = {
            "version": 1,
            "currency": "USD",
            "rules": [*rules, {"id": "ok", "kind": "approve"}],
        }
        PolicyVersion.draft(document, "staff", NOW - 30 * DAY).publish("staff", NOW - 30 * DAY)


def scanned(parcel_id: str, status: Status, at: Any) -> None:
    with inside(shop_id("fern")), writing():
        parcel = Shipment.locked(parcel_id)
        assert parcel is not None
        scan = Scan(at=at, status=status, message=status.value)
        told = Tracking("easypost", "trk_1", parcel.tracking_number, status, "", scans=(scan,))
        observe(parcel, told, "hook", at)


def test_the_parcels_scans_move_its_return_and_tell_no_story_of_the_order(any_app: Flask) -> None:
    order_id = bought()
    id = ask(order_id, shirts(2))
    parcel = on(id, lambda rma: send(rma, "customer", NOW, "UPS", "1Z999AA10123456784").id)
    scanned(parcel, Status.PRE_TRANSIT, NOW + DAY)
    assert state(id) == "approved"
    scanned(parcel, Status.IN_TRANSIT, NOW + 2 * DAY)
    assert state(id) == "shipped"
    with pytest.raises(Conflict):
        on(id, lambda rma: cancel(rma, "customer", NOW))
    scanned(parcel, Status.DELIVERED, NOW + 4 * DAY)
    assert state(id) == "arrived"
    with inside(shop_id("fern")):
        assert session.get_one(Order, order_id).status == "delivered"
        assert session.query(Message).filter_by(shipment_id=parcel).all() == []


def test_a_bought_label_brings_its_parcel(any_app: Flask) -> None:
    id = ask(bought(), shirts(1))

    def buy(rma: Return) -> str:
        label = session.query(Label).filter_by(rma_id=rma.id).one()
        assert label.begin(100, NOW)
        bought = {"carrier": "USPS", "tracking_number": "9400136208303376300013", "cost_minor": 612}
        return label.bought(rma.order, NOW, **bought, pdf_url="https://x.example/l.pdf").id

    parcel = on(id, buy)
    with inside(shop_id("fern")):
        assert session.get_one(Shipment, parcel).rma_id == id
        assert session.query(Label).one().status == "done"
    on(id, lambda rma: cancel(rma, "customer", NOW))
    with inside(shop_id("fern")):
        assert session.query(Label).one().status == "void_wanted"


def test_an_approval_ends_and_frees_its_units_and_a_late_parcel_is_judged(any_app: Flask) -> None:
    order_id = bought()
    id = ask(order_id, shirts(3))
    assert not on(id, lambda rma: expire(rma, NOW + APPROVED_FOR - DAY))
    assert on(id, lambda rma: expire(rma, NOW + APPROVED_FOR))
    assert state(id) == "expired"
    on(id, lambda rma: receive(rma, [Count("TEE-M", 3)], "staff", NOW + 31 * DAY))
    assert state(id) == "checked"
    with pytest.raises(Conflict):
        ask(order_id, shirts(1))


def test_an_expired_return_whose_units_are_elsewhere_is_not_received(any_app: Flask) -> None:
    order_id = bought()
    id = ask(order_id, shirts(3))
    on(id, lambda rma: expire(rma, NOW + 30 * DAY))
    ask(order_id, shirts(1))
    with pytest.raises(Conflict):
        on(id, lambda rma: receive(rma, [Count("TEE-M", 3)], "staff", NOW))


def test_what_is_kept_is_paid_without_a_parcel(any_app: Flask) -> None:
    policy({"id": "keep", "kind": "keep_item"})
    id = ask(bought(), shirts(1, "faulty"))
    with inside(shop_id("fern")):
        assert session.query(Label).all() == []
        [row] = [each.id for each in settlements_of(id)]
    with inside(shop_id("fern")), writing():
        assert payout.begin(row, NOW)
    with inside(shop_id("fern")), writing():
        assert payout.succeeded(row, "re_1", NOW)
    assert state(id) == "settled"


def test_credit_may_move_at_the_first_scan_and_is_not_paid_again(any_app: Flask) -> None:
    policy({"id": "early", "kind": "money_moves", "at": "first_scan"})
    order_id = bought()
    id = ask(order_id, shirts(1, resolution="store_credit"))
    parcel = on(id, lambda rma: send(rma, "customer", NOW, "UPS", "1Z999AA10123456784").id)
    scanned(parcel, Status.IN_TRANSIT, NOW + DAY)
    with inside(shop_id("fern")):
        assert sums_of([order_id])[order_id].credited_minor == 1_900
    assert state(id) == "shipped"
    on(id, lambda rma: receive(rma, [Count("TEE-M", 1)], "staff", NOW))
    assert state(id) == "settled"
    with inside(shop_id("fern")):
        assert sums_of([order_id])[order_id].credited_minor == 1_900


def test_a_parcel_lost_on_its_way_is_paid_where_the_shop_bears_it(any_app: Flask) -> None:
    id = ask(bought(), shirts(1))
    parcel = on(id, lambda rma: send(rma, "customer", NOW, "UPS", "1Z999AA10123456784").id)
    scanned(parcel, Status.IN_TRANSIT, NOW + DAY)
    on(id, lambda rma: lose(rma, "staff", NOW, accept=True, note="Gone."))
    [row] = on(id, lambda rma: [row.id for row in resolve(rma, None, ACT)])
    with inside(shop_id("fern")), writing():
        payout.begin(row, NOW)
    with inside(shop_id("fern")), writing():
        assert payout.succeeded(row, "re_1", NOW)
    assert state(id) == "settled"


def test_what_was_missing_and_turns_up_is_paid_as_well(any_app: Flask) -> None:
    order_id = bought()
    id = ask(order_id, shirts(2, resolution="store_credit"))
    on(id, lambda rma: receive(rma, [Count("TEE-M", 1)], "staff", NOW))
    on(id, lambda rma: resolve(rma, None, ACT))
    assert state(id) == "settled"
    on(id, lambda rma: receive(rma, [Count("TEE-M", 1)], "staff", NOW))
    assert state(id) == "checked"
    on(id, lambda rma: resolve(rma, None, ACT))
    assert state(id) == "settled"
    with inside(shop_id("fern")):
        assert sums_of([order_id])[order_id].credited_minor == 3_800


def test_a_refund_that_is_taken_back_opens_the_return_once(any_app: Flask) -> None:
    order_id = bought()
    id = ask(order_id, shirts(1))
    on(id, lambda rma: receive(rma, [Count("TEE-M", 1)], "staff", NOW))
    [row] = on(id, lambda rma: [row.id for row in resolve(rma, None, ACT)])
    for tell in (
        lambda: payout.begin(row, NOW),
        lambda: payout.succeeded(row, "re_1", NOW),
        lambda: payout.failed(row, "The bank sent it back.", NOW),
        lambda: payout.failed(row, "The bank sent it back.", NOW),
    ):
        with inside(shop_id("fern")), writing():
            tell()
    assert state(id) == "checked"
    with inside(shop_id("fern")):
        assert sums_of([order_id])[order_id].refunded_minor == 0
    [again] = on(id, lambda rma: [row.id for row in resolve(rma, None, ACT)])
    assert again != row


def test_an_unknown_outcome_is_looked_up_and_never_asked_for_under_another_key(
    any_app: Flask,
) -> None:
    id = ask(bought(), shirts(1))
    on(id, lambda rma: receive(rma, [Count("TEE-M", 1)], "staff", NOW))
    [row] = on(id, lambda rma: [row.id for row in resolve(rma, None, ACT)])
    found = []
    for tell in (
        lambda: payout.begin(row, NOW),
        lambda: payout.unknown(row),
        lambda: payout.begin(row, NOW),
    ):
        with inside(shop_id("fern")), writing():
            found.append(tell())
    first, _, again = found
    assert (first.look_up, again.look_up) == (False, True)
    assert first.key == again.key
    with pytest.raises(Conflict):
        on(id, lambda rma: resolve(rma, None, ACT))


def test_a_reserved_article_is_let_go_on_its_day(any_app: Flask) -> None:
    sold(available=1)
    id = ask(bought(), shirts(1, resolution="exchange", exchange_sku="TEE-L"))
    with inside(shop_id("fern")):
        kept = session.query(Exchange).one().id
    assert not on(id, lambda rma: lapse(rma, kept, Act("job", NOW + 29 * DAY)))
    assert on(id, lambda rma: lapse(rma, kept, Act("job", NOW + 30 * DAY)))
    assert not on(id, lambda rma: lapse(rma, kept, Act("job", NOW + 31 * DAY)))
    with inside(shop_id("fern")):
        assert session.query(Variant).one().available == 1
    assert on(id, lambda rma: rma.lines[0].resolution) == "refund"


def test_a_later_price_changes_nothing_that_was_decided(any_app: Flask) -> None:
    id = ask(bought(), shirts(1))
    dearer = [SHIRT | {"unit_price_minor": 9_000}, MUG]
    with inside(shop_id("fern")), writing():
        changed = {"number": "1001", "lines": dearer}
        Order.upsert(OrderDocument.model_validate(changed), NOW)
    on(id, lambda rma: receive(rma, [Count("TEE-M", 1)], "staff", NOW))
    assert on(id, lambda rma: [r.amount_minor for r in resolve(rma, None, ACT)]) == [1_900]


def test_what_was_captured_cannot_fall_below_what_was_given_back(any_app: Flask) -> None:
    id = ask(bought(), shirts(1, resolution="store_credit"))
    on(id, lambda rma: receive(rma, [Count("TEE-M", 1)], "staff", NOW))
    on(id, lambda rma: resolve(rma, None, ACT))
    less = {"number": "1001", "payment": {"captured_minor": 1_899}}
    with pytest.raises(Conflict), inside(shop_id("fern")), writing():
        Order.upsert(OrderDocument.model_validate(less), NOW)


def test_who_decides_second_hears_that_somebody_was_faster(any_app: Flask) -> None:
    id = ask(bought(), shirts(1, "other"))
    shown = on(id, lambda rma: rma.version)
    on(id, lambda rma: decline(rma, "staff:bob", NOW, "no"))
    with pytest.raises(Conflict, match="a moment ago"):
        on(id, lambda rma: rma.seen_as(shown))
    with pytest.raises(Conflict):
        on(id, lambda rma: approve(rma, "staff:ann", NOW))


def test_every_act_is_in_the_audit(any_app: Flask) -> None:
    id = ask(bought(), shirts(1, resolution="store_credit"))
    on(id, lambda rma: receive(rma, [Count("TEE-M", 1)], "staff", NOW))
    on(id, lambda rma: resolve(rma, None, ACT))
    with inside(shop_id("fern")):
        acts = [e.act for e in session.query(AuditEntry).filter_by(subject=f"return:{id}")]
    assert acts == [
        *("return.approved", "return.arrive", "return.check", "return.received"),
        *("return.settled_by", "return.settle"),
    ]
