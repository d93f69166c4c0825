"""What answers say beside their scans: the same in whatever order, and days as they end."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.contract import Scan, Status, Tracking
from portal.models.heard import carrier_and_service, eta_of, hear, is_delayed, signed_by, top_of

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
SCAN = Scan(NOW, Status.IN_TRANSIT)
ZONES = ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Kiritimati", "", "?"]

moments = st.sampled_from([NOW + timedelta(hours=n) for n in (-30, -1, 0, 1, 13)])
answers = st.builds(
    Tracking,
    provider_id=st.just("trk_1"),
    carrier=st.sampled_from(["", "UPS", "UPS Mail Innovations"]),
    tracking_number=st.just("1Z"),
    status=st.sampled_from(Status),
    detail=st.sampled_from(["", "held", "x" * 80]),
    scans=st.sampled_from([(), (SCAN,), (SCAN, SCAN)]),
    estimated_delivery=st.none() | moments,
    estimated_local_date=st.none() | st.sampled_from([date(2026, 3, 9), date(2026, 3, 12)]),
    service=st.none() | st.sampled_from(["Ground", "Express"]),
    signed_by=st.none() | st.sampled_from(["A. Sample", "N" * 130]),
    updated_at=st.none() | moments,
)


def heard(told: Iterable[Tracking], zone: str = "America/New_York") -> dict[str, Any]:
    """What is known after these answers, kept between them as a JSON column keeps it."""
    known: dict[str, Any] = {}
    for answer in told:
        known = json.loads(json.dumps(hear(known, answer, zone)))
    return known


@given(
    told=st.lists(answers, min_size=1, max_size=6),
    zone=st.sampled_from(ZONES),
    data=st.data(),
)
def test_neither_order_nor_repetition_of_answers_changes_what_is_known(
    told: list[Tracking], zone: str, data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(told), max_size=6))
    shuffled = data.draw(st.permutations([*told, *again]))
    assert heard(shuffled, zone) == heard(told, zone)


@given(told=st.lists(answers, min_size=1, max_size=6), status=st.sampled_from(Status))
def test_nothing_is_said_that_no_answer_said(told: list[Tracking], status: Status) -> None:
    known = heard(told)
    days = {each.estimated_local_date for each in told if each.estimated_local_date}
    days |= {(each.estimated_delivery - timedelta(hours=4)).date()
             for each in told if each.estimated_delivery}  # fmt: skip
    assert {*eta_of(known, status)} - {None} <= days
    assert signed_by(known, status) in {"", *((each.signed_by or "")[:120] for each in told)}
    assert carrier_and_service(known) in {(each.carrier, each.service or "") for each in told}
    top = top_of(known, "1Z")
    bare = {each.status for each in told if not each.scans}
    assert (top.status in bare) if top else not bare


def test_the_newest_answer_with_a_status_we_know_counts_where_there_are_no_scans() -> None:
    def bare(status: Status, hours: int) -> Tracking:
        return Tracking("t", "", "1Z", status, updated_at=NOW + timedelta(hours=hours))

    known = heard([bare(Status.UNKNOWN, 9), bare(Status.PRE_TRANSIT, 1), bare(Status.DELIVERED, 0)])
    top = top_of(known, "1Z")
    assert top is not None
    assert top.status is Status.PRE_TRANSIT


# --- days, where clocks change ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "day", "ends"),
    [
        ("America/New_York", date(2026, 3, 8), "2026-03-09T04:00+00:00"),  # 23 hours
        ("America/New_York", date(2026, 11, 1), "2026-11-02T05:00+00:00"),  # 25 hours
        ("Europe/Berlin", date(2026, 10, 25), "2026-10-25T23:00+00:00"),
        ("Australia/Lord_Howe", date(2026, 4, 5), "2026-04-05T13:30+00:00"),  # by half an hour
        ("Africa/Cairo", date(2026, 4, 23), "2026-04-23T22:00+00:00"),  # midnight is skipped
        ("no/such place", date(2026, 3, 8), "2026-03-09T12:00+00:00"),  # ends last on earth
    ],
)
def test_a_date_has_passed_once_its_day_is_over_where_the_parcel_goes(
    zone: str, day: date, ends: str
) -> None:
    end = datetime.fromisoformat(ends)
    before = end - timedelta(microseconds=1)
    assert not is_delayed(Status.IN_TRANSIT, day, day, zone, before)
    assert is_delayed(Status.IN_TRANSIT, day, day, zone, end)
    assert not is_delayed(Status.DELIVERED, day, day, zone, end)


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-03-08T04:59+00:00", date(2026, 3, 7)),
        ("2026-03-08T05:00+00:00", date(2026, 3, 8)),
        ("2026-03-09T03:59+00:00", date(2026, 3, 8)),
        ("2026-11-02T04:59+00:00", date(2026, 11, 1)),
        ("2026-11-02T05:00+00:00", date(2026, 11, 2)),
    ],
)
def test_an_instant_is_promised_as_the_local_day_it_falls_on(moment: str, day: date) -> None:
    instant = datetime.fromisoformat(moment)
    told = Tracking("t", "", "1Z", Status.IN_TRANSIT, estimated_delivery=instant)
    assert eta_of(heard([told]), Status.IN_TRANSIT) == (day, day)
