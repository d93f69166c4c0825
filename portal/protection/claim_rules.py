"""Whether a claim is paid, left to a person, or declined: pure, and with its receipt.

The rules run in one order and the strictest verdict decides. A claim that is late, risky, dear or
without cover is not declined but looked at by a person, because what the law gives the buyer holds
with or without cover.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any, Final

from portal.protection.claim_terms import AFTER_DELIVERY, ClaimTerms

PASSES, REVIEW, DECLINE = "passes", "review", "decline"
PHOTOGRAPHED: Final = ("damaged", "wrong_item")


class NotClaimable(ValueError):
    """What happened cannot be claimed so. Its text says what to do instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimFacts:
    """Everything a claim is decided over. Days are local to the destination."""

    kind: str
    asked_on: date
    ordered_on: date
    shipped_on: date | None = None
    last_scan_on: date | None = None
    delivered_on: date | None = None
    presumed_lost: bool = False
    is_abroad: bool = False
    covered: bool = False
    cover_left_minor: int = 0
    paid_minor: int = 0  # for the claimed units
    photos: int = 0
    statement: bool = False
    police_report: bool = False
    risk_points: int = 0
    signed: bool = False  # somebody signed for it
    in_dispute: bool = False  # the customer's bank holds, or gave back, what was paid

    @property
    def payable_minor(self) -> int:
        """At most what was paid for the units; under cover at most what is left of it."""
        return min(self.paid_minor, self.cover_left_minor) if self.covered else self.paid_minor


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule says. `values` hold what it rests on."""

    rule: str
    verdict: str
    because: str
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is asked for with a claim of this kind and value."""

    photos: bool
    police_report: bool


def counted_from(facts: ClaimFacts) -> date:
    """The day that waiting and last day are counted from.

    For a lost parcel its last scan, else its shipment, else the order; for anything else its
    delivery. Raises NotClaimable where that has not happened, or something else has.
    """
    if facts.kind in AFTER_DELIVERY:
        if facts.delivered_on is None:
            raise NotClaimable(
                "The carrier has not said that it was delivered. If it does not come, claim it as "
                "lost."
            )
        return facts.delivered_on
    if facts.delivered_on is not None:
        raise NotClaimable(
            f"The carrier says it was delivered on {facts.delivered_on}. If you do not have it, "
            "claim it as not_received."
        )
    return facts.last_scan_on or facts.shipped_on or facts.ordered_on


def opens_on(terms: ClaimTerms, facts: ClaimFacts) -> date:
    """The first day on which it is decided. A parcel presumed lost is not waited for."""
    since = counted_from(facts)
    if facts.presumed_lost:
        return since
    return since + timedelta(days=terms.span(facts.kind).wait(facts.is_abroad))


def last_day(terms: ClaimTerms, facts: ClaimFacts) -> date:
    """The last day on which it can be claimed, that day included."""
    return counted_from(facts) + timedelta(days=terms.span(facts.kind).last_days)


def evidence(terms: ClaimTerms, kind: str, value_minor: int) -> Evidence:
    """What is asked for: photos of what can be seen, a police report only above the shop's limit.

    Below those limits the customer's word is enough.
    """
    limit = terms.police_report_from_minor
    return Evidence(
        photos=kind in PHOTOGRAPHED and value_minor >= terms.photos_from_minor,
        police_report=kind == "not_received" and limit is not None and value_minor >= limit,
    )


@dataclass(frozen=True, slots=True)
class ClaimDecision:
    """The outcome, `approve`, `review` or `decline`, and everything it rests on."""

    terms: ClaimTerms
    facts: ClaimFacts
    verdicts: tuple[Verdict, ...]

    @property
    def deciding(self) -> Verdict:
        """The first rule that declined, else that left it to a person, else the last one."""
        strict = {verdict.verdict: verdict for verdict in reversed(self.verdicts)}
        return strict.get(DECLINE) or strict.get(REVIEW) or self.verdicts[-1]

    @property
    def outcome(self) -> str:
        """approve, review or decline."""
        return "approve" if self.deciding.verdict == PASSES else self.deciding.verdict

    @property
    def lacks(self) -> list[str]:
        """What the customer can still add: photos, police_report."""
        asked = evidence(self.terms, self.facts.kind, self.facts.paid_minor)
        missing = {
            "photos": asked.photos and not self.facts.photos,
            "police_report": asked.police_report and not self.facts.police_report,
        }
        return [name for name, is_missing in missing.items() if is_missing]

    def receipt(self) -> dict[str, Any]:
        """As it is stored, shown to staff and answered by the API; the same shape as a return's."""
        text = self.terms.model_dump_json()
        return {
            "outcome": self.outcome,
            "policy_version": self.terms.version,
            "policy_hash": hashlib.sha256(text.encode()).hexdigest(),
            "rule": self.deciding.rule,
            "because": self.deciding.because,
            "values": self.deciding.values,
            "facts": _plain(asdict(self.facts)),
            "verdicts": [
                {"rule": v.rule, "verdict": v.verdict, "values": v.values} for v in self.verdicts
            ],
            "would_change": list(_would_change(self)),
        }


