"""Where an order stands, from where its parcels stand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.contract import Status
from portal.models.settling import RIGHTS, ParcelFacts, order_status, rights_end

AT = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
STATES = {
    *("placed", "partially_shipped", "shipped", "partially_delivered", "delivered", "returned")
}


def holding(status: str, **holds: int) -> ParcelFacts:
    """A parcel with so many of lines 1 and 2: holding("delivered", a=1, b=2)."""
    lines = {{"a": 1, "b": 2}[name]: quantity for name, quantity in holds.items()}
    return ParcelFacts(status=status, holds=lines)


@pytest.mark.parametrize(
    ("parcels", "expected"),
    [
        ([], "placed"),
        (["unknown"], "placed"),
        (["pre_transit"], "placed"),
        (["cancelled"], "placed"),
        (["in_transit"], "shipped"),
        (["exception"], "shipped"),
        (["out_for_delivery", "pre_transit"], "partially_shipped"),
        (["in_transit", "attempt_failed"], "shipped"),
        (["in_transit", "cancelled"], "shipped"),
        (["delivered", "in_transit"], "partially_delivered"),
        (["delivered", "unknown"], "partially_delivered"),
        (["delivered", "cancelled"], "delivered"),
        (["delivered", "delivered"], "delivered"),
        (["return_to_sender"], "returned"),
        (["return_to_sender", "delivered"], "partially_delivered"),
        (["return_to_sender", "in_transit"], "shipped"),
    ],
)
def test_parcels_of_unknown_contents_count_as_whole_parcels(
    parcels: list[str], expected: str
) -> None:
    assert order_status([ParcelFacts(status=each) for each in parcels], {1: 2}) == expected


@pytest.mark.parametrize(
    ("parcels", "expected"),
    [
        ([holding("in_transit", a=1)], "partially_shipped"),
        ([holding("in_transit", a=2, b=1)], "shipped"),
        ([holding("delivered", a=2)], "partially_delivered"),
        ([holding("delivered", a=2, b=1)], "delivered"),
        ([holding("delivered", a=1), holding("delivered", a=1, b=1)], "delivered"),
        ([holding("return_to_sender", a=2, b=1)], "returned"),
        ([holding("return_to_sender", a=1), holding("delivered", a=1)], "partially_delivered"),
    ],
)
def test_where_contents_are_known_an_order_is_whole_when_all_pieces_are(
    parcels: list[ParcelFacts], expected: str
) -> None:
    assert order_status(parcels, {1: 2, 2: 1}) == expected


def test_a_parcel_that_the_shop_gave_away_is_shipped_before_its_first_scan() -> None:
    assert order_status([ParcelFacts("unknown", shipped_at=AT)], {1: 1}) == "shipped"


PARCELS = st.lists(
    st.builds(
        ParcelFacts,
        status=st.sampled_from([status.value for status in Status]),
        shipped_at=st.sampled_from([None, AT]),
        holds=st.dictionaries(st.sampled_from([1, 2]), st.integers(1, 2)),
    ),
    max_size=4,
)


@given(PARCELS, st.randoms())
def test_the_order_of_parcels_does_not_matter(parcels: list[ParcelFacts], random: object) -> None:
    turned = sorted(parcels, key=lambda _: random.random())  # type: ignore[attr-defined]
    status = order_status(parcels, {1: 2, 2: 1})
    assert status in STATES
    assert order_status(turned, {1: 2, 2: 1}) == status


def test_rights_end_thirty_days_after_the_last_parcel_came() -> None:
    parcels = [
        ParcelFacts("delivered", delivered_at=AT),
        ParcelFacts("delivered", delivered_at=AT + timedelta(days=2)),
    ]
    assert rights_end("delivered", parcels, None) == AT + timedelta(days=2) + RIGHTS
    assert rights_end("cancelled", parcels, AT) == AT + RIGHTS
    for status in STATES - {"delivered", "returned"}:
        assert rights_end(status, parcels, None) is None
