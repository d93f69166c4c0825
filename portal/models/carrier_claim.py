"""What the shop claims back from who insured a parcel: wanted here, filed by a job, once.

A row stands for one claim of a customer's. What is paid back is booked as recovered money.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from sqlalchemy import (
    BigInteger,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column

from carriers.easypost_claims import CURRENCY, TYPES, window
from portal import clock
from portal.db import Base, new_id, session
from portal.models.audit import record
from portal.models.change import Conflict
from portal.models.claim import Claim
from portal.models.claim_facts import Day
from portal.models.due import plan
from portal.models.recovered import recover, take_back
from portal.sources.sentences import wrong
from portal.tenancy import OfShop

ASKING: Final = ("wanted", "performing", "unknown")  # it may have been filed, or is to be
ENDED: Final = ("approved", "rejected", "cancelled")
TROUBLED: Final = ("failed", "unknown")
CLAIMABLE: Final = ("open", "needs_info", "approved", "paid")
SOURCE: Final = "insurer"
JOB: Final = "job"
# EasyPost's words for how a claim stands; any other, also a new one, means that it is under way.
SAID: Final = {
    "approved": "approved",
    "approved_partial": "approved",
    "rejected": "rejected",
    "cancelled": "cancelled",
}


ACTS: Final = {  # as the audit and the claim's page name them
    "performing": "being_filed_with_insurer",
    "unknown": "perhaps_filed_with_insurer",
    "failed": "not_filed_with_insurer",
    "filed": "filed_with_insurer",
    "approved": "approved_by_insurer",
    "rejected": "rejected_by_insurer",
    "cancelled": "called_off_with_insurer",
}


class CarrierClaim(OfShop, Base):
    """One claim with the insurer of a parcel.

    `status` is wanted, performing, unknown (nobody knows whether it was filed), failed (refused
    before it was filed), filed, approved, rejected or cancelled.
    """

    __tablename__ = "carrier_claim"
    __table_args__ = (
        UniqueConstraint("shop_id", "id"),
        UniqueConstraint("shop_id", "claim_id"),
        Index(None, "provider_id"),
        Index(None, "shop_id", "status"),
        ForeignKeyConstraint(["shop_id", "claim_id"], ["claim.shop_id", "claim.id"]),
    )

    id: Mapped[str] = mapped_column(
        String(40), primary_key=True, default=lambda: new_id("ccl", clock.now())
    )
    claim_id: Mapped[str] = mapped_column(String(40))
    type: Mapped[str] = mapped_column(String(12))  # loss, theft, damage
    status: Mapped[str] = mapped_column(String(12), default="wanted")
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    provider_id: Mapped[str | None] = mapped_column(String(60))  # clm_… of EasyPost's
    said: Mapped[str] = mapped_column(Text, default="")  # the insurer's sentence
    asked: Mapped[str] = mapped_column(Text, default="")  # what the insurer wants to know
    problem: Mapped[str] = mapped_column(Text, default="")
    approved_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    by: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    performing_at: Mapped[datetime | None]
    filed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    @staticmethod
    def of_claim(claim_id: str) -> CarrierClaim | None:
        """The claim with the insurer that belongs to a customer's claim, if any."""
        return session.scalar(select(CarrierClaim).where(CarrierClaim.claim_id == claim_id))

    @staticmethod
    def locked(id: str) -> CarrierClaim | None:
        """The row for this transaction alone, its order locked first, as everybody does."""
        claim_id = session.scalar(select(CarrierClaim.claim_id).where(CarrierClaim.id == id))
        if claim_id is None or Claim.locked(claim_id) is None:
            return None
        wanted = select(CarrierClaim).where(CarrierClaim.id == id)
        return session.scalar(wanted.execution_options(populate_existing=True))

    @property
    def claim(self) -> Claim:
        """The customer's claim."""
        return session.get_one(Claim, self.claim_id)

    def ends(self, status: str, now: datetime, problem: str = "") -> None:
        """It stands so from now on; staff see it, and the audit tells it."""
        before, self.status, self.problem = self.status, status, problem
        if before != status:
            told = {"amount_minor": self.amount_minor, "provider_id": self.provider_id}
            subject = f"claim:{self.claim_id}"
            was = {"status": before}
            record(JOB, f"claim.{ACTS[status]}", subject, was, told, why=problem)
        self.claim.touch(now)


