"""Asking carriers, over real HTTP with the real client."""

from __future__ import annotations

from datetime import timedelta

import pytest

from portal import clock
from portal.db import every_shop, session, writing
from portal.jobs import provider
from portal.keys import settings
from portal.models.due import read_gauge, set_gauge
from portal.models.shipment import PATIENCE
from tests.conftest import bearer
from tests.jobs.house import NUMBER, House
from tests.sandbox.conftest import Door, Hands

FAULTS = [
    ("rate_limited", {"retry_after": 120}),
    ("rate_limited", {}),
    ("error_500", {}),
    ("error_503", {"retry_after": 30}),
    ("error_text", {}),
    ("html_502", {}),
    ("html_200", {}),
    ("reset", {}),
    ("truncated", {}),
    ("commit_then_drop", {}),
    ("empty", {}),
    ("null", {}),
    ("wrong_types", {}),
]


def asked(door: Door) -> dict[str, int]:
    routes: dict[str, int] = door.get("counts")["routes"]
    return {route: count for route, count in routes.items() if "trackers" in route}


def reopen(house: House) -> None:
    """Have every pause be over, and the questions due."""
    with every_shop(), writing():
        for account in house.app.extensions["accounts"].values():
            set_gauge(f"closed:{account.name}", 0.0, clock.now())
    house.due_now()


def closed_for(house: House) -> timedelta:
    """How long the account is still closed."""
    [account] = house.app.extensions["accounts"].values()
    with every_shop():
        kept = read_gauge(f"closed:{account.name}")
    return kept[1] - clock.now() if kept else timedelta(0)


def test_a_parcel_is_followed_from_the_order_to_the_door(any_house: House, door: Door) -> None:
    door.parcel(NUMBER, shown=0)
    order = any_house.order()
    any_house.work()
    assert any_house.parcel(order).status == "unknown"
    seen = []
    while door.post(f"parcels/{NUMBER}/advance")["advanced"]:
        any_house.due_now()
        any_house.work()
        status = any_house.parcel(order).status
        seen += [status] if status not in seen else []
    parcel = any_house.parcel(order)
    assert seen[-1] == parcel.status == "delivered"
    assert {"pre_transit", "in_transit", "out_for_delivery"} <= set(seen)
    assert parcel.delivered_at is not None
    assert any_house.due() == [], "a parcel that is delivered is asked about no more"
    assert asked(door)["POST /v2/trackers"] == 1, "a tracker is opened once, then read"


def test_the_api_tells_what_the_carrier_told(house: House, door: Door) -> None:
    door.parcel(NUMBER)
    order = house.order()
    house.work()
    told = house.app.test_client().get(f"/api/v1/orders/{order['id']}", headers=bearer()).json
    [parcel] = told["shipments"]
    assert told["status"] == parcel["status"] == "delivered"
    assert len(parcel["scans"]) == len(house.parcel(order).scans) > 3


@pytest.mark.parametrize(("fault", "more"), FAULTS, ids=lambda each: str(each))
def test_a_fault_loses_nothing_and_the_parcel_is_not_blamed(
    house: House, door: Door, fault: str, more: dict[str, float]
) -> None:
    door.parcel(NUMBER, shown=3)
    order = house.order()
    for known in (0, 3):  # the tracker is opened at first, then read
        before = house.parcel(order)
        assert len(before.scans) == known
        door.fault(fault, **more)
        house.due_now()
        house.work()
        assert door.get("faults")["waiting"] == [], "it was asked"
        after = house.parcel(order)
        assert (after.observed, after.problem) == (before.observed, ("", ""))
        [row] = house.due()
        assert not row.leased
        assert row.at > clock.now()
        reopen(house)
        house.work()
        assert (len(house.parcel(order).scans), house.parcel(order).failures) == (3, 0)


