"""What is done with a claim: opened, decided, asked about, answered, appealed, called off."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from portal.db import session
from portal.models.audit import record
from portal.models.change import Conflict
from portal.models.claim import Claim
from portal.models.claim_facts import Day, facts_of
from portal.models.claim_news import tell
from portal.models.claim_pay import pay
from portal.models.dispute import refuse_blocked
from portal.models.due import plan
from portal.models.rma_facts import Situation
from portal.models.rma_request import order_for_return
from portal.models.rma_rows import Act
from portal.models.shipment import Shipment
from portal.models.unit_claim import claim_units, release_units
from portal.protection.claim_rules import (
    REVIEW,
    ClaimDecision,
    ClaimFacts,
    NotClaimable,
    decide_claim,
    last_day,
    opens_on,
)
from portal.protection.claim_terms import ClaimTerms
from portal.sources.sentences import read_as, wrong

LONGEST = 4_000
OPEN = ("waiting", "open", "needs_info")
RULES = "rules"


def decide(claim: Claim, facts: ClaimFacts, now: datetime) -> None:
    """Decide an open claim by the terms it was made under; what is accepted is paid at once."""
    decision = decide_claim(_terms(claim), facts)
    claim.decision, claim.decided_at = decision.receipt(), now
    if decision.outcome == "approve":
        claim.move("approve", RULES, now)
        pay(claim, facts.payable_minor, Act(RULES, now))
    elif decision.outcome == REVIEW and _waits_for_customer(decision):
        claim.move("ask", RULES, now)
        tell(claim, now)
    elif decision.outcome != REVIEW:
        claim.rejection_code = decision.deciding.because
        _decline(claim, RULES, now)


def decide_at_first(claim: Claim, facts: ClaimFacts, now: datetime) -> None:
    """Decide a claim that was opened a moment ago; what is left to a person is told too."""
    decide(claim, facts, now)
    if claim.status == "open":
        tell(claim, now)


def open_claim(claim: Claim, now: datetime) -> datetime | None:
    """Its first day has come: decide it. Gives when to look again where it has moved on.

    A parcel that arrived meanwhile ends a claim for loss; one that was scanned again is waited
    for anew.
    """
    if claim.status != "waiting":
        return None
    facts = now_facts(claim, now)
    terms = _terms(claim)
    try:
        claim.opens_on, claim.last_day = opens_on(terms, facts), last_day(terms, facts)
    except NotClaimable:
        call_off(claim, "carrier", now, "The carrier has delivered it.")
        return None
    day = Day.of(claim.order)
    if claim.opens_on > day.local(now):
        return day.start(claim.opens_on)
    claim.move("open", RULES, now)
    decide_at_first(claim, facts, now)
    return None


def approve(
    claim: Claim,
    by: str,
    now: datetime,
    note: str = "",
    override_reason: str = "",
    amount_minor: int | None = None,
) -> None:
    """Accept it: pay what was paid for the units, at most what they are covered for.

    Declined before: a reason is needed. Raises Conflict where it was decided already, Invalid for
    an amount above what may be paid.
    """
    refuse_blocked(claim.order_id)
    if claim.status == "declined":
        if not override_reason:
            raise Conflict(
                "This was declined. To approve it all the same, give override_reason. Nothing was "
                "changed."
            )
        claim.move("reopen", by, now, why=override_reason)
        claim_units([unit.unit_id for unit in claim.units], claim.id, now)
    most = now_facts(claim, now).payable_minor
    if amount_minor is not None and not 0 < amount_minor <= most:
        raise wrong("amount_minor", f"Give an amount from 1 to {most}: so much may be paid.")
    claim.move("approve", by, now, why=override_reason or note)
    claim.decided_by, claim.decided_at = by, now
    claim.note, claim.override_reason = note or claim.note, override_reason
    pay(claim, most if amount_minor is None else amount_minor, Act(by, now, note))


def decline(claim: Claim, by: str, now: datetime, code: str, note: str = "") -> None:
    """Say no; its units are free again, and the customer may appeal."""
    claim.rejection_code, claim.note = code, note
    claim.decided_by, claim.decided_at = by, now
    _decline(claim, by, now, note)


def ask(claim: Claim, by: str, now: datetime, text: str) -> None:
    """Ask the customer for something more. Raises Invalid for no question."""
    if not text.strip() or len(text) > LONGEST:
        raise wrong("text", f"Write what is needed, in at most {LONGEST} characters.")
    claim.note = text.strip()
    claim.move("ask", by, now, why=claim.note)
    tell(claim, now)


def answer(claim: Claim, by: str, now: datetime, statement: str = "", police: str = "") -> None:
    """The customer adds something. What the rules left open they decide again; else staff do.

    Raises Conflict for a claim that is decided.
    """
    if claim.status not in OPEN:
        raise Conflict("This is decided already. Nothing was changed.")
    if len(statement) > LONGEST:
        raise wrong("statement", f"Write at most {LONGEST} characters.")
    claim.statement = "\n\n".join(part for part in (claim.statement, statement.strip()) if part)
    claim.police_report = police.strip()[:120] or claim.police_report
    if claim.status == "needs_info":
        claim.move("answer", by, now)
    else:
        record(by, "claim.added", f"claim:{claim.id}")
        claim.touch(now)
    if claim.status == "open" and not claim.note and not claim.appeal:
        decide(claim, now_facts(claim, now), now)


def appeal(claim: Claim, by: str, now: datetime, why: str) -> None:
    """Have a person look again at what was declined. Raises Conflict after the last day for it."""
    if not why.strip() or len(why) > LONGEST:
        raise wrong("appeal", f"Say why we should look again, in at most {LONGEST} characters.")
    ends = appeal_ends(claim)
    if ends is None or now > ends:
        raise Conflict("The days for an appeal are over. Write to us all the same.")
    claim.move("reopen", by, now, why=why.strip())
    claim.appeal, claim.appealed_at = why.strip(), now
    claim_units([unit.unit_id for unit in claim.units], claim.id, now)
    tell(claim, now)


def appeal_ends(claim: Claim) -> datetime | None:
    """Until when a declined claim may be appealed; None for any other."""
    if claim.status != "declined" or claim.decided_at is None:
        return None
    days: int = claim.terms["appeal_days"]
    return claim.decided_at + timedelta(days=days)


def call_off(claim: Claim, by: str, now: datetime, reason: str = "") -> None:
    """End it before it is decided: it turned up, or the customer changed their mind."""
    claim.move("cancel", by, now, why=reason)
    claim.cancel_reason = reason
    release_units([unit.unit_id for unit in claim.units], claim.id)
    if by != "customer":
        tell(claim, now)


def follow_claims(shipment: Shipment, now: datetime) -> None:
    """A parcel has news: claims that wait for its silence are looked at again at once."""
    waiting = select(Claim).where(
        Claim.shipment_id == shipment.id, Claim.status == "waiting", Claim.kind == "lost"
    )
    for claim in session.scalars(waiting):
        plan("claim", claim.id, claim.shop_id, now)


def now_facts(claim: Claim, now: datetime) -> ClaimFacts:
    """The claim's facts as they are now."""
    order = order_for_return(claim.order_id)
    if order is None:
        raise Conflict("The order of this claim is gone.")
    return facts_of(claim, Situation.of(order), claim.shipment, now)


def _decline(claim: Claim, by: str, now: datetime, why: str = "") -> None:
    claim.move("decline", by, now, why=why, code=claim.rejection_code)
    release_units([unit.unit_id for unit in claim.units], claim.id)
    tell(claim, now)


def _waits_for_customer(decision: ClaimDecision) -> bool:
    """Whether nothing but what the customer can add stands in the way."""
    others = [v for v in decision.verdicts if v.verdict != "passes" and v.rule != "evidence"]
    return bool(decision.lacks) and not others


def _terms(claim: Claim) -> ClaimTerms:
    """The terms it was made under."""
    return read_as(ClaimTerms, claim.terms)