def decide_claim(terms: ClaimTerms, facts: ClaimFacts) -> ClaimDecision:
    """Decide a claim that is open. The same terms and facts give the same decision.

    Raises NotClaimable where the parcel's journey does not fit the kind.
    """
    counted_from(facts)
    return ClaimDecision(terms, facts, tuple(rule(terms, facts) for rule in RULES))


def _said(rule: str, holds: bool, because: str, **values: Any) -> Verdict:
    return Verdict(rule, PASSES if holds else REVIEW, "" if holds else because, _plain(values))


def _in_time(terms: ClaimTerms, facts: ClaimFacts) -> Verdict:
    end = last_day(terms, facts)
    since = counted_from(facts)
    on_time = facts.asked_on <= end
    return _said("last_day", on_time, "claimed_late", last_day=end, counted_from=since)


def _shown(terms: ClaimTerms, facts: ClaimFacts) -> Verdict:
    asked = evidence(terms, facts.kind, facts.paid_minor)
    there = (facts.photos > 0 or not asked.photos, facts.police_report or not asked.police_report)
    return _said("evidence", all(there), "evidence_missing", **asdict(asked))


def _undisputed(_terms: ClaimTerms, facts: ClaimFacts) -> Verdict:
    return _said("dispute", not facts.in_dispute, "in_dispute", in_dispute=facts.in_dispute)


def _unsigned(terms: ClaimTerms, facts: ClaimFacts) -> Verdict:
    if facts.kind != "not_received" or not facts.signed:
        return Verdict("signature", PASSES, "", {"signed": facts.signed})
    return Verdict("signature", terms.signed_deliveries, "signed_for", {"signed": True})


def _no_risk(terms: ClaimTerms, facts: ClaimFacts) -> Verdict:
    low = facts.risk_points < terms.review_from_points
    return _said("risk", low, "needs_a_look", points=facts.risk_points)


def _covered(_terms: ClaimTerms, facts: ClaimFacts) -> Verdict:
    return _said("cover", facts.covered, "not_covered", covered=facts.covered)


def _cover_left(_terms: ClaimTerms, facts: ClaimFacts) -> Verdict:
    enough = not facts.covered or facts.cover_left_minor >= facts.paid_minor
    values = {"cover_left_minor": facts.cover_left_minor, "paid_minor": facts.paid_minor}
    return _said("cover_limit", enough, "above_the_cover", **values)


def _small(terms: ClaimTerms, facts: ClaimFacts) -> Verdict:
    small = facts.payable_minor < terms.approve_below_minor
    values = {"below_minor": terms.approve_below_minor, "payable_minor": facts.payable_minor}
    return _said("amount", small, "needs_a_look", **values)


RULES: Final[tuple[Callable[[ClaimTerms, ClaimFacts], Verdict], ...]] = (
    _undisputed,
    _in_time,
    _unsigned,
    _shown,
    _no_risk,
    _covered,
    _cover_left,
    _small,
)


def _would_change(decision: ClaimDecision) -> Iterator[dict[str, Any]]:
    """Single facts that would have given another outcome, found by deciding again."""
    terms, facts = decision.terms, decision.facts
    tried: tuple[tuple[str, Any], ...] = (
        ("photos", 1),
        ("police_report", True),
        ("asked_on", last_day(terms, facts)),
        ("asked_on", last_day(terms, facts) + timedelta(days=1)),
        ("covered", not facts.covered),
        ("paid_minor", max(0, terms.approve_below_minor - 1)),
        ("paid_minor", terms.approve_below_minor),
        ("signed", not facts.signed),
        ("risk_points", terms.review_from_points if decision.outcome == "approve" else 0),
    )
    for name, value in tried:
        was = getattr(facts, name)
        changes = {name: value}
        if name == "covered" and value:
            changes["cover_left_minor"] = facts.paid_minor
        if was == value:
            continue
        other = decide_claim(terms, replace(facts, **changes))
        if other.outcome != decision.outcome:
            yield {
                "fact": name,
                "from": _plain(was),
                "to": _plain(value),
                "outcome": other.outcome,
                "rule": other.deciding.rule,
                "because": other.deciding.because,
            }


def _plain(value: Any) -> Any:
    found: Any = json.loads(json.dumps(value, default=str))
    return found