def days_of(claim: Claim) -> tuple[date, date] | None:
    """First and last day to claim it with the insurer; None where it is nothing to claim there."""
    parcel = claim.shipment
    if claim.kind not in TYPES or parcel is None or not parcel.tracking_number:
        return None
    since = parcel.shipped_at or parcel.created_at
    return window(TYPES[claim.kind], Day.of(claim.order).local(since))


def want(claim: Claim, amount_minor: int | None, by: str, now: datetime) -> CarrierClaim:
    """Have it filed, on its first day if that is still to come. Lock the claim before.

    What was refused may be tried again. Raises Conflict where there is nothing to file or it was
    filed, Invalid for an amount above what was paid.
    """
    first, _last = _fileable(claim)
    amount_minor = claim.paid_minor if amount_minor is None else amount_minor
    if not 0 < amount_minor <= claim.paid_minor:
        raise wrong(
            "amount_minor", f"Give an amount from 1 to {claim.paid_minor}: so much was paid."
        )
    row = CarrierClaim.of_claim(claim.id)
    if row is not None and row.status != "failed":
        raise Conflict("This is claimed with the insurer already. Nothing was changed.")
    if row is None:
        row = CarrierClaim(
            claim_id=claim.id, type=TYPES[claim.kind], currency=claim.currency, created_at=now
        )
        session.add(row)
    row.status, row.problem, row.amount_minor, row.by = "wanted", "", amount_minor, by
    session.flush()
    record(
        by,
        "claim.claimed_with_insurer",
        f"claim:{claim.id}",
        after={"amount_minor": amount_minor, "type": row.type, "from": first.isoformat()},
    )
    claim.touch(now)
    plan("carrier", row.id, claim.shop_id, max(now, Day.of(claim.order).start(first)))
    return row


def _fileable(claim: Claim) -> tuple[date, date]:
    days = days_of(claim)
    if claim.kind not in TYPES:
        raise Conflict("A wrong article is not the journey's fault, so no insurer pays for it.")
    if days is None:
        raise Conflict("The parcel has no tracking number, so nothing can be claimed for it.")
    if claim.status not in CLAIMABLE:
        raise Conflict(f"The claim is {claim.status}, so nothing is claimed with the insurer.")
    if claim.currency != CURRENCY:
        raise Conflict(
            f"EasyPost insures in {CURRENCY}, and this was paid in {claim.currency}. Claim it with "
            "the carrier, and send the evidence pack along."
        )
    return days


def begin(row: CarrierClaim, now: datetime) -> bool:
    """It is about to be filed; False where the customer's claim came to nothing meanwhile."""
    if row.claim.status not in CLAIMABLE:
        row.ends("failed", now, f"The customer's claim is {row.claim.status} now.")
        return False
    row.status = "performing" if row.status == "wanted" else row.status
    return True


def heard(
    row: CarrierClaim, id: str, status: str, detail: str, approved_minor: int, now: datetime
) -> None:
    """What the insurer has, as it stands now: however often it is told, it is booked once.

    What was approved is booked as recovered; another amount than before replaces that one.
    """
    row.provider_id, row.said = id, detail
    row.filed_at = row.filed_at or now
    stands = SAID.get(status, "filed")
    approved_minor = approved_minor if stands == "approved" else 0
    if row.approved_minor != approved_minor:
        _book(row, approved_minor, now)
    if stands in ENDED:
        row.ended_at, row.asked = row.ended_at or now, ""
    row.ends(stands, now)


def _book(row: CarrierClaim, approved_minor: int, now: datetime) -> None:
    reference = row.provider_id or ""
    take_back(row.claim_id, SOURCE, reference, JOB, now, "The insurer says another amount now.")
    session.flush()
    row.approved_minor = approved_minor
    if approved_minor:
        recover(row.claim_id, approved_minor, SOURCE, reference, JOB, now)
