"""The rehearsal's books: every state of cover and of claims, and a year that adds up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from portal import create_app
from portal.db import db, inside, session
from portal.models import Claim, CoverRecord, Protection, Shop
from portal.models.cover_record import public_year
from tests.conftest import settings_for, shop_id
from tests.demo.conftest import Demo


@pytest.fixture
def house(demo: Demo) -> Iterator[None]:
    """The database of the running demo, to be read."""
    with create_app(settings_for(demo.url), as_demo=True).app_context():
        yield
        session.remove()
        db.engine.dispose()


@pytest.mark.usefixtures("house")
def test_cover_and_claims_of_the_demo_are_in_every_state() -> None:
    for slug in ("fern", "volta"):
        with inside(shop_id(slug)):
            covers = set(session.scalars(session.query(Protection.status).statement))
            claims = set(session.query(Claim.status, Claim.appeal != "").all())
        assert covers == {"active", "cancelled", "ended", "refused"}
        states = {state for state, _ in claims}
        assert states >= {"waiting", "open", "approved", "paid", "declined"}
        assert ("open", True) in claims, "one is appealed"


@pytest.mark.usefixtures("house")
def test_the_last_year_of_the_demo_adds_up_and_one_brand_says_so() -> None:
    with inside(shop_id("fern")):
        year = public_year(session.get_one(Shop, shop_id("fern")).settings, "USD")
        assert year is not None
        assert (year.parcels, year.claimed) in {(33, 3), (30, 3)}  # by the day of the month
        assert 4_000 < year.paid_minor * 10_000 // year.earned_minor < 9_000
    with inside(shop_id("volta")):
        assert session.query(CoverRecord).one().parcels < 30
