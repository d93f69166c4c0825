"""On what an arrival stands, in words, and how well such dates held."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from carriers.window import Window
from portal.pages.arrival_words import record_line
from portal.pages.calendar import calendar
from portal.pages.facts import ArrivalRecord, OrderFacts
from portal.pages.present import present
from tests.pages.samples import FERN, FERN_ORDER, MOVING, NOW


def moving(**more: object) -> OrderFacts:
    return replace(FERN_ORDER, parcels=(replace(MOVING, **more),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"eta_basis": "lane"}, "Most parcels on this route arrive by Friday 27 November;"),
        ({"eta_basis": "destination"}, "Most parcels to your region arrive by Friday 27 November;"),
        ({"eta_basis": "country"}, "Most parcels to your country arrive by Friday 27 November;"),
        (
            {"eta_basis": "lane", "first_eta": date(2026, 11, 24)},
            "Most parcels that are this late arrive by Friday 27 November;",
        ),
    ],
)
def test_a_window_of_the_shop_s_own_says_on_how_many_parcels_it_stands(
    told: dict[str, object], said: str
) -> None:
    why = present(moving(eta_parcels=1240, **told), FERN, NOW, "en").hero.why
    assert said in why
    assert why.endswith(" based on 1,240 parcels.")


def test_the_carrier_s_own_date_needs_no_reason_and_a_promise_is_called_an_aim() -> None:
    assert "Most parcels" not in present(moving(eta_basis="carrier"), FERN, NOW, "en").hero.why
    aim = present(moving(eta_basis="promise"), FERN, NOW, "en").hero.why
    assert aim.endswith("The dates are our aim until UPS names its own.")


@pytest.mark.parametrize("status", ["out_for_delivery", "available_for_pickup", "delivered"])
def test_where_the_date_is_sure_or_unknown_nothing_is_said_of_most_parcels(status: str) -> None:
    told = moving(eta_basis="lane", eta_parcels=214, status=status, detail=None)
    assert "Most parcels" not in present(told, FERN, NOW, "en").hero.why


def test_an_order_that_was_not_sent_yet_has_the_shop_s_promise_while_it_lies_ahead() -> None:
    placed = replace(FERN_ORDER, status="placed", parcels=())
    ahead = Window(date(2026, 11, 24), date(2026, 11, 27), "promise")
    hero = present(replace(placed, promise=ahead), FERN, NOW, "en").hero
    assert hero.text == "Arriving Wednesday 25 to Friday 27 November"
    assert hero.why == "The dates are our aim; we tell you if they change."
    over = Window(date(2026, 11, 20), date(2026, 11, 24), "promise")
    assert present(replace(placed, promise=over), FERN, NOW, "en").hero.text == "Not shipped yet"


def test_a_calendar_entry_begins_no_earlier_than_today() -> None:
    told = moving(eta_from=date(2026, 11, 20))
    assert "DTSTART;VALUE=DATE:20261125" in calendar(told, told.parcels[0], NOW)


def test_how_dates_held_is_told_in_hundreds() -> None:
    quarter = ArrivalRecord(date(2026, 7, 1), date(2026, 9, 30), shown=1310, early=157, late=92)
    assert record_line(quarter, "en") == (
        "How good our dates are: of 1,310 parcels due from July 2026 to September 2026, "
        "81 in 100 came on the days we first named, 12 earlier and 7 later."
    )
