"""The premium goes back at most once, and never beside a claim that the cover is asked to pay."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from portal.db import inside, session, writing
from portal.models import Claim, LedgerEntry, Order, Protection, Settlement, payout
from portal.models.change import Conflict
from portal.models.claim_acts import appeal, approve, call_off, decline
from portal.models.claim_pay import retry
from portal.models.ledger import book, sums_of
from portal.models.line import split_units
from portal.models.premium import cancel_cover
from portal.models.rma_facts import Asked
from portal.models.rma_request import order_for_return
from portal.models.rma_rows import Act
from portal.sources.sentences import Invalid
from tests.conftest import shop_id
from tests.models.bought import NOW, PAID_MINOR, ask, bought
from tests.models.test_claim import claimed, on

PREMIUM = 145
ACT = Act("staff", NOW)
ACTS = ("claim", "return", "approve", "decline", "appeal", "call_off", "again", "paid", "refused")


def covered(number: str, now: datetime = NOW, currency: str = "USD", **more: Any) -> str:
    """An order whose cover was paid for with it, an hour ago."""
    paid = {"provider": "stripe", "reference": f"pi_{number}"}
    paid |= {"captured_minor": PAID_MINOR + PREMIUM}
    order_id = bought(number=number, now=now, payment=paid, currency=currency, **more)
    with inside(shop_id("fern")), writing():
        order = session.get_one(Order, order_id)
        cover = Protection(
            shop_id=order.shop_id,
            order_id=order_id,
            status="active",
            currency=currency,
            premium_minor=PREMIUM,
            cover_minor=PAID_MINOR,
            parcel_minor=PAID_MINOR,
            started_at=now - timedelta(hours=1),
        )
        session.add(cover)
        order.cover_minor = PREMIUM
        session.flush()
        split_units(order)
        known = {"reference": f"pi_{number}", "subject": cover.id}
        book(order_id, "premium", PREMIUM, currency, f"{cover.id}:start", now, **known)
    return order_id


class Covered:
    """One order under cover, and everybody acting on it."""

    def __init__(self, number: str) -> None:
        self.order_id = covered(number)
        self.claims: list[str] = []
        self.kept = False  # something was owed or paid under the cover

    def act(self, name: str, which: int) -> None:
        with suppress(Conflict, Invalid):
            if name == "claim":
                self.claims.append(claimed(self.order_id, lines={"MUG": 1}))
            elif name == "return":
                ask(self.order_id, Asked.of("MUG", 1, "too_small"))
            elif name == "cancel":
                self.cancel()
            elif name in ("paid", "refused"):
                self.told(name)
            elif self.claims:
                on(self.claims[which % len(self.claims)], self._decide(name))

    def _decide(self, name: str) -> Callable[[Claim], object]:
        return {
            "approve": lambda claim: approve(claim, "staff", NOW, override_reason="Yes."),
            "decline": lambda claim: decline(claim, "staff", NOW, "no"),
            "appeal": lambda claim: appeal(claim, "customer", NOW, "Look again."),
            "call_off": lambda claim: call_off(claim, "customer", NOW),
            "again": lambda claim: retry(claim, ACT),
        }[name]

    def told(self, name: str) -> None:
        """The provider says what became of every refund of a claim."""
        with inside(shop_id("fern")), writing():
            for row in session.query(Settlement).filter(Settlement.subject.in_(self.claims)):
                if name == "paid":
                    payout.succeeded(row.id, f"re_{row.id}", NOW)
                else:
                    payout.failed(row.id, "The card is closed.", NOW)

    def cancel(self) -> None:
        with inside(shop_id("fern")), writing():
            order = order_for_return(self.order_id, lock=True)
            assert order is not None
            alive = {"waiting", "open", "needs_info", "approved", "paid"}
            claims = session.query(Claim).filter_by(order_id=self.order_id)
            self.kept = any(claim.status in alive for claim in claims)
            cancel_cover(order, ACT)
            assert not self.kept, "the premium stays where something is claimed"

    def check(self) -> None:
        with inside(shop_id("fern")):
            cover = session.query(Protection).filter_by(order_id=self.order_id).one()
            back = session.query(Settlement).filter_by(subject=cover.id).all()
            assert len(back) == (cover.status == "cancelled")
            assert sum(row.amount_minor for row in back) in (0, PREMIUM)
            moved = session.query(LedgerEntry).filter_by(order_id=self.order_id, kind="premium")
            assert sum(entry.amount_minor for entry in moved) in (0, PREMIUM)
            sums = sums_of([self.order_id])[self.order_id]
            assert sums.retained_minor >= 0
            for claim in session.query(Claim).filter_by(order_id=self.order_id):
                rows = session.query(Settlement).filter_by(subject=claim.id).all()
                live = [row for row in rows if row.is_live]
                assert sum(row.amount_minor for row in live) <= 1_499
                assert (claim.status == "paid") == (
                    bool(live) and all(row.status == "done" for row in live)
                )


steps = st.lists(
    st.tuples(st.sampled_from([*ACTS, "cancel", "cancel", "claim"]), st.integers(0, 3)), max_size=9
)


def every_step_holds(steps: list[tuple[str, int]]) -> None:
    with inside(shop_id("fern")):
        number = f"P{session.query(Order).count()}"
    acting = Covered(number)
    for name, which in steps:
        acting.act(name, which)
        acting.check()


@settings(max_examples=10, suppress_health_check=list(HealthCheck), deadline=None)
@example(steps=[("claim", 0), ("cancel", 0)])
@example(steps=[("claim", 0), ("approve", 0), ("paid", 0), ("cancel", 0), ("refused", 0)])
@example(steps=[("cancel", 0), ("cancel", 0), ("claim", 0), ("approve", 0), ("paid", 0)])
@given(steps=steps)
def test_whatever_happens_the_premium_goes_back_once_or_pays_a_claim(
    app: Flask, steps: list[tuple[str, int]]
) -> None:
    every_step_holds(steps)


@pytest.mark.long
@settings(max_examples=300, suppress_health_check=list(HealthCheck), deadline=None)
@given(steps=steps)
def test_whatever_happens_and_often_the_premium_goes_back_once_or_pays_a_claim(
    any_app: Flask, steps: list[tuple[str, int]]
) -> None:
    every_step_holds(steps)
