"""Reasons and details as they are sent, and whose fault they are."""

import pytest

from returns.reasons import FAULTS, NOT_AS_SOLD, REASON_OF, REASONS, fault_of, reason_and_detail


@pytest.mark.parametrize(
    ("reason", "detail", "expected"),
    [
        ("too_small", None, ("too_small", None)),
        ("faulty", "arrived_broken", ("faulty", "arrived_broken")),
        ("arrived_broken", None, ("faulty", "arrived_broken")),
        ("arrived_broken", "arrived_broken", ("faulty", "arrived_broken")),
        ("gift", "", ("changed_mind", "gift")),
    ],
)
def test_a_detail_may_be_sent_as_the_reason(
    reason: str, detail: str | None, expected: tuple[str, str | None]
) -> None:
    assert reason_and_detail(reason, detail) == expected


@pytest.mark.parametrize(
    ("reason", "detail", "words"),
    [
        ("ugly", None, "Use one of: too_small"),
        ("faulty", "gift", "Its details: arrived_broken"),
        ("too_small", "gift", "none; leave it out"),
        ("gift", "arrived_broken", "We know no reason 'gift'"),
    ],
)
def test_an_unknown_reason_is_refused_with_those_there_are(
    reason: str, detail: str | None, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        reason_and_detail(reason, detail)


@pytest.mark.parametrize(
    ("reason", "detail", "fault"),
    [
        ("faulty", None, "shop"),
        ("faulty", "arrived_broken", "carrier"),
        ("style", "unlike_photo", "shop"),
        ("style", "colour", "customer"),
        ("other", None, None),
        (None, None, None),
    ],
)
def test_a_detail_may_shift_the_fault(
    reason: str | None, detail: str | None, fault: str | None
) -> None:
    assert fault_of(reason, detail) == fault


def test_the_tables_agree() -> None:
    assert set(FAULTS) <= set(REASONS) | set(REASON_OF)
    assert set(NOT_AS_SOLD) <= set(REASONS)
    assert len(REASON_OF) == sum(len(details) for details in REASONS.values())
