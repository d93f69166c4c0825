"""Two kinds of session, a filter closed by default, leases with fencing: on both databases."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import aliased

from portal.db import every_shop, insert_new, inside, new_id, session, writing
from portal.migrations import downgrade, schema_is_current, upgrade
from portal.models import Customer, Due, Shop, Variant
from portal.models.due import claim, finish, plan
from portal.tenancy import WrongShop
from tests.conftest import shop_id

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def customer(email: str) -> Customer:
    return Customer(email=email, email_key=email)


def filled() -> tuple[int, int]:
    fern, volta = shop_id("fern"), shop_id("volta")
    for shop, email in ((fern, "a@fern.test"), (volta, "b@volta.test")):
        with inside(shop), writing():
            session.add(customer(email))
    return fern, volta


def test_no_scope_shows_no_rows(any_app: Flask) -> None:
    filled()
    assert session.scalars(select(Customer)).all() == []
    assert session.scalar(select(func.count()).select_from(Customer)) == 0


def test_each_kind_of_statement_sees_one_shop(any_app: Flask) -> None:
    fern, _ = filled()
    other = aliased(Customer)
    with inside(fern):
        assert session.scalars(select(Customer.email)).all() == ["a@fern.test"]
        assert session.scalars(select(other.email)).all() == ["a@fern.test"]
        inner = select(Customer.email).correlate(None).scalar_subquery()
        assert session.scalar(select(inner)) == "a@fern.test"
        with writing():
            session.execute(update(Customer).values(phone="1"))
    with every_shop():
        phones = dict(session.execute(select(Customer.email, Customer.phone)).all())
    assert phones == {"a@fern.test": "1", "b@volta.test": ""}


def test_a_row_of_another_shop_is_not_written(any_app: Flask) -> None:
    fern, volta = filled()
    with pytest.raises(WrongShop), inside(fern), writing():
        session.add(Customer(shop_id=volta, email="x", email_key="x"))
    with pytest.raises(WrongShop), inside(fern), writing():
        session.execute(insert(Customer), [{"id": "c", "shop_id": volta, "email_key": "x"}])


def test_reading_cannot_write(any_app: Flask) -> None:
    fern, _ = filled()
    with inside(fern):
        session.add(customer("late@fern.test"))
        with pytest.raises(DBAPIError):
            session.commit()
        session.rollback()


def test_new_rows_are_inserted_once(any_app: Flask) -> None:
    fern, volta = filled()
    row = {"sku": "A", "title": "A", "price_minor": 1, "currency": "EUR"}
    for shop in (fern, volta, fern):
        with inside(shop), writing():
            insert_new(Variant, [row], ["shop_id", "sku"])
    with every_shop():
        assert session.scalar(select(func.count()).select_from(Variant)) == 2


def test_updates_of_eight_writers_all_count(any_app: Flask) -> None:
    def add() -> None:
        with any_app.app_context():
            for _ in range(10):
                with writing():
                    shop = _locked()
                    shop.settings = {"n": shop.settings.get("n", 0) + 1}

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    session.rollback()
    assert _locked(lock=False).settings["n"] == 80


def _locked(lock: bool = True) -> Shop:
    statement = select(Shop).where(Shop.slug == "fern")
    return session.execute(statement.with_for_update() if lock else statement).scalar_one()


def test_the_schema_goes_down_and_up_again(any_app: Flask) -> None:
    assert schema_is_current()
    session.remove()
    downgrade("base")
    assert not schema_is_current()
    upgrade()
    assert schema_is_current()


def leased(queue: str = "poll", at: datetime = NOW, limit: int = 5):
    with writing():
        return claim(queue, limit, at)


def test_work_is_claimed_once_and_comes_back_when_a_worker_dies(any_app: Flask) -> None:
    with writing():
        plan("poll", "shp_1", 1, NOW)
    [first] = leased()
    assert leased() == []
    [second] = leased(at=NOW + timedelta(minutes=4))
    with writing():
        assert not finish(first)
        assert finish(second)
    assert session.scalar(select(func.count()).select_from(Due)) == 0


def test_work_asked_for_while_under_way_is_done_once_more(any_app: Flask) -> None:
    with writing():
        plan("poll", "shp_1", 1, NOW)
    [lease] = leased()
    with writing():
        plan("poll", "shp_1", 1, NOW)
    assert leased() == []
    with writing():
        assert finish(lease, NOW + timedelta(hours=3))
    assert len(leased()) == 1


def test_planning_keeps_the_earlier_time(any_app: Flask) -> None:
    for hours in (3, 1, 2):
        with writing():
            plan("poll", "shp_1", 1, NOW + timedelta(hours=hours))
    assert leased(at=NOW + timedelta(minutes=59)) == []
    assert len(leased(at=NOW + timedelta(minutes=61))) == 1


def test_four_claimers_never_share_a_row(any_app: Flask) -> None:
    with writing():
        for n in range(100):
            plan("poll", f"shp_{n}", 1, NOW)
    got: list[str] = []

    def take() -> None:
        with any_app.app_context():
            while True:
                mine = leased(limit=7)
                if not mine:
                    return
                got.extend(lease.subject for lease in mine)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == len(set(got)) == 100


def test_ids_sort_by_time() -> None:
    ids = [new_id("ord", NOW + timedelta(seconds=n)) for n in range(5)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 5