def test_a_question_that_another_one_is_in_the_way_of_is_asked_again_soon(
    house: House, door: Door
) -> None:
    door.parcel(NUMBER)
    order = house.order()
    door.fault("in_flight", times=2)
    for wait in (1, 2):
        house.work()
        parcel = house.parcel(order)
        assert (parcel.status, parcel.problem, parcel.failures) == ("unknown", ("", ""), wait)
        [row] = house.due()
        assert timedelta(0) < row.at - clock.now() <= timedelta(minutes=wait)
        assert closed_for(house) <= timedelta(0), "others are asked about meanwhile"
        house.due_now()
    house.work()
    assert (house.parcel(order).status, house.parcel(order).failures) == ("delivered", 0)


def test_staff_hear_of_a_parcel_that_is_refused_again_and_again(house: House, door: Door) -> None:
    door.parcel(NUMBER)
    order = house.order()
    door.fault("in_flight", times=PATIENCE)
    for _ in range(PATIENCE):
        assert house.parcel(order).problem == ("", "")
        house.due_now()
        house.work()
    assert house.parcel(order).problem[0] != ""
    [row] = house.due()
    assert row.at - clock.now() > timedelta(hours=23)


def test_a_slow_answer_is_an_answer(house: House, door: Door) -> None:
    door.parcel(NUMBER)
    order = house.order()
    door.fault("slow", seconds=1)
    house.work()
    assert house.parcel(order).status == "delivered"


@pytest.mark.parametrize(("asks", "waits"), [({"retry_after": 120}, 120), ({}, 60)])
def test_a_provider_that_asks_for_rest_gets_it_from_every_parcel(
    house: House, door: Door, asks: dict[str, float], waits: int
) -> None:
    numbers = [f"1Z999AA1012345{n:04}" for n in range(4)]
    for number in numbers:
        door.parcel(number)
    orders = [
        house.order(f"20{n}", {"carrier": "UPS", "tracking_number": number})
        for n, number in enumerate(numbers)
    ]
    door.fault("rate_limited", **asks)
    house.work()
    assert sum(asked(door).values()) == 1, "after the first 429 nobody asks"
    until = clock.now() + timedelta(seconds=waits)
    assert all(abs(row.at - until) < timedelta(seconds=20) for row in house.due())
    house.due_now()  # somebody plans a question meanwhile
    house.work()
    assert sum(asked(door).values()) == 1
    assert all(house.parcel(order).failures == 0 for order in orders)
    reopen(house)
    house.work()
    assert all(house.parcel(order).status == "delivered" for order in orders)


def test_an_answer_to_an_older_question_does_not_end_the_rest(house: House, door: Door) -> None:
    door.parcel(NUMBER)
    house.order()
    door.fault("rate_limited", retry_after=600)
    house.work()
    [account] = house.app.extensions["accounts"].values()
    with every_shop(), writing():
        account.answered()
    assert closed_for(house) > timedelta(seconds=500)


def test_a_row_of_failures_closes_the_account_for_longer_and_longer(
    house: House, door: Door
) -> None:
    door.parcel(NUMBER)
    house.order()
    door.fault("error_500", times=100)
    pauses = []
    for _ in range(8):
        reopen_keeping_failures(house)
        house.work()
        pauses.append(round(closed_for(house) / timedelta(seconds=1), -1))
    assert pauses[:4] == [0, 0, 0, 0]
    assert pauses[4:] == [30, 60, 120, 240]


def reopen_keeping_failures(house: House) -> None:
    accounts = house.app.extensions.get("accounts", {})
    with every_shop(), writing():
        for account in accounts.values():
            kept = read_gauge(f"closed:{account.name}")
            if kept:
                set_gauge(f"closed:{account.name}", kept[0], clock.now())
    house.due_now()


def test_a_refused_key_blames_no_parcel(house: House, door: Door, box) -> None:
    door.parcel(NUMBER)
    order = house.order()
    box.account.api_key = "EZTKanother"
    house.work()
    assert house.parcel(order).problem == ("", "")
    assert closed_for(house) > timedelta(minutes=14)
    box.account.api_key = None
    reopen(house)
    house.work()
    assert house.parcel(order).status == "delivered"


