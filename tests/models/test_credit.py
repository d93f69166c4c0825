"""Store credit: lots with an end, the first to end spent first, never more than there is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.db import inside, session, writing
from portal.models import Customer
from portal.models.change import Conflict
from portal.models.credit import balances, entries_of, give_credit, use_credit
from tests.conftest import shop_id
from tests.models.bought import NOW

DAY = timedelta(days=1)


def customer(email: str = "ada@example.com") -> str:
    with inside(shop_id("fern")), writing():
        found = Customer.of(email, "", NOW)
        assert found is not None
        return found


def test_credit_ends_on_its_day_without_anybody_doing_anything(any_app: Flask) -> None:
    ada = customer()
    with inside(shop_id("fern")), writing():
        give_credit(ada, 500, "EUR", "a", NOW, expires_at=NOW + DAY)
        give_credit(ada, 300, "EUR", "b", NOW)
        give_credit(ada, 200, "JPY", "c", NOW)
    with inside(shop_id("fern")):
        assert balances(ada, NOW) == {"EUR": 800, "JPY": 200}
        assert balances(ada, NOW + DAY) == {"EUR": 300, "JPY": 200}


def test_what_ends_first_is_spent_first(any_app: Flask) -> None:
    ada = customer()
    with inside(shop_id("fern")), writing():
        give_credit(ada, 300, "EUR", "a", NOW)
        give_credit(ada, 500, "EUR", "b", NOW, expires_at=NOW + DAY)
        use_credit(ada, 600, "EUR", "order", NOW)
    with inside(shop_id("fern")):
        assert balances(ada, NOW + DAY) == {"EUR": 200}


def test_the_same_cause_gives_and_takes_once(any_app: Flask) -> None:
    ada = customer()
    with inside(shop_id("fern")), writing():
        assert give_credit(ada, 300, "EUR", "a", NOW)
        assert not give_credit(ada, 300, "EUR", "a", NOW)
        for _ in range(2):
            use_credit(ada, 100, "EUR", "order", NOW)
        assert not give_credit(ada, 0, "EUR", "b", NOW)
    with inside(shop_id("fern")):
        assert balances(ada, NOW) == {"EUR": 200}
        assert [entry.amount_minor for entry in entries_of(ada)] == [300, -100]


def test_more_than_there_is_cannot_be_spent(any_app: Flask) -> None:
    ada = customer()
    with inside(shop_id("fern")), writing():
        give_credit(ada, 300, "EUR", "a", NOW)
    for amount, currency in ((301, "EUR"), (1, "USD")):
        with inside(shop_id("fern")), pytest.raises(Conflict), writing():
            use_credit(ada, amount, currency, "order", NOW)
    with inside(shop_id("fern")):
        assert balances(ada, NOW) == {"EUR": 300}


def test_any_giving_and_spending_adds_up(app: Flask) -> None:
    made = iter(range(10_000))

    @settings(deadline=None, max_examples=25)
    @given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 500)), max_size=6))
    def adds_up(acts: list[tuple[int, int]]) -> None:
        ada, left = customer(f"{next(made)}@example.com"), 0
        for n, (given_minor, spent) in enumerate(acts):
            with inside(shop_id("fern")), writing():
                give_credit(ada, given_minor, "EUR", f"{ada}:g{n}", NOW)
                left += given_minor
            try:
                with inside(shop_id("fern")), writing():
                    use_credit(ada, spent, "EUR", f"{ada}:s{n}", NOW)
                left -= spent
            except Conflict:
                assert spent > left
            with inside(shop_id("fern")):
                assert balances(ada, NOW).get("EUR", 0) == left
                assert sum(entry.amount_minor for entry in entries_of(ada)) == left
            session.remove()

    adds_up()
