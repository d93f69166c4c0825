"""The trail of who did what: sealed in order, and every change behind its back is found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import delete, func, select, update

from portal import clock, create_app
from portal.db import db, every_shop, inside, session, writing
from portal.jobs.seal import perform, plan_seals
from portal.jobs.work import work
from portal.models import AuditEntry
from portal.models.audit import AuditHead, record
from portal.models.chain import BATCH
from portal.models.due import claim
from tests.cli.conftest import Run
from tests.conftest import settings_for, shop_id

ENTRIES = 7


@pytest.fixture
def house(environ: dict[str, str]) -> Iterator[Flask]:
    app = create_app(settings_for(environ["DATABASE_URL"], QUEUE_URL=environ["QUEUE_URL"]))
    with app.app_context():
        yield app
        session.remove()
        db.engine.dispose()


@pytest.fixture
def sealed(house: Flask, fern: str) -> str:
    """A shop with a chain of seven entries."""
    write(ENTRIES)
    seal()
    return fern


def write(count: int) -> None:
    with inside(shop_id("fern")), writing():
        for place in range(count):
            record("operator", "thing.done", f"thing:{place}", after={"n": place, "ä": "ü"})


def seal() -> None:
    """What the worker does: the chore plans, the queue seals."""
    with every_shop(), writing():
        plan_seals(clock.now())
    work("seal")


def tamper(statement: object) -> None:
    with every_shop(), writing():
        session.execute(statement)  # type: ignore[call-overload]


def at(place: int) -> object:
    return AuditEntry.place == place


def test_sealing_gives_every_entry_its_place(run: Run, sealed: str) -> None:
    with inside(shop_id("fern")):
        places = session.scalars(select(AuditEntry.place).order_by(AuditEntry.id)).all()
    assert places == list(range(1, ENTRIES + 1))
    done = run("audit", "verify")
    assert done.exit_code == 0, done.output
    assert "fern  7 sealed, 0 not yet sealed" in done.output
    assert done.output.rstrip().endswith("ok")


def test_what_came_since_is_counted_and_sealed_next_time(run: Run, sealed: str) -> None:
    write(2)
    assert "7 sealed, 2 not yet sealed" in run("audit", "verify").output
    seal()
    assert "9 sealed, 0 not yet sealed" in run("audit", "verify").output


def test_more_than_a_batch_is_sealed_in_one_go(run: Run, house: Flask, fern: str) -> None:
    write(BATCH + 3)
    seal()
    assert f"{BATCH + 3} sealed, 0 not yet sealed" in run("audit", "verify").output


def test_sealing_again_changes_nothing(run: Run, sealed: str) -> None:
    before = run("audit", "verify").output
    seal()
    assert run("audit", "verify").output == before


def test_an_entry_written_late_under_an_earlier_id_takes_the_next_place(
    run: Run, sealed: str
) -> None:
    with inside(shop_id("fern")), writing():
        session.add(AuditEntry(id=-5, who="customer", act="late", subject="thing:late"))
    seal()
    assert "8 sealed, 0 not yet sealed" in run("audit", "verify").output


TAMPERING: dict[str, tuple[Callable[[], object], str]] = {
    "an edited word": (
        lambda: update(AuditEntry).where(at(3)).values(who="somebody else"),
        "BROKEN: entry 3 (id ",
    ),
    "an edited value": (
        lambda: update(AuditEntry).where(at(7)).values(after={"n": 99}),
        "BROKEN: entry 7 (id ",
    ),
    "a deleted entry": (
        lambda: delete(AuditEntry).where(at(4)),
        "BROKEN: entry 4 of the chain is missing; the next one there is 5",
    ),
    "the newest entries cut off": (
        lambda: delete(AuditEntry).where(AuditEntry.place > 5),
        "BROKEN: entry 6 of the chain is missing; it went up to 7",
    ),
    "all entries deleted": (
        lambda: delete(AuditEntry),
        "BROKEN: entry 1 of the chain is missing; it went up to 7",
    ),
    "the end's mark deleted": (
        lambda: delete(AuditHead),
        "BROKEN: the end of the chain is not marked any more",
    ),
}


@pytest.mark.parametrize("kind", list(TAMPERING))
def test_tampering_is_found_and_named(run: Run, sealed: str, kind: str) -> None:
    change, said = TAMPERING[kind]
    tamper(change())
    done = run("audit", "verify")
    assert done.exit_code == 1
    assert said in done.output


def test_two_entries_that_changed_places_are_found(run: Run, sealed: str) -> None:
    tamper(update(AuditEntry).where(at(2)).values(place=100))
    tamper(update(AuditEntry).where(at(3)).values(place=2))
    tamper(update(AuditEntry).where(at(100)).values(place=3))
    assert "BROKEN: entry 2 (id " in run("audit", "verify").output


def test_cutting_off_the_end_and_its_mark_needs_the_houses_key(run: Run, sealed: str) -> None:
    tamper(delete(AuditEntry).where(AuditEntry.place > 5))
    with inside(shop_id("fern")):
        last = session.scalar(select(AuditEntry.seal).where(AuditEntry.place == 5))
    tamper(update(AuditHead).values(place=5, seal=last))
    done = run("audit", "verify")
    assert done.exit_code == 1
    assert "was not made with this house's SECRET_KEY" in done.output


def test_the_chain_outlives_a_change_of_keys(run: Run, sealed: str, house: Flask) -> None:
    new = "another-secret-of-the-house-98765432109876"
    changed = {"SECRET_KEY": new, "SECRET_KEY_FALLBACKS": "a-secret-for-tests-0123456789abcdefghij"}
    assert run("audit", "verify", **changed).exit_code == 0
    assert run("audit", "verify", SECRET_KEY=new).exit_code == 1


def test_a_worker_that_lost_its_lease_seals_nothing(sealed: str) -> None:
    write(1)
    with every_shop(), writing():
        plan_seals(clock.now())
        [lease] = claim("seal", 1, clock.now())
    perform(replace(lease, fence=lease.fence - 1))
    with every_shop():
        waiting = select(func.count()).select_from(AuditEntry).where(AuditEntry.place.is_(None))
        assert session.scalar(waiting) == 1
