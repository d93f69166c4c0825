"""The books of protection: nothing appears, nothing vanishes, currencies never mix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from portal.db import inside, session, writing
from portal.models import Claim, LedgerEntry, Order, Protection, Settlement, payout
from portal.models.book_rows import FIGURES, Asked, listed, refusals
from portal.models.books import currencies, read_books
from portal.models.change import Conflict
from portal.models.claim_acts import appeal, approve, call_off, decline
from portal.models.claim_pay import retry
from portal.models.claims_open import open_claims
from portal.models.cover_record import count_years
from portal.models.recovered import recover, take_back
from portal.models.rma_rows import Act
from portal.protection.books import Books, Sum
from portal.protection.months import Months
from portal.sources.sentences import Invalid
from tests.conftest import shop_id
from tests.models.bought import NOW, bought
from tests.models.test_claim import claimed, on, refund_done
from tests.models.test_earned import DAY, cancel, earn, parcels
from tests.models.test_premium import PREMIUM, covered

ZONE = ZoneInfo("America/New_York")
PLACES = (("USD", "US"), ("USD", "CA"), ("EUR", "DE"))
MUG_MINOR = 1_499
ACTS = (
    *("sell", "claim", "bare claim", "approve", "decline", "appeal", "call off", "again", "earn"),
    *("paid", "refused", "by hand", "cancel", "recover", "take back"),
)
MONEY = ("sold_minor", "back_minor", "earned_minor", "paid_minor", "recovered_minor")


def books(currency: str = "USD", months: Months | None = None) -> Books:
    """The books of fern, of two years unless said."""
    with inside(shop_id("fern")):
        return read_books(months or Months.until(date(2027, 12, 1), 24, ZONE), currency, "US")


class Shop:
    """One shop that sells cover, and everybody acting on it as time goes on."""

    def __init__(self) -> None:
        self.now = NOW
        self.orders: list[str] = []
        self.claims: list[str] = []
        with inside(shop_id("fern")):
            self.known = session.query(Order).count()

    def act(self, name: str, which: int) -> None:
        self.now += timedelta(days=which * 3)
        with suppress(Conflict, Invalid):
            if name in ("sell", "bare claim"):
                self.sell(which, is_covered=name == "sell")
            elif name == "earn":
                earn(self.now)
            elif self.orders and name == "claim":
                order_id = self.orders[which % len(self.orders)]
                self.claims.append(claimed(order_id, now=self.now, lines={"MUG": 1}))
            elif self.orders and name == "cancel":
                cancel(self.orders[which % len(self.orders)], self.now)
            elif self.claims and name in ("paid", "refused", "by hand"):
                self.told(name)
            elif self.claims and name not in ("claim", "cancel"):
                on(self.claims[which % len(self.claims)], self._decide(name))

    def sell(self, which: int, *, is_covered: bool) -> None:
        """An order to one of the places; without cover it has a claim at once."""
        currency, country = PLACES[which % len(PLACES)]
        address = {"name": "Ada", "city": "Town", "region": "", "country": country}
        number = f"B{self.known + len(self.orders) + len(self.claims)}-{which}"
        made = covered if is_covered else bought
        order_id = made(number=number, now=self.now, currency=currency, shipping_address=address)
        if is_covered:
            self.orders.append(order_id)
        else:
            self.claims.append(claimed(order_id, now=self.now, lines={"MUG": 1}))

    def _decide(self, name: str) -> Callable[[Claim], object]:
        return {
            "approve": lambda claim: approve(claim, "staff", self.now, override_reason="Yes."),
            "decline": lambda claim: decline(claim, "staff", self.now, "no"),
            "appeal": lambda claim: appeal(claim, "customer", self.now, "Look again."),
            "call off": lambda claim: call_off(claim, "customer", self.now),
            "again": lambda claim: retry(claim, Act("staff", self.now)),
            "recover": lambda c: recover(c.id, 700, "carrier", "77-1", "staff", self.now),
            "take back": lambda c: take_back(c.id, "carrier", "77-1", "staff", self.now),
        }[name]

    def told(self, name: str) -> None:
        """The provider says what became of every refund, or staff paid those that failed."""
        with inside(shop_id("fern")), writing():
            for row in session.query(Settlement).filter(Settlement.kind == "refund"):
                with suppress(Conflict):
                    if name == "paid":
                        payout.succeeded(row.id, f"re_{row.key}", self.now)
                    elif name == "refused":
                        payout.failed(row.id, "The card is closed.", self.now)
                    else:
                        payout.by_hand(row.id, "staff", self.now, "bank transfer")

    def check(self) -> None:
        for currency, expected in self.expected().items():
            found = books(currency)
            self.check_sums(found, expected)
            self.check_split(found)
        with inside(shop_id("fern")):
            for cover in session.query(Protection):
                moved = Counter[str]()
                for entry in session.query(LedgerEntry).filter_by(subject=cover.id):
                    moved[entry.kind] += entry.amount_minor
                assert moved["earned"] in (0, moved["premium"])
                assert cover.status != "cancelled" or not moved["earned"]

    def check_sums(self, found: Books, expected: Counter[str]) -> None:
        both = found.total + found.uncovered
        assert {name: getattr(both, name) for name in MONEY} == {n: expected[n] for n in MONEY}
        for name in ("month", "lane", "kind"):
            assert sum(found.by(name).values(), Sum()) == found.total
        held = expected["sold_minor"] + expected["back_minor"] - expected["earned_minor"]
        assert list(found.reserves.values())[-1] == held >= 0

    def check_split(self, found: Books) -> None:
        """Two halves are the whole, and the second opens with what the first one closes with."""
        halves = [Months.of_year(year, ZONE) for year in (2026, 2027)]
        first, second = (books(found.currency, months) for months in halves)
        assert first.total + second.total == found.total
        assert list(first.reserves.values())[-1] == second.opening_minor

    def expected(self) -> dict[str, Counter[str]]:
        """Each currency's sums, straight from the ledger's rows."""
        found = {currency: Counter[str]() for currency, _ in PLACES}
        with inside(shop_id("fern")):
            claims = set(session.scalars(session.query(Claim.id).statement))
            for entry in session.query(LedgerEntry):
                amount, of_claim = entry.amount_minor, entry.subject in claims
                sums = found[entry.currency]
                if entry.kind == "premium":
                    sums["sold_minor" if amount > 0 else "back_minor"] += amount
                elif entry.kind in ("earned", "recovered"):
                    sums[f"{entry.kind}_minor"] += amount
                elif of_claim and entry.kind in ("refunded", "credited", "payout"):
                    sums["paid_minor"] += amount
        return found


steps = st.lists(st.tuples(st.sampled_from([*ACTS, "sell"]), st.integers(0, 4)), max_size=14)
FELL_THROUGH = [("sell", 0), ("claim", 0), ("paid", 0), ("earn", 1), ("refused", 4), ("again", 0)]
GIVEN_BACK = [("sell", 2), ("cancel", 0), ("paid", 0), ("refused", 3), ("by hand", 4), ("earn", 1)]
MIXED = [("sell", 0), ("sell", 1), ("sell", 2), ("claim", 2), ("paid", 1), ("bare claim", 4)]
MIXED += [("approve", 1), ("recover", 0), ("take back", 4), ("earn", 4), ("recover", 1)]


def every_step_holds(steps: list[tuple[str, int]]) -> None:
    shop = Shop()
    for name, which in steps:
        shop.act(name, which)
    shop.check()


@settings(max_examples=8, suppress_health_check=list(HealthCheck), deadline=None)
@example(steps=FELL_THROUGH)
@example(steps=GIVEN_BACK)
@example(steps=MIXED)
@given(steps=steps)
def test_whatever_happens_every_sum_is_the_ledgers(
    app: Flask, steps: list[tuple[str, int]]
) -> None:
    every_step_holds(steps)


@pytest.mark.long
@settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)
@given(steps=steps)
def test_whatever_happens_and_often_every_sum_is_the_ledgers(
    any_app: Flask, steps: list[tuple[str, int]]
) -> None:
    every_step_holds(steps)


def test_one_story_month_by_month_lane_by_lane(any_app: Flask) -> None:
    home = covered("1001")
    away = covered("1002", shipping_address={"name": "Bo", "city": "Oslo", "country": "NO"})
    gone = covered("1003")
    cancel(gone, NOW)
    earn(NOW + 2 * DAY)
    claim = claimed(home, now=NOW + 2 * DAY, lines={"MUG": 1})
    refund_done(claim)
    on(claim, lambda c: recover(c.id, 900, "carrier", "UPS-1", "staff:1", NOW + 20 * DAY))
    late = covered("1004", now=NOW + 20 * DAY)
    parcels(late, status="in_transit", delivered_at=None)
    found = books()
    months = found.by("month")
    assert months["2026-11"] == Sum(
        *(3 * PREMIUM, -PREMIUM, 2 * PREMIUM, MUG_MINOR),
        parcels=2,
        claimed=1,
        claims=1,
    )
    assert months["2026-12"] == Sum(sold_minor=PREMIUM, recovered_minor=900)
    assert (found.reserves["2026-11"], found.reserves["2026-12"]) == (0, PREMIUM)
    lanes = found.by("lane")
    assert set(lanes) == {"US>US", "US>NO"}
    assert lanes["US>NO"] == Sum(sold_minor=PREMIUM, earned_minor=PREMIUM, parcels=1)
    assert found.by("kind")["damaged"].paid_minor == MUG_MINOR
    assert found.total.payout_points is None  # of two parcels nothing is said
    assert away
    assert rows_of(found) == {
        "premium": (5, 3 * PREMIUM),
        "sold": (4, 4 * PREMIUM),
        "back": (1, -PREMIUM),
        "earned": (2, 2 * PREMIUM),
        "reserve": (1, PREMIUM),
        "paid": (1, MUG_MINOR),
        "recovered": (1, 900),
        "claims": (1, MUG_MINOR),
        "parcels": (2, 0),
        "claimed": (1, 0),
    }


def rows_of(books: Books) -> dict[str, tuple[int, int]]:
    """How many rows each figure has, and what they come to; those that have none are left out."""
    with inside(shop_id("fern")):
        asked = [Asked(what, books.months, books.currency) for what in FIGURES]
        found = [listed(each, 50) for each in asked]
        lane = listed(Asked("earned", books.months, books.currency, "US>NO", ""), 50)
        refusals(books.months, books.currency)
    assert [row.to for row in lane.rows] == ["NO"]
    assert all(len(each.rows) == each.count for each in found)
    return {
        each.what: (rows.count, rows.total_minor)
        for each, rows in zip(asked, found, strict=True)
        if rows.count
    }


def test_a_month_begins_where_the_shop_is(app: Flask) -> None:
    covered("1001", now=datetime(2026, 12, 1, 3, tzinfo=NOW.tzinfo))  # still November there
    assert books().by("month")["2026-11"].sold_minor == PREMIUM


def test_open_claims_cost_what_is_still_to_be_paid_within_the_cover(app: Flask) -> None:
    approved, waiting = covered("1001"), covered("1002")
    claimed(approved, lines={"MUG": 1})  # its refund is wanted, and has not gone out
    parcels(waiting, status="in_transit", delivered_at=None, last_scan_at=NOW, status_since=NOW)
    claimed(waiting, "lost")
    with inside(shop_id("fern")), writing():
        session.query(Protection).filter_by(order_id=waiting).one().parcel_minor = 2_000
    with inside(shop_id("fern")):
        found = {each.order: each for each in open_claims("USD", "US")}
        assert open_claims("EUR", "US") == []
    assert {n: (e.status, e.expected_minor) for n, e in found.items()} == {
        "1001": ("approved", MUG_MINOR),
        "1002": ("waiting", 2_000),
    }


def test_the_last_year_is_the_twelve_whole_months_before(app: Flask) -> None:
    covered("1001")
    earn(NOW + 2 * DAY)
    with inside(shop_id("fern")):
        assert currencies("USD") == ["USD"]
        [now] = count_years(NOW + 3 * DAY)
        [then] = count_years(NOW + 15 * DAY)
        [later] = count_years(NOW + 380 * DAY)
    assert [year.parcels for year in (now, then, later)] == [0, 1, 0]
    assert then.earned_minor == PREMIUM
