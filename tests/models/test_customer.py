"""Customers: one for each address in a shop, whoever is a moment faster."""

from __future__ import annotations

import threading
from contextvars import Context

import pytest
from flask import Flask

from portal import clock
from portal.db import inside, session, writing
from portal.models import Customer
from tests.conftest import shop_id


def customer_of(email: str, slug: str = "fern") -> str | None:
    with inside(shop_id(slug)), writing():
        return Customer.of(email, "", clock.now())


@pytest.mark.db
def test_an_address_is_one_customer_in_a_shop_and_another_in_the_next(any_app: Flask) -> None:
    first = customer_of("ann@example.com")
    assert customer_of(" ANN@Example.com ") == first
    assert customer_of("ann@example.com", "volta") not in {None, first}
    assert customer_of("anna@example.com") != first
    assert customer_of(" ") is None


@pytest.mark.db
def test_a_letter_that_only_looks_like_another_is_another_customer(any_app: Flask) -> None:
    assert customer_of("kim@example.com") != customer_of("\u212aim@example.com")


@pytest.mark.db
def test_of_many_at_once_one_makes_the_customer(any_app: Flask) -> None:
    found: list[str | None] = []
    gate = threading.Barrier(5)

    def run() -> None:
        with any_app.app_context():
            gate.wait()
            found.append(customer_of("ann@example.com"))
            session.remove()

    threads = [threading.Thread(target=Context().run, args=(run,)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 5
    assert len(set(found)) == 1
    with inside(shop_id("fern")):
        assert session.query(Customer).count() == 1
