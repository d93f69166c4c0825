"""Forgetting what a customer wrote and showed after the sale: returns, claims, withdrawals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import delete, func, or_, select, update

from portal.db import session
from portal.models.carrier_claim import CarrierClaim
from portal.models.checkout import Checkout
from portal.models.claim import Claim
from portal.models.dispute import Dispute
from portal.models.label import Label
from portal.models.photo import Photo
from portal.models.rma import Return
from portal.models.rma_line import ReturnLine, ReturnUnit
from portal.models.withdrawal import Withdrawal

TYPED = ("statement", "police_report", "appeal", "note", "override_reason", "cancel_reason")


@dataclass(frozen=True, slots=True)
class Files:
    """Files that name or show the customer: to be thrown away once the rows are gone."""

    photo_ids: Sequence[str] = field(default_factory=list)
    label_ids: Sequence[str] = field(default_factory=list)


def erase_after_sale(order_ids: Sequence[str], email_key: str) -> Files:
    """Empty every text, take photos and labels away; states, sums and decisions stay.

    Call it inside `writing()`, and throw the files away after its commit.
    """
    rma_ids = session.scalars(select(Return.id).where(Return.order_id.in_(order_ids))).all()
    line_ids = session.scalars(select(ReturnLine.id).where(ReturnLine.rma_id.in_(rma_ids))).all()
    session.execute(update(ReturnUnit).where(ReturnUnit.rma_line_id.in_(line_ids)).values(note=""))
    session.execute(update(ReturnLine).where(ReturnLine.id.in_(line_ids)).values(statement=""))
    session.execute(
        update(Return)
        .where(Return.id.in_(rma_ids))
        .values(note="", override_reason="", cancel_reason="", token_sealed="")
    )
    blank = dict.fromkeys((*TYPED, "token_sealed"), "")
    session.execute(update(Claim).where(Claim.order_id.in_(order_ids)).values(blank))
    claims = select(Claim.id).where(Claim.order_id.in_(order_ids))
    session.execute(
        update(CarrierClaim)
        .where(CarrierClaim.claim_id.in_(claims))
        .values(said="", asked="", problem="")
    )
    session.execute(update(Dispute).where(Dispute.order_id.in_(order_ids)).values(words=""))
    _erase_declared(order_ids, email_key)
    session.execute(
        update(Checkout)
        .where(or_(Checkout.order_id.in_(order_ids), func.lower(Checkout.email) == email_key))
        .values(email="")
    )
    return Files(_photos(order_ids), _labels(rma_ids))


def _erase_declared(order_ids: Sequence[str], email_key: str) -> None:
    """A withdrawal keeps its dates and what came of it."""
    theirs = or_(Withdrawal.order_id.in_(order_ids), func.lower(Withdrawal.email) == email_key)
    blank = dict.fromkeys(("name", "number", "email", "articles", "problem", "token_sealed"), "")
    session.execute(update(Withdrawal).where(theirs).values(blank))


def _photos(order_ids: Sequence[str]) -> list[str]:
    theirs = Photo.order_id.in_(order_ids)
    ids = list(session.scalars(select(Photo.id).where(theirs)))
    session.execute(delete(Photo).where(theirs))
    return ids


def _labels(rma_ids: Sequence[str]) -> list[str]:
    theirs = Label.rma_id.in_(rma_ids)
    ids = list(session.scalars(select(Label.id).where(theirs)))
    blank = dict.fromkeys(("tracking_number", "pdf_url", "png_url", "qr_url", "problem"), "")
    session.execute(update(Label).where(theirs).values(blank))
    return ids
