"""Claims under cover that are not paid yet, with what they will cost if all are accepted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import contains_eager, joinedload

from portal.db import session
from portal.models.books import PAID
from portal.models.claim import LIVE, Claim
from portal.models.ledger import LedgerEntry
from portal.models.order import Order
from portal.models.protection import Protection, protections_of

ACCEPTED: Final = ("approved", "paid")  # what these pay is taken out of the cover


@dataclass(frozen=True, slots=True)
class OpenClaim:
    """One claim; `expected_minor` is what is still to be paid for it, at most what is covered."""

    id: str
    number: str
    order: str
    kind: str
    status: str
    lane: str
    asked_at: datetime
    expected_minor: int


def open_claims(currency: str, home: str) -> list[OpenClaim]:
    """The claims under cover that are not ended, the oldest first. `home`: the shop's country.

    What is waiting, in review or appealed is expected to cost what was paid for its pieces, within
    what the cover has left; what is approved, what of its payout has not gone out.
    """
    wanted = (
        select(Claim)
        .join(Claim.order)
        .options(contains_eager(Claim.order), joinedload(Claim.units))
        .where(Claim.covered, Claim.status.in_(LIVE), Claim.currency == currency)
        .order_by(Claim.asked_at, Claim.id)
    )
    found = session.scalars(wanted).unique().all()
    covers = protections_of({claim.order_id for claim in found})
    spent = _Spent.on({claim.order_id for claim in found})
    return [
        OpenClaim(
            id=claim.id,
            number=claim.number,
            order=claim.order.number,
            kind=claim.kind,
            status=claim.status,
            lane=lane_of(claim.order, home),
            asked_at=claim.asked_at,
            expected_minor=_expected(claim, covers.get(claim.order_id), spent),
        )
        for claim in found
    ]


def lane_of(order: Order, home: str) -> str:
    """The lane of an order: the shop's country and the one it goes to."""
    return f"{home}>{order.address.get('country') or '?'}"


@dataclass(frozen=True, slots=True)
class _Spent:
    """What accepted claims take out of cover, by order and by parcel; what went out, by claim."""

    orders: Counter[str]
    parcels: Counter[str]
    paid: Counter[str]

    @staticmethod
    def on(order_ids: Iterable[str]) -> _Spent:
        ids = list(order_ids)
        accepted = session.execute(
            select(Claim.order_id, Claim.shipment_id, Claim.payout_minor).where(
                Claim.order_id.in_(ids), Claim.status.in_(ACCEPTED)
            )
        ).all()
        out = session.execute(
            select(LedgerEntry.subject, func.sum(LedgerEntry.amount_minor).label("n"))
            .where(LedgerEntry.order_id.in_(ids), LedgerEntry.kind.in_(PAID))
            .group_by(LedgerEntry.subject)
        ).all()
        return _Spent(
            _added((row.order_id, row.payout_minor) for row in accepted),
            _added((row.shipment_id, row.payout_minor) for row in accepted),
            Counter({row.subject: int(row.n) for row in out}),
        )


def _added(pairs: Iterable[Sequence[str | int]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for name, amount in pairs:
        found[str(name)] += int(amount)
    return found


def _expected(claim: Claim, cover: Protection | None, spent: _Spent) -> int:
    if claim.status == "approved":
        return max(0, claim.payout_minor - spent.paid[claim.id])
    if cover is None:
        return claim.paid_minor
    left = min(
        cover.cover_minor - spent.orders[claim.order_id],
        cover.parcel_minor - spent.parcels[claim.shipment_id],
    )
    return max(0, min(claim.paid_minor, left))
