"""Any order of claiming, deciding, paying and sending back keeps the money's promises."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select

from portal.db import inside, new_id, session, writing
from portal.models import (
    Claim,
    CreditEntry,
    LedgerEntry,
    Message,
    Order,
    Protection,
    Return,
    ReturnUnit,
    Settlement,
    Shipment,
    UnitClaim,
    Variant,
    payout,
)
from portal.models.change import Conflict
from portal.models.claim_acts import (
    answer,
    appeal,
    approve,
    ask,
    call_off,
    decline,
    follow_claims,
    open_claim,
)
from portal.models.claim_news import over
from portal.models.claim_pay import retry
from portal.models.claim_request import AskedClaim, request_claim
from portal.models.ledger import sums_of
from portal.models.rma_acts import cancel
from portal.models.rma_facts import Asked
from portal.models.rma_receipt import Count, receive
from portal.models.rma_request import order_for_return, request_return
from portal.models.rma_rows import Act
from portal.models.rma_settle import resolve
from portal.protection.claim_terms import KINDS, WANTED
from portal.sources.sentences import Invalid
from returns.lifecycle import CLAIM, SETTLEMENT
from tests.conftest import running_app, shop_id
from tests.models.bought import NOW, PAID_MINOR, bought, sold
from tests.models.test_rma_machine import opened
from tests.models.test_rma_races import count, once, together

PAYING = ("approved", "paid")
HOLDING = ("waiting", "open", "needs_info", *PAYING)
KINDS_PAID = {
    "refund": "refunded",
    "store_credit": "credited",
    "exchange": "exchanged",
    "reship": "payout",
}
COVERS = (None, 4_000, 100_000)  # without cover, with less than the goods are worth, with enough
STOCK = 4
picks = st.integers(0, 99)
quantities = st.tuples(st.integers(0, 3), st.integers(0, 1))


class Claiming(RuleBasedStateMachine):
    """One shop, an order with each kind of cover, and everybody acting on it."""

    shops = 0

    def __init__(self) -> None:
        super().__init__()
        self.now: datetime = NOW
        Claiming.shops += 1
        self.slug = f"claims-{Claiming.shops}"
        self.shop = opened(self.slug)
        self.orders = [bought(self.slug, f"{n}") for n in range(len(COVERS))]
        self.covers = dict(zip(self.orders, COVERS, strict=True))
        sold(self.slug, "TEE-M", available=STOCK)
        for order_id, cover in self.covers.items():
            if cover is not None:
                with inside(self.shop), writing():
                    session.add(covered(order_id, cover))

    # --- what people, carriers and providers do -------------------------------------------------

    @rule(
        order=picks,
        kind=st.sampled_from(KINDS),
        taken=quantities,
        wanted=st.sampled_from(WANTED),
        photos=st.integers(0, 1),
    )
    def claim(
        self, order: int, kind: str, taken: tuple[int, int], wanted: str, photos: int
    ) -> None:
        lines = {sku: n for sku, n in zip(("TEE-M", "MUG"), taken, strict=True) if n}
        asked = AskedClaim(kind, lines=lines, wanted=wanted, photos=photos)

        def request() -> None:
            found = order_for_return(self.orders[order % len(COVERS)], lock=True)
            assert found is not None
            request_claim(found, asked, "page", "customer", self.now)

        self._act(request)

    @rule(which=picks, act=st.sampled_from(["decline", "ask", "answer", "appeal", "cancel"]))
    def decide(self, which: int, act: str) -> None:
        acts: dict[str, Callable[[Claim], object]] = {
            "decline": lambda it: decline(it, "staff", self.now, "worn"),
            "ask": lambda it: ask(it, "staff", self.now, "Which side?"),
            "answer": lambda it: answer(it, "customer", self.now, "The handle."),
            "appeal": lambda it: appeal(it, "customer", self.now, "It was new."),
            "cancel": lambda it: call_off(it, "customer", self.now),
        }
        self._on(which, acts[act])

    @rule(which=picks, amount=st.none() | st.integers(1, 9_000), insists=st.booleans())
    def approve(self, which: int, amount: int | None, insists: bool) -> None:
        why = "Goodwill." if insists else ""
        self._on(
            which,
            lambda it: approve(it, "staff", self.now, override_reason=why, amount_minor=amount),
        )

    @rule(which=picks, says=st.sampled_from(["done", "failed", "unknown", "begin", "again"]))
    def provider(self, which: int, says: str) -> None:
        with inside(self.shop):
            wanted = select(Settlement.id).where(Settlement.kind == "refund")
            ids = list(session.scalars(wanted.order_by(Settlement.id)))
        if not ids:
            return
        id = ids[which % len(ids)]
        if says != "again":
            self._act(lambda: payout.begin(id, self.now))
        told: dict[str, Callable[[], object]] = {
            "done": lambda: payout.succeeded(id, f"re_{id}", self.now),
            "again": lambda: payout.succeeded(id, f"re_{id}", self.now),
            "failed": lambda: payout.failed(id, "No.", self.now),
            "unknown": lambda: payout.unknown(id),
        }
        if says in told:
            self._act(told[says])

    @rule(which=picks)
    def try_again(self, which: int) -> None:
        self._on(which, lambda it: retry(it, Act("staff", self.now)))

    @rule(order=picks, taken=quantities, settles=st.booleans())
    def send_back(self, order: int, taken: tuple[int, int], settles: bool) -> None:
        """A return of what may be in a claim, all the way to its money or called off."""
        pieces = {sku: n for sku, n in zip(("TEE-M", "MUG"), taken, strict=True) if n}
        made: list[str] = []

        def request() -> None:
            found = order_for_return(self.orders[order % len(COVERS)], lock=True)
            assert found is not None
            asked = [Asked.of(sku, n, "too_small") for sku, n in pieces.items()]
            made.append(request_return(found, asked, "api", "test", self.now).id)

        def end() -> None:
            rma = Return.locked(made[0])
            assert rma is not None
            if not settles:
                cancel(rma, "customer", self.now)
                return
            counted = [Count(sku, n, "A", "recycle", True) for sku, n in pieces.items()]
            receive(rma, counted, "staff", self.now)
            resolve(rma, None, Act("staff", self.now))

        if pieces:
            self._act(request)
        if made:
            self._act(end)

    @rule(order=picks, arrived=st.booleans(), lost=st.booleans())
    def carrier(self, order: int, arrived: bool, lost: bool) -> None:
        def scanned() -> None:
            wanted = select(Shipment).where(Shipment.order_id == self.orders[order % len(COVERS)])
            parcel = session.scalars(wanted).one()
            parcel.status = "delivered" if arrived else "in_transit"
            parcel.delivered_at = self.now if arrived else None
            parcel.overlays = ["presumed_lost"] if lost and not arrived else []
            parcel.last_scan_at = parcel.status_since = self.now
            follow_claims(parcel, self.now)

        self._act(scanned)

    @rule(days=st.integers(1, 20))
    def time_passes(self, days: int) -> None:
        self.now += timedelta(days=days)
        with inside(self.shop):
            ids = list(session.scalars(select(Claim.id).where(Claim.status == "waiting")))
        for id in ids:
            self._on(id, lambda it: open_claim(it, self.now))

    # --- what always holds ----------------------------------------------------------------------

    @invariant()
    def what_was_paid_is_refunded_pending_or_retained(self) -> None:
        with inside(self.shop):
            for id, sums in sums_of(self.orders).items():
                assert sums.captured_minor == PAID_MINOR
                assert sums.captured_minor == (
                    sums.refunded_minor + sums.pending_minor + sums.retained_minor
                )
                given = sums.credited_minor + sums.exchanged_minor + sums.payout_minor
                assert given <= sums.retained_minor, (id, sums)
                assert min(sums.refunded_minor, sums.pending_minor, sums.refundable_minor) >= 0

    @invariant()
    def a_claim_pays_what_was_paid_for_its_units_at_most_and_once(self) -> None:
        with inside(self.shop):
            for claim in session.scalars(select(Claim)):
                rows = session.scalars(select(Settlement).where(Settlement.subject == claim.id))
                live = [row for row in rows if row.is_live]
                assert sum(row.amount_minor for row in live) <= claim.paid_minor
                if claim.status in PAYING:
                    assert sum(row.amount_minor for row in live) == claim.payout_minor
                else:
                    assert live == []
                if claim.status == "paid":
                    assert {row.status for row in live} == {"done"}

    @invariant()
    def cover_pays_what_it_covers_at_most(self) -> None:
        with inside(self.shop):
            for order_id, cover in self.covers.items():
                mine = select(Claim).where(Claim.order_id == order_id, Claim.status.in_(PAYING))
                paid = sum(claim.payout_minor for claim in session.scalars(mine))
                assert cover is None or paid <= cover

    @invariant()
    def a_unit_is_paid_for_by_a_return_or_a_claim_and_once(self) -> None:
        with inside(self.shop):
            returned = select(ReturnUnit.unit_id).where(ReturnUnit.settlement_id.is_not(None))
            paid = list(session.scalars(returned))
            held = dict(session.execute(select(UnitClaim.unit_id, UnitClaim.holder)).all())
            for claim in session.scalars(select(Claim)):
                ids = [unit.unit_id for unit in claim.units]
                mine = [held.get(id) == claim.id for id in ids]
                assert all(mine) if claim.status in HOLDING else not any(mine)
                paid += ids if claim.status in PAYING else []
            assert len(paid) == len(set(paid))

    @invariant()
    def the_ledger_is_what_was_done(self) -> None:
        done: Counter[tuple[str, str]] = Counter()
        booked: Counter[tuple[str, str]] = Counter()
        with inside(self.shop):
            for row in session.scalars(select(Settlement).where(Settlement.status == "done")):
                done[row.order_id, KINDS_PAID[row.kind]] += row.amount_minor
            for entry in session.scalars(select(LedgerEntry)):
                if entry.kind in KINDS_PAID.values():
                    booked[entry.order_id, entry.kind] += entry.amount_minor
            given = sum(entry.amount_minor for entry in session.scalars(select(CreditEntry)))
        assert +done == +booked
        assert given == sum(n for (_, kind), n in booked.items() if kind == "credited")

    @invariant()
    def what_is_sent_again_comes_from_the_stock(self) -> None:
        with inside(self.shop):
            variant = session.scalars(select(Variant).where(Variant.sku == "TEE-M")).one()
            rows = session.scalars(select(Settlement.subject).where(Settlement.kind == "reship"))
            again = [session.get_one(Claim, subject) for subject in rows]
            sent = sum(unit.sku == "TEE-M" for claim in again for unit in claim.units)
            orders = session.scalar(select(func.count()).select_from(Order))
        assert variant.available == STOCK - sent
        assert orders == len(self.orders) + len(again)

    @invariant()
    def at_most_one_mail_is_true_and_every_state_is_known(self) -> None:
        with inside(self.shop):
            for claim in session.scalars(select(Claim)):
                assert claim.status in CLAIM.states
                told = select(Message).where(Message.cause.startswith(f"{claim.id}:"))
                true = [one for one in session.scalars(told) if not over(one)]
                assert len({one.kind for one in true}) <= 1
            assert set(session.scalars(select(Settlement.status).distinct())) <= SETTLEMENT.states

    # --- how ------------------------------------------------------------------------------------

    def _act(self, act: Callable[[], object]) -> None:
        """One act in a transaction of its own; what is refused changes nothing."""
        with suppress(Conflict, Invalid), inside(self.shop), writing():
            act()

    def _on(self, which: int | str, act: Callable[[Claim], object]) -> None:
        """An act on the nth claim, or on the one with this id."""
        with inside(self.shop):
            ids = list(session.scalars(select(Claim.id).order_by(Claim.id)))
        if not ids:
            return
        chosen = which if isinstance(which, str) else ids[which % len(ids)]
        self._act(lambda: act(locked(chosen)))


def locked(claim_id: str) -> Claim:
    found = Claim.locked(claim_id)
    assert found is not None
    return found


def covered(order_id: str, cover_minor: int) -> Protection:
    """Cover in force for an order, as a quote that was taken leaves it."""
    return Protection(
        id=new_id("prt", NOW),
        order_id=order_id,
        status="active",
        quote_id=new_id("quo", NOW),
        currency="USD",
        premium_minor=98,
        cover_minor=cover_minor,
        parcel_minor=cover_minor,
        started_at=NOW,
    )


def run(url: str, examples: int, steps: int) -> None:
    quiet = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    for _ in running_app(url):
        run_state_machine_as_test(
            Claiming,
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                suppress_health_check=quiet,
            ),
        )


def test_no_order_of_acts_on_claims_breaks_a_promise(database_url: str) -> None:
    run(database_url, 5, 15)


@pytest.mark.long
def test_no_long_order_of_acts_on_claims_breaks_a_promise(database_url: str) -> None:
    run(database_url, 150, 40)


@pytest.mark.parametrize("wanted", WANTED)
def test_of_eight_who_approve_a_claim_at_once_one_pays_it(any_app: Flask, wanted: str) -> None:
    order_id, shop = bought(), shop_id("fern")
    with inside(shop), writing():
        order = order_for_return(order_id, lock=True)
        assert order is not None
        asked = AskedClaim("damaged", lines={"MUG": 1}, wanted=wanted)
        id = request_claim(order, asked, "page", "customer", NOW).id
    acts = [lambda: approve(locked(id), "staff", NOW)] * 8
    assert once(together(any_app, shop, *acts))
    with inside(shop):
        assert count(select(func.sum(Settlement.amount_minor))) == 1_499
        assert count(select(func.count()).select_from(Order)) == 1 + (wanted == "reship")
