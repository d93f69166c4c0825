"""Any order of asking, deciding, receiving, settling and failing keeps the money's promises."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from portal.db import inside, session, writing
from portal.models import (
    CreditEntry,
    Exchange,
    LedgerEntry,
    Message,
    Order,
    Return,
    ReturnUnit,
    Settlement,
    Shop,
    UnitClaim,
    Variant,
    payout,
)
from portal.models.change import Conflict
from portal.models.ledger import sums_of
from portal.models.policy import PolicyVersion
from portal.models.rma_acts import approve, arrive, cancel, decline, expire, ship
from portal.models.rma_choice import Choice
from portal.models.rma_facts import Asked
from portal.models.rma_news import STAGES, over, remind
from portal.models.rma_receipt import Count, receive
from portal.models.rma_request import order_for_return, request_return
from portal.models.rma_rows import Act
from portal.models.rma_settle import lapse, resolve
from portal.sources.sentences import Invalid
from returns.lifecycle import ACCEPTANCE, EXCHANGE, RECEPTION, RETURN, SETTLEMENT
from tests.conftest import running_app
from tests.models.bought import MUG, NOW, SHIRT, bought, sold

RULES = [
    {"id": "fee", "kind": "restocking_fee", "amount_minor": 150},
    {"id": "pays", "kind": "label", "paid_by": "customer", "cost_minor": {"label": 499}},
    {"id": "bonus", "kind": "bonus", "share_bps": 1_000, "resolutions": ["store_credit"]},
    {"id": "ways", "kind": "original_shipping", "refund": "always"},
    {
        "id": "keep",
        "kind": "keep_item",
        "when": {"all": [{"fact": "sku", "is": "MUG"}, {"fact": "reason", "is": "faulty"}]},
    },
    {
        "id": "early",
        "kind": "money_moves",
        "at": "first_scan",
        "resolutions": ["store_credit"],
    },
    {"id": "look", "kind": "review", "when": {"fact": "reason", "is": "other"}},
    {"id": "approve", "kind": "approve"},
]
CURRENCIES = {"USD": 1, "JPY": 7, "KWD": 13}
TOLD = ("requested", "approved", "declined", "shipped", "arrived", "expired")
GIVEN = ("refund", "store_credit", "exchange")
picks = st.integers(0, 99)


class Returning(RuleBasedStateMachine):
    """One shop, an order in each kind of currency, and everybody acting on it."""

    def __init__(self) -> None:
        super().__init__()
        self.now: datetime = NOW
        self.n = 0
        Returning.shops += 1
        self.slug = f"shop-{Returning.shops}"
        self.shop = opened(self.slug)
        self.orders = [self._bought(currency, odd) for currency, odd in CURRENCIES.items()]
        self.sold = 3
        sold(self.slug, available=self.sold)
        sold(self.slug, "COAT", product="coat", price_minor=4_999, available=self.sold)

    shops = 0

    def _bought(self, currency: str, odd: int) -> str:
        lines = [
            SHIRT | {"unit_price_minor": 2_000 + odd, "discount_minor": 100 + odd},
            MUG | {"quantity": 2, "tax_included": odd % 2 == 0},
        ]
        added = 0 if odd % 2 == 0 else MUG["tax_minor"]
        paid = 3 * (2_000 + odd) - 100 - odd + 2 * 1_499 + added + 490 - 333
        return bought(
            self.slug,
            currency,
            currency=currency,
            lines=lines,
            discount_minor=333,
            payment={"provider": "stripe", "reference": f"pi_{currency}", "captured_minor": paid},
        )

    # --- what people and providers do -----------------------------------------------------------

    @rule(
        order=picks,
        quantities=st.tuples(st.integers(0, 3), st.integers(0, 2)),
        reason=st.sampled_from(["too_small", "faulty", "other"]),
        resolution=st.sampled_from(["refund", "store_credit", "exchange"]),
        sku=st.sampled_from(["TEE-L", "COAT"]),
        fallback=st.sampled_from(["", "wait", "store_credit"]),
    )
    def ask(
        self,
        order: int,
        quantities: tuple[int, int],
        reason: str,
        resolution: str,
        sku: str,
        fallback: str,
    ) -> None:
        more: dict[str, Any] = {"resolution": resolution}
        if resolution == "exchange":
            more |= {"exchange_sku": sku, "fallback": fallback}
        asked = [
            Asked.of(each, quantity, reason, **more)
            for each, quantity in zip(("TEE-M", "MUG"), quantities, strict=True)
            if quantity
        ]
        if asked:
            self._act(lambda: self._request(order, asked))

    @rule(which=picks, act=st.sampled_from(["approve", "decline", "cancel", "ship", "arrive"]))
    def decide(self, which: int, act: str) -> None:
        acts: dict[str, Callable[[Return], object]] = {
            "approve": lambda rma: approve(
                rma, "staff", self.now, override_reason="Yes." if which % 2 else ""
            ),
            "decline": lambda rma: decline(rma, "staff", self.now, "no"),
            "cancel": lambda rma: cancel(rma, "customer", self.now),
            "ship": lambda rma: ship(rma, "carrier", self.now),
            "arrive": lambda rma: arrive(rma, "carrier", self.now),
        }
        self._on(which, acts[act])

    @rule(
        which=picks,
        quantity=st.integers(0, 3),
        sku=st.sampled_from(["TEE-M", "MUG"]),
        accept=st.sampled_from([True, False, None]),
    )
    def count(self, which: int, quantity: int, sku: str, accept: bool | None) -> None:
        found = [Count(sku, quantity, "A", "restock", accept)]
        self._on(which, lambda rma: receive(rma, found, "staff", self.now))

    @rule(
        which=picks,
        sku=st.sampled_from([None, "TEE-M", "MUG"]),
        resolution=st.sampled_from([None, "refund", "store_credit", "exchange", "keep"]),
        amount=st.none() | st.integers(0, 3_000),
    )
    def settle(
        self, which: int, sku: str | None, resolution: str | None, amount: int | None
    ) -> None:
        choices = None if sku is None else [Choice(sku, None, resolution, "COAT", amount)]
        self._on(which, lambda rma: resolve(rma, choices, Act("staff", self.now)))

    @rule(which=picks, says=st.sampled_from(["done", "failed", "unknown", "begin", "again"]))
    def provider(self, which: int, says: str) -> None:
        ids = self._ids("refund")
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
    def pay_the_difference(self, which: int) -> None:
        ids = self._ids("top_up")
        if ids:
            self._act(lambda: payout.top_up_paid(ids[which % len(ids)], "pi_more", self.now))

    @rule(days=st.integers(1, 40))
    def time_passes(self, days: int) -> None:
        self.now += timedelta(days=days)
        with inside(self.shop):
            returns = list(session.scalars(select(Return.id)))
            kept = session.execute(select(Exchange.id, Exchange.rma_id)).all()
        for id in returns:
            self._on(id, lambda rma: expire(rma, self.now))
            self._on(id, lambda rma: remind(rma, self.now))
        for id, rma_id in kept:
            self._on(rma_id, lambda rma, id=id: lapse(rma, id, Act("job", self.now)))

    @rule(order=picks)
    def crash(self, order: int) -> None:
        """Everything of a transaction that dies at its end is gone."""

        def dies() -> None:
            self._request(order, [Asked.of("MUG", 1, "faulty")])
            session.flush()
            raise ZeroDivisionError

        with suppress(ZeroDivisionError):
            self._act(dies)

    def _request(self, order: int, asked: list[Asked]) -> None:
        found = order_for_return(self.orders[order % 3], lock=True)
        assert found is not None
        request_return(found, asked, "api", "test", self.now)

    # --- what always holds ----------------------------------------------------------------------

    @invariant()
    def every_amount_leaves_once(self) -> None:
        with inside(self.shop):
            ids = list(session.scalars(select(Order.id)))
            for id, sums in sums_of(ids).items():
                assert sums.retained_minor >= 0, (id, sums)
                given = sums.credited_minor + sums.exchanged_minor
                assert sums.refunded_minor + sums.pending_minor + given <= sums.captured_minor
                assert sums.refunded_minor >= 0
                order = session.get_one(Order, id)
                assert sums.captured_minor == order.captured_minor

    @invariant()
    def the_ledger_is_what_was_done(self) -> None:
        kinds = {"refund": "refunded", "store_credit": "credited", "exchange": "exchanged"}
        done: Counter[tuple[str, str]] = Counter()
        with inside(self.shop):
            for row in session.scalars(select(Settlement).where(Settlement.status == "done")):
                if row.kind in kinds:
                    done[row.order_id, kinds[row.kind]] += row.amount_minor
            booked: Counter[tuple[str, str]] = Counter()
            for entry in session.scalars(select(LedgerEntry)):
                if entry.kind in kinds.values():
                    booked[entry.order_id, entry.kind] += entry.amount_minor
            given = sum(entry.amount_minor for entry in session.scalars(select(CreditEntry)))
            promised = sum(
                row.amounts["total_minor"]
                for row in session.scalars(
                    select(Settlement).where(
                        Settlement.kind == "store_credit", Settlement.status == "done"
                    )
                )
            )
        assert +done == +booked
        assert all(amount >= 0 for amount in (*done.values(), *booked.values()))
        assert given == promised

    @invariant()
    def a_unit_is_held_and_paid_for_once(self) -> None:
        with inside(self.shop):
            paid = list(
                session.scalars(
                    select(ReturnUnit.unit_id).where(ReturnUnit.settlement_id.is_not(None))
                )
            )
            assert len(paid) == len(set(paid))
            held = dict(session.execute(select(UnitClaim.unit_id, UnitClaim.holder)).all())
            for rma in session.scalars(select(Return)):
                if rma.status in ("requested", "approved", "shipped", "arrived", "checked"):
                    for unit in rma.units:
                        # What never came is free once the return ended, and stays free when a
                        # refund that falls through opens it again.
                        ours = held.get(unit.unit_id) == rma.id
                        assert ours or unit.reception == "not_in_parcel", (rma.status, rma.id)
                        assert ours or unit.settlement_id is None
            assert set(paid) <= set(held)

    @invariant()
    def shipping_and_label_are_counted_once(self) -> None:
        ways: Counter[str] = Counter()
        with inside(self.shop):
            for row in session.scalars(select(Settlement).where(Settlement.replaced.is_(False))):
                ways[row.order_id] += row.amounts.get("shipping_minor", 0)
            for order_id in self.orders:
                assert ways[order_id] <= 490
            for rma in session.scalars(select(Return)):
                taken = sum(
                    row.amounts.get("label_minor", 0)
                    for row in session.scalars(
                        select(Settlement).where(
                            Settlement.subject == rma.id, Settlement.replaced.is_(False)
                        )
                    )
                )
                assert taken <= rma.label_minor

    @invariant()
    def nothing_is_sold_twice(self) -> None:
        with inside(self.shop):
            for sku in ("TEE-L", "COAT"):
                here = session.scalars(select(Variant).where(Variant.sku == sku)).one()
                mine = session.scalars(select(Exchange).where(Exchange.sku == sku)).all()
                kept = sum(each.counted for each in mine if each.status == "reserved")
                ordered = sum(each.quantity for each in mine if each.status == "ordered")
                assert here.available is not None
                assert here.available >= 0
                assert here.available + kept + ordered == self.sold
                assert all(not e.counted for e in mine if e.status != "reserved")

    @invariant()
    def every_step_is_told_once_and_only_while_it_is_true(self) -> None:
        with inside(self.shop):
            told: dict[str, list[Message]] = {}
            for message in session.scalars(select(Message)):
                told.setdefault(message.facts["rma"], []).append(message)
            for rma in session.scalars(select(Return)):
                mine = told.get(rma.id, [])
                steps = Counter(one.kind for one in mine if one.kind in STAGES)
                del steps["return_reminder"]  # once for each day that it ends on
                assert set(steps.values()) <= {1}, steps
                if rma.status in TOLD:
                    assert steps[f"return_{rma.status}"] == 1, (rma.status, steps)
                true = [one for one in mine if one.kind in steps and not over(one, rma)]
                assert len(true) <= 1, [one.kind for one in true]
                money = [one.facts["settlement"] for one in mine if one.kind == "return_due"]
                assert len(money) == len(set(money))
            done = select(Settlement).where(Settlement.status == "done", Settlement.kind.in_(GIVEN))
            for row in session.scalars(done.where(Settlement.amount_minor > 0)):
                group = [one.facts.get("settlement") for one in told.get(row.subject, [])]
                mates = session.scalars(
                    select(Settlement).where(Settlement.group_id == row.group_id)
                ).all()
                if all(each.status == "done" or not each.is_live for each in mates):
                    assert {each.id for each in mates} & set(group), (row.kind, row.id)

    @invariant()
    def every_state_is_in_its_table(self) -> None:
        with inside(self.shop):
            for column, life in (
                (Return.status, RETURN),
                (ReturnUnit.reception, RECEPTION),
                (ReturnUnit.acceptance, ACCEPTANCE),
                (Exchange.status, EXCHANGE),
                (Settlement.status, SETTLEMENT),
            ):
                assert set(session.scalars(select(column).distinct())) <= life.states

    # --- how ------------------------------------------------------------------------------------

    def _act(self, act: Callable[[], object]) -> None:
        """One act in a transaction of its own; what is refused changes nothing."""
        self.n += 1
        with suppress(Conflict, Invalid), inside(self.shop), writing():
            act()

    def _on(self, which: int | str, act: Callable[[Return], object]) -> None:
        """An act on the nth return, or on the one with this id."""
        with inside(self.shop):
            ids = list(session.scalars(select(Return.id).order_by(Return.id)))
        if not ids:
            return
        chosen = which if isinstance(which, str) else ids[which % len(ids)]

        def on_it() -> None:
            rma = Return.locked(chosen)
            assert rma is not None
            act(rma)

        self._act(on_it)

    def _ids(self, kind: str) -> list[str]:
        wanted = select(Settlement.id).where(Settlement.kind == kind).order_by(Settlement.id)
        with inside(self.shop):
            return list(session.scalars(wanted))


def opened(slug: str) -> int:
    """A shop of an example's own, with a policy that has every kind of effect; its id."""
    with writing():
        shop = Shop(slug=slug, name=slug)
        shop.moves_to(f"http://{slug}.localhost:8000")
        session.add(shop)
        session.flush()
        made = shop.id
    with inside(made), writing():
        document = {"version": 1, "rules": RULES}
        PolicyVersion.draft(document, "staff", NOW).publish("staff", NOW)
    return made


def run(url: str, examples: int, steps: int) -> None:
    quiet = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    for _ in running_app(url):
        run_state_machine_as_test(
            Returning,
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                suppress_health_check=quiet,
            ),
        )


def test_no_order_of_acts_breaks_a_promise(database_url: str) -> None:
    run(database_url, 6, 15)


@pytest.mark.long
def test_no_long_order_of_acts_breaks_a_promise(database_url: str) -> None:
    run(database_url, 150, 40)