def test_the_budget_is_shared_by_all_who_ask(house: House, door: Door) -> None:
    numbers = [f"1Z999AA1012345{n:04}" for n in range(12)]
    for n, number in enumerate(numbers):
        door.parcel(number)
        house.order(f"30{n}", {"carrier": "UPS", "tracking_number": number})
    house.work()
    stamps = [row["at"] for row in door.get("log")["requests"] if "trackers" in row["route"]]
    assert len(stamps) == 12
    begin, end = (clock.datetime.fromisoformat(stamp) for stamp in (stamps[0], stamps[-1]))
    least = (12 - provider.BURST - 1) / (settings().polls_per_minute / 60)
    assert (end - begin).total_seconds() >= least


@pytest.mark.parametrize(
    ("carrier", "number", "problem", "fix"),
    [
        ("Quick Donkey", NUMBER, "unknown_carrier", "UPS"),
        ("FedEx", NUMBER, "wrong_carrier", "UPS"),
    ],
)
def test_a_wrong_carrier_is_a_problem_with_a_fix_at_once(
    house: House, carrier: str, number: str, problem: str, fix: str
) -> None:
    order = house.order("1", {"carrier": carrier, "tracking_number": number})
    code, shown = house.parcel(order).problem
    assert code == problem
    assert fix in shown
    listed = house.app.test_client().get("/api/v1/problems", headers=bearer()).json["problems"]
    assert [each["problem"]["code"] for each in listed] == [problem]


def test_a_carrier_that_the_provider_refuses_is_a_problem_and_correcting_it_heals(
    house: House, door: Door
) -> None:
    door.parcel(NUMBER, carrier="UPS")
    order = house.order("1", {"carrier": "USPS", "tracking_number": NUMBER})
    house.work()
    code, fix = house.parcel(order).problem
    assert code == "wrong_carrier"
    assert "UPS" in fix
    again = {"id": order["shipments"][0]["id"], "carrier": "UPS", "tracking_number": NUMBER}
    house.order("1", again)
    house.work()
    parcel = house.parcel(order)
    assert (parcel.status, parcel.problem) == ("delivered", ("", ""))


def test_a_number_corrected_while_we_ask_takes_nothing_of_the_old_one(
    house: House, door: Door, hands: Hands
) -> None:
    door.parcel(NUMBER)
    other = "1Z999AA10123456000"
    door.parcel(other, shown=2)
    order = house.order()
    house.work()
    again = {"id": order["shipments"][0]["id"], "carrier": "UPS", "tracking_number": other}
    house.order("1001", again)
    assert house.parcel(order).scans == ()
    house.work()
    parcel = house.parcel(order)
    assert parcel.status != "delivered"
    assert len(parcel.scans) == 2


def test_a_tracker_that_the_provider_forgot_is_opened_anew(house: House, door: Door, box) -> None:
    door.parcel(NUMBER, shown=3)
    order = house.order()
    house.work()
    before = house.parcel(order)
    box.account.trackers.clear()
    box.account.newest.clear()
    for _ in range(2):
        house.due_now()
        house.work()
    after = house.parcel(order)
    assert after.observed == before.observed
    assert after.provider_id != before.provider_id


def test_without_a_key_nobody_is_asked_and_nothing_is_lost(house: House, door: Door) -> None:
    door.parcel(NUMBER)
    order = house.order()
    settings = house.app.extensions["porchlight"]
    house.app.extensions["porchlight"] = type(settings)(
        **{**vars(settings), "easypost_api_key": ""}
    )
    house.work()
    [row] = house.due()
    assert row.at > clock.now() + timedelta(minutes=50)
    assert house.parcel(order).problem == ("", "")
    house.app.extensions["porchlight"] = settings
    reopen(house) if house.app.extensions.get("accounts") else house.due_now()
    house.work()
    assert house.parcel(order).status == "delivered"


def test_nothing_is_read_while_we_wait_for_the_provider(house: House, door: Door) -> None:
    door.parcel(NUMBER)
    house.order()
    house.work()
    assert session.registry().in_transaction() is False
