"""Many at once on one unit, one return, one refund, the last piece: exactly one effect."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing import get_context
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from portal import create_app
from portal.db import db, inside, session, writing
from portal.models import Exchange, LedgerEntry, Return, Settlement, UnitClaim, Variant, payout
from portal.models.change import Conflict
from portal.models.credit import balances, give_credit, use_credit
from portal.models.order import Order
from portal.models.rma_acts import approve, cancel, decline
from portal.models.rma_receipt import Count, receive
from portal.models.rma_rows import Act
from portal.models.rma_settle import resolve
from portal.models.unit_claim import claim_units
from portal.turns import Busy
from tests.conftest import settings_for, shop_id
from tests.models.bought import NOW, ask, bought, requested, rma, shirts, sold

AT_ONCE = 8
ACT = Act("staff", NOW)


@pytest.fixture
def fern(any_app: Flask) -> Iterator[int]:
    """The shop everything happens in, on each database in turn."""
    return shop_id("fern")


def together(app: Flask, shop: int, *acts: Callable[[], object]) -> list[str]:
    """Do all at once, each in its own thread and transaction: `done`, or why not.

    Who is told that the database is busy asks again, as a client does.
    """
    start, told = threading.Barrier(len(acts)), list[str]()

    def run(act: Callable[[], object]) -> None:
        with app.app_context():
            start.wait(timeout=60)
            outcome = ""
            while not outcome:
                with suppress(Busy, OperationalError):
                    outcome = tried(act)
            told.append(outcome)

    def tried(act: Callable[[], object]) -> str:
        try:
            with inside(shop), writing():
                found = act()
        except Conflict:
            return "refused"
        return "nothing" if found is False or found == [] else "done"

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=240)
    assert len(told) == len(acts)
    return sorted(told)


def once(told: list[str]) -> bool:
    """Whether exactly one had an effect."""
    return told.count("done") == 1


def locked(id: str) -> Return:
    found = Return.locked(id)
    assert found is not None
    return found


def count(statement: object) -> int:
    return int(session.scalar(statement) or 0)  # type: ignore[call-overload]


def test_a_unit_goes_into_one_return(any_app: Flask, fern: int) -> None:
    order_id = bought()

    assert once(together(any_app, fern, *[lambda: requested(order_id, shirts(3))] * AT_ONCE))
    with inside(fern):
        assert count(select(func.count()).select_from(UnitClaim)) == 3


def test_a_unit_goes_into_a_return_or_a_claim(any_app: Flask, fern: int) -> None:
    order_id = bought()
    with inside(fern):
        order = session.get_one(Order, order_id)
        unit_id = order.lines[0].units[0].id

    def claim(holder: str) -> Callable[[], object]:
        return lambda: claim_units([unit_id], holder, NOW)

    returns = [lambda: requested(order_id, shirts(3))] * (AT_ONCE // 2)
    claims = [claim(f"clm_{n}") for n in range(AT_ONCE // 2)]
    assert once(together(any_app, fern, *claims, *returns))


def test_one_of_those_who_decide_together_decides(any_app: Flask, fern: int) -> None:
    id = ask(bought(), shirts(1, "other"))
    acts = [lambda: approve(locked(id), "ann", NOW), lambda: decline(locked(id), "bob", NOW, "no")]
    assert once(together(any_app, fern, *acts * (AT_ONCE // 2)))
    with inside(fern):
        assert rma(id).status in ("approved", "declined")


def test_a_return_is_settled_once(any_app: Flask, fern: int) -> None:
    id = ask(bought(), shirts(2))
    with inside(fern), writing():
        receive(locked(id), [Count("TEE-M", 2)], "staff", NOW)
    assert once(together(any_app, fern, *[lambda: resolve(locked(id), None, ACT)] * AT_ONCE))
    with inside(fern):
        assert count(select(func.sum(Settlement.amount_minor))) == 3_800


def test_a_refund_is_booked_once_however_often_it_is_told(any_app: Flask, fern: int) -> None:
    id = ask(bought(), shirts(2))
    with inside(fern), writing():
        receive(locked(id), [Count("TEE-M", 2)], "staff", NOW)
        [row] = resolve(locked(id), None, ACT)
        refund = row.id
    with inside(fern), writing():
        assert payout.begin(refund, NOW)
    acts = [lambda: payout.succeeded(refund, "re_1", NOW)] * AT_ONCE
    assert once(together(any_app, fern, *acts))
    with inside(fern):
        mine = select(func.sum(LedgerEntry.amount_minor)).where(LedgerEntry.kind == "refunded")
        assert count(mine) == 3_800
        assert rma(id).status == "settled"


def test_the_last_piece_goes_to_one(any_app: Flask, fern: int) -> None:
    sold(available=1)
    ids = [
        ask(bought(number=f"N{n}"), shirts(1, "other", resolution="exchange", exchange_sku="TEE-L"))
        for n in range(4)
    ]
    acts = [lambda id=id: approve(locked(id), "ann", NOW) for id in ids]
    together(any_app, fern, *acts)
    with inside(fern):
        states = sorted(session.scalars(select(Exchange.status)))
        assert states == ["fallen_back", "fallen_back", "fallen_back", "reserved"]
        assert session.scalars(select(Variant.available)).one() == 0


def test_a_kept_piece_is_let_go_once(any_app: Flask, fern: int) -> None:
    sold(available=1)
    id = ask(bought(), shirts(1, resolution="exchange", exchange_sku="TEE-L"))
    acts = [lambda: cancel(locked(id), "customer", NOW)] * AT_ONCE
    assert once(together(any_app, fern, *acts))
    with inside(fern):
        assert session.scalars(select(Variant.available)).one() == 1


def test_credit_is_spent_once(any_app: Flask, fern: int) -> None:
    with inside(fern):
        customer = session.get_one(Order, bought()).customer_id
        assert customer is not None
    with inside(fern), writing():
        give_credit(customer, 1_000, "USD", "a", NOW)
    acts = [lambda n=n: use_credit(customer, 700, "USD", f"order-{n}", NOW) for n in range(AT_ONCE)]
    assert once(together(any_app, fern, *acts))
    with inside(fern):
        assert balances(customer, NOW) == {"USD": 300}


@pytest.mark.long
@pytest.mark.parametrize("left", [1, 7])
def test_fifty_at_once_share_out_what_is_left(any_app: Flask, fern: int, left: int) -> None:
    """Approvals that reserve the same article; then some are called off, one of them often."""
    sold(available=left)
    ids = [
        ask(bought(number=f"N{n}"), shirts(1, "other", resolution="exchange", exchange_sku="TEE-L"))
        for n in range(50)
    ]
    together(any_app, fern, *[lambda id=id: approve(locked(id), "ann", NOW) for id in ids])
    with inside(fern):
        assert session.scalars(select(Variant.available)).one() == 0
        kept = count(select(func.count()).where(Exchange.status == "reserved"))
        assert (kept, count(select(func.count()).select_from(Exchange))) == (left, 50)
        first = session.scalars(
            select(Exchange.rma_id).where(Exchange.status == "reserved")
        ).first()
        session.expunge_all()
    assert first is not None
    acts = [lambda: cancel(locked(first), "customer", NOW)] * 25
    others = [id for id in ids if id != first][:25]
    told = together(
        any_app, fern, *acts, *[lambda id=id: cancel(locked(id), "customer", NOW) for id in others]
    )
    assert told.count("done") == 1 + len(others)
    with inside(fern):
        available = session.scalars(select(Variant.available)).one()
        still = count(select(func.count()).where(Exchange.status == "reserved"))
        assert available is not None
        assert available + still == left, "each was let go once"


@pytest.mark.long
def test_fifty_at_once_have_one_effect_each(any_app: Flask, fern: int) -> None:
    """A unit, its payment, the news of its refund, and credit."""
    order_id = bought()
    assert once(together(any_app, fern, *[lambda: requested(order_id, shirts(3))] * 50))
    id = ask(bought(number="1002"), shirts(2))
    with inside(fern), writing():
        receive(locked(id), [Count("TEE-M", 2)], "staff", NOW)
    assert once(together(any_app, fern, *[lambda: resolve(locked(id), None, ACT)] * 50))
    with inside(fern):
        row = session.scalars(select(Settlement).where(Settlement.subject == id)).one()
        customer = session.get_one(Order, order_id).customer_id
        session.expunge_all()
    assert once(together(any_app, fern, *[lambda: payout.succeeded(row.id, "re_1", NOW)] * 50))
    assert customer is not None
    with inside(fern), writing():
        give_credit(customer, 1_000, "USD", "a", NOW)
    acts = [lambda n=n: use_credit(customer, 700, "USD", f"order-{n}", NOW) for n in range(50)]
    assert once(together(any_app, fern, *acts))
    with inside(fern):
        booked = select(func.sum(LedgerEntry.amount_minor)).where(LedgerEntry.kind == "refunded")
        assert count(booked) == row.amount_minor
        assert balances(customer, NOW) == {"USD": 300}


# --- as processes of their own ------------------------------------------------------------------


def settle_alone(url: str, return_id: str, start: Any, told: Any) -> None:
    """One process: it opens the house, waits for the others, and settles."""
    app = create_app(settings_for(url))
    with app.app_context():
        shop = shop_id("fern")
        start.wait(timeout=120)
        try:
            with inside(shop), writing():
                rows = resolve(locked(return_id), None, ACT)
            told.put("done" if rows else "nothing")
        except (Conflict, OperationalError):  # or the lock was not to be had: 503, ask again
            told.put("refused")
        session.remove()
        db.engine.dispose()


@pytest.mark.long
def test_eight_processes_settle_a_return_once(any_app: Flask, fern: int, database_url: str) -> None:
    id = ask(bought(), shirts(2))
    with inside(fern), writing():
        receive(locked(id), [Count("TEE-M", 2)], "staff", NOW)
    spawn = get_context("spawn")
    start, told = spawn.Barrier(AT_ONCE), spawn.Queue()
    workers = [
        spawn.Process(target=settle_alone, args=(database_url, id, start, told))
        for _ in range(AT_ONCE)
    ]
    for worker in workers:
        worker.start()
    said = [told.get(timeout=120) for _ in workers]
    for worker in workers:
        worker.join(timeout=30)
    assert once(said), said
    with inside(fern):
        assert count(select(func.sum(Settlement.amount_minor))) == 3_800
