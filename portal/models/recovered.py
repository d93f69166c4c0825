"""Money that a carrier or an insurer paid back for what went wrong on the way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import select

from portal.db import session
from portal.keys import digest
from portal.models.audit import record
from portal.models.change import Conflict
from portal.models.claim import Claim
from portal.models.ledger import LedgerEntry, book, sums_of
from portal.sources.sentences import wrong

KIND: Final = "recovered"
SOURCES: Final = ("carrier", "insurer")
LONGEST: Final = 100


def recover(
    claim_id: str, amount_minor: int, source: str, reference: str, by: str, now: datetime
) -> bool:
    """Book money that came in for a claim, once; False where this payment is booked already.

    `amount_minor` is in the claim's currency, `source` one of SOURCES, `reference` the payer's own
    name of the payment: it is what tells one from another. Call it inside `writing()`. Raises
    Invalid for what is no such payment, Conflict where it is booked with another amount.
    """
    claim = _locked(claim_id)
    named = _named(source, reference)
    _is_likely(claim, amount_minor)
    booked = _entries(claim, named)
    standing = sum(entry.amount_minor for entry in booked)
    if standing == amount_minor:
        return False
    if standing:
        raise Conflict(
            f"Payment {reference.strip()} of the {source} is booked already, with another amount. "
            "Nothing was changed. Take it back first if that was wrong."
        )
    _book(claim, named, amount_minor, len(booked), now)
    told = {"amount_minor": amount_minor, "source": source, "reference": reference.strip()}
    record(by, "claim.recovered", f"claim:{claim.id}", after=told)
    return True


def take_back(
    claim_id: str, source: str, reference: str, by: str, now: datetime, why: str = ""
) -> bool:
    """Book a recovered payment back: typed wrongly, or called back. False where none stands.

    Call it inside `writing()`. Raises Invalid for what names no payment.
    """
    claim = _locked(claim_id)
    named = _named(source, reference)
    booked = _entries(claim, named)
    standing = sum(entry.amount_minor for entry in booked)
    if not standing:
        return False
    _book(claim, named, -standing, len(booked), now)
    told = {"amount_minor": standing, "source": source, "reference": reference.strip()}
    record(by, "claim.unrecovered", f"claim:{claim.id}", before=told, why=why)
    return True


def recovered_of(claim_id: str) -> list[LedgerEntry]:
    """What was booked as recovered for a claim, and back, oldest first."""
    wanted = select(LedgerEntry).where(LedgerEntry.subject == claim_id, LedgerEntry.kind == KIND)
    order = select(Claim.order_id).where(Claim.id == claim_id).scalar_subquery()
    return list(
        session.scalars(wanted.where(LedgerEntry.order_id == order).order_by(LedgerEntry.id))
    )


def _locked(claim_id: str) -> Claim:
    claim = Claim.locked(claim_id)
    if claim is None:
        raise wrong("claim", "There is no such claim.")
    return claim


def _named(source: str, reference: str) -> str:
    """A payment as the ledger names it. Raises Invalid."""
    if source not in SOURCES:
        raise wrong("source", f"Say who paid: {' or '.join(SOURCES)}.")
    name = " ".join(reference.split())
    if not name or len(name) > LONGEST:
        raise wrong(
            "reference",
            f"Give the payer's number of this payment, in at most {LONGEST} characters.",
        )
    return f"{source}:{name}"


def _is_likely(claim: Claim, amount_minor: int) -> None:
    """Refuse what can only be mistyped: nobody pays back more than the whole order."""
    most = max(sums_of([claim.order_id])[claim.order_id].captured_minor, claim.paid_minor)
    if not 0 < amount_minor <= most:
        raise wrong("amount_minor", f"Give an amount from 1 to {most}: so much was paid in all.")


def _entries(claim: Claim, named: str) -> Sequence[LedgerEntry]:
    return [entry for entry in recovered_of(claim.id) if _same(entry.reference, named)]


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def _book(claim: Claim, named: str, amount_minor: int, turn: int, now: datetime) -> None:
    """One entry; `turn` counts those of the same payment, so that each has a cause of its own."""
    cause = f"{claim.id}:{KIND}:{digest(named.casefold())[:32]}:{turn}"
    known = {"reference": named, "subject": claim.id}
    book(claim.order_id, KIND, amount_minor, claim.currency, cause, now, **known)
    claim.recovered_minor += amount_minor
    claim.touch(now)
