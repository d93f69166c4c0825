"""When a claim opens and closes, what is asked for, and what the terms decide."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.protection.claim_rules import (
    ClaimFacts,
    NotClaimable,
    decide_claim,
    evidence,
    last_day,
    opens_on,
)
from portal.protection.claim_terms import KINDS, ClaimTerms
from portal.sources.sentences import Invalid, read_as

TERMS = ClaimTerms()
DAY = date(2026, 11, 10)


def facts(kind: str = "damaged", **more: Any) -> ClaimFacts:
    """A covered claim of 20.00, made on the day after delivery."""
    told: dict[str, Any] = {
        "asked_on": DAY + timedelta(days=1),
        "ordered_on": DAY - timedelta(days=5),
        "shipped_on": DAY - timedelta(days=4),
        "last_scan_on": DAY,
        "delivered_on": None if kind == "lost" else DAY,
        "covered": True,
        "cover_left_minor": 50_000,
        "paid_minor": 2_000,
    }
    return ClaimFacts(kind=kind, **(told | more))


SPANS = [
    ("lost", False, 7, 60),
    ("lost", True, 20, 60),
    ("not_received", False, 2, 30),
    ("not_received", True, 5, 30),
    ("damaged", False, 0, 30),
    ("missing_item", True, 0, 30),
    ("wrong_item", False, 0, 30),
]


@pytest.mark.parametrize(("kind", "is_abroad", "wait", "last"), SPANS)
def test_each_kind_has_its_first_and_last_day(
    kind: str, is_abroad: bool, wait: int, last: int
) -> None:
    asked = facts(kind, is_abroad=is_abroad)
    assert opens_on(TERMS, asked) == DAY + timedelta(days=wait)
    assert last_day(TERMS, asked) == DAY + timedelta(days=last)


def test_a_parcel_presumed_lost_is_not_waited_for() -> None:
    assert opens_on(TERMS, facts("lost", presumed_lost=True)) == DAY


def test_one_never_scanned_counts_from_its_shipment_or_its_order() -> None:
    quiet = facts("lost", last_scan_on=None)
    assert opens_on(TERMS, quiet) == DAY - timedelta(days=4) + timedelta(days=7)
    unsent = facts("lost", last_scan_on=None, shipped_on=None)
    assert opens_on(TERMS, unsent) == DAY - timedelta(days=5) + timedelta(days=7)


def test_lost_and_delivered_exclude_each_other() -> None:
    with pytest.raises(NotClaimable, match="not_received"):
        decide_claim(TERMS, facts("lost", delivered_on=DAY))
    with pytest.raises(NotClaimable, match="as lost"):
        decide_claim(TERMS, facts("damaged", delivered_on=None))


@pytest.mark.parametrize(("days", "outcome"), [(30, "approve"), (31, "review")])
def test_the_last_day_is_included_and_too_late_is_looked_at(days: int, outcome: str) -> None:
    decision = decide_claim(TERMS, facts(asked_on=DAY + timedelta(days=days)))
    assert decision.outcome == outcome


@pytest.mark.parametrize(("paid", "outcome"), [(9_999, "approve"), (10_000, "review")])
def test_below_the_limit_it_is_paid_at_once(paid: int, outcome: str) -> None:
    assert decide_claim(TERMS, facts(paid_minor=paid, photos=1)).outcome == outcome


def test_evidence_grows_with_the_value() -> None:
    assert not evidence(TERMS, "damaged", 2_499).photos
    assert evidence(TERMS, "damaged", 2_500).photos
    assert not evidence(TERMS, "missing_item", 90_000).photos
    assert not evidence(TERMS, "not_received", 14_999).police_report
    assert evidence(TERMS, "not_received", 15_000).police_report
    never = ClaimTerms(police_report_from_minor=None)
    assert not evidence(never, "not_received", 10**9).police_report


def test_without_cover_a_person_decides() -> None:
    decision = decide_claim(TERMS, facts(covered=False, cover_left_minor=0))
    assert (decision.outcome, decision.deciding.because) == ("review", "not_covered")
    assert decision.facts.payable_minor == 2_000


def test_a_signature_declines_only_where_the_shop_says_so() -> None:
    signed = facts("not_received", signed=True, asked_on=DAY + timedelta(days=3))
    assert decide_claim(TERMS, signed).outcome == "review"
    assert decide_claim(ClaimTerms(signed_deliveries="decline"), signed).outcome == "decline"
    assert decide_claim(ClaimTerms(signed_deliveries="decline"), facts(signed=True)).outcome == (
        "approve"
    )


def test_the_receipt_names_what_would_change_it() -> None:
    receipt = decide_claim(TERMS, facts(paid_minor=3_000)).receipt()
    assert (receipt["outcome"], receipt["rule"]) == ("review", "evidence")
    assert {"fact": "photos", "outcome": "approve"}.items() <= receipt["would_change"][0].items()
    assert [each["rule"] for each in receipt["verdicts"]] == [
        *("dispute", "last_day", "signature", "evidence", "risk", "cover", "cover_limit", "amount")
    ]
    assert len(receipt["policy_hash"]) == 64


ANY = st.builds(
    facts,
    kind=st.sampled_from(KINDS),
    asked_on=st.dates(date(2026, 11, 1), date(2027, 3, 1)),
    covered=st.booleans(),
    cover_left_minor=st.integers(0, 60_000),
    paid_minor=st.integers(0, 60_000),
    photos=st.integers(0, 3),
    police_report=st.booleans(),
    risk_points=st.integers(0, 100),
    signed=st.booleans(),
)


@given(ANY)
def test_no_claim_pays_more_than_was_paid_or_covered(asked: ClaimFacts) -> None:
    decision = decide_claim(TERMS, asked)
    assert asked.payable_minor <= asked.paid_minor
    if decision.outcome == "approve":
        assert asked.covered
        assert asked.payable_minor == asked.paid_minor <= asked.cover_left_minor
        assert asked.paid_minor < TERMS.approve_below_minor
    assert decision.receipt() == decide_claim(TERMS, asked).receipt()


@given(ANY)
def test_nothing_is_declined_unless_the_shop_chose_so(asked: ClaimFacts) -> None:
    assert decide_claim(TERMS, asked).outcome in ("approve", "review")


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"lost": {"wait_days": 61, "last_days": 60}}, "lost"),
        ({"damaged": {"last_days": 0}}, "damaged.last_days"),
        ({"approve_below_minor": -1}, "approve_below_minor"),
        ({"aprove_below_minor": 1}, "aprove_below_minor"),
        ({"approve_below_minor": 10.5}, "approve_below_minor"),
    ],
)
def test_terms_that_make_no_sense_are_named(told: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_as(ClaimTerms, told)
    assert [each["field"] for each in caught.value.errors] == [field]
