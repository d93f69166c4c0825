"""Risk points: each with its evidence, capped, and kind to good customers."""

from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns.risk import COUNTED, History, risk_of

histories = st.builds(
    History,
    **{f.name: st.integers(0, 50) for f in fields(History) if f.name != "shop_return_rate_bps"},
    shop_return_rate_bps=st.none() | st.integers(0, 10_000),
)


@pytest.mark.parametrize(
    ("history", "points", "codes"),
    [
        ({}, 0, []),
        ({"empty_parcels": 1}, 30, ["empty_parcels"]),
        ({"empty_parcels": 9}, 60, ["empty_parcels"]),
        ({"orders": 4}, 0, ["good_history"]),
        ({"orders": 4, "failed_charges": 1}, 15, ["failed_charges"]),
        ({"orders": 4, "claims": 2}, 0, ["claims", "good_history"]),
        ({"orders": 4, "claims": 1}, 0, ["good_history"]),
        ({"items_kept": 3}, 15, ["items_kept"]),
        ({"items_kept": 2}, 0, []),
        ({"open_returns": 3}, 10, ["open_returns"]),
        (
            {"units_bought": 8, "units_returned": 4, "shop_return_rate_bps": 2_500},
            15,
            ["return_rate"],
        ),
        ({"units_bought": 8, "units_returned": 4, "shop_return_rate_bps": 2_501}, 0, []),
        ({"units_bought": 7, "units_returned": 7, "shop_return_rate_bps": 0}, 0, []),
        ({"units_bought": 9, "units_returned": 9}, 0, []),
        (
            {"empty_parcels": 2, "weight_mismatches": 2, "worn_items_sent_back": 2},
            100,
            ["empty_parcels", "weight_mismatches", "worn_items_sent_back"],
        ),
    ],
)
def test_points_by_hand(history: dict[str, Any], points: int, codes: list[str]) -> None:
    risk = risk_of(History(**history))
    assert risk.points == points
    assert [one.code for one in risk.evidence] == codes


@given(histories)
def test_every_point_has_its_evidence(history: History) -> None:
    risk = risk_of(history)
    assert 0 <= risk.points <= 100
    assert risk.points == max(0, min(100, sum(one.points for one in risk.evidence)))
    assert all(one.values for one in risk.evidence)


@given(histories, st.sampled_from(sorted(COUNTED)))
def test_one_more_bad_parcel_never_takes_points_off(history: History, code: str) -> None:
    worse = History(**(vars(history) | {code: getattr(history, code) + 1}))
    assert risk_of(worse).points >= risk_of(history).points
