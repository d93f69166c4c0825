"""What a link, a person or a shop sees is its own: walked from page to page, and with ids swapped.

Three orders with everything on them: two of one shop, one of the other. Every text that a customer
gave carries its owner's mark, so that a page that shows another's names whose it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from portal import clock
from portal.db import inside, session, writing
from portal.models import Claim, Link, Photo, Return
from portal.models.claim_request import AskedClaim, request_claim
from portal.models.rma_request import order_for_return
from portal.pictures import keep
from tests.conftest import shop_id
from tests.models.bought import MUG, SHIRT, ask, bought, shirts
from tests.pages.browser import Browser
from tests.staff.test_signin import joined

pytestmark = pytest.mark.long

LINKS = re.compile(r'(?:href|src|action|hx-get|data-src)="(/[^"#]*)')
NOT_FOLLOWED = ("/static", "/staff/sign-out", "/media", "/theme")
MOST_PAGES = 40
ROLES = ("owner", *(pytest.param(each, marks=pytest.mark.long) for each in ("agent", "warehouse")))


class Owner:
    """A customer of a shop with an order, a return and a claim, each with a photo."""

    def __init__(self, slug: str, mark: str) -> None:
        self.slug, self.mark = slug, mark
        now = clock.now()
        self.order_id = bought(
            slug,
            number=f"{mark}-1",
            now=now,
            email=f"{mark}@example.com",
            lines=[SHIRT | {"title": f"{mark} shirt"}, MUG | {"title": f"{mark} mug"}],
            shipping_address={"name": mark, "line1": mark, "city": mark, "country": "US"},
        )
        wish = shirts(1, "other", statement=f"{mark} says")
        self.return_id = ask(self.order_id, wish, slug=slug, now=now)
        self.claim_id = self._claimed()
        with inside(shop_id(slug)):
            rma, claim = Return.read(self.return_id), Claim.read(self.claim_id)
            assert rma is not None
            assert claim is not None
            self.starts = [f"/t/{Link.of(self.order_id)}", f"/r/{rma.token}", f"/c/{claim.token}"]
        self.photos = [self._photo(rma_id=self.return_id), self._photo(claim_id=self.claim_id)]

    def _claimed(self) -> str:
        with inside(shop_id(self.slug)), writing():
            order = order_for_return(self.order_id, lock=True)
            assert order is not None
            asked = AskedClaim("damaged", lines={"MUG": 1}, statement=f"{self.mark} broke")
            return request_claim(order, asked, "page", "customer", clock.now()).id

    def _photo(self, **of: str) -> str:
        with inside(shop_id(self.slug)), writing():
            photo_id = Photo.add(self.order_id, "MUG", "customer", clock.now())
            session.flush()
            session.query(Photo).filter_by(id=photo_id).update(of)
        keep(shop_id(self.slug), photo_id, f"RIFF {self.mark}".encode())
        return photo_id


@pytest.fixture
def owners(app: Flask) -> list[Owner]:
    return [Owner("fern", "ADAFERN"), Owner("fern", "BOBFERN"), Owner("volta", "EVEVOLTA")]


def walked(browser: Browser, *starts: str) -> Iterator[tuple[str, Any]]:
    """Every page that can be reached by links, with its answer."""
    waiting, seen = list(starts), set(starts)
    while waiting and len(seen) < MOST_PAGES:
        path = waiting.pop(0)
        answer = browser.get(path)
        yield path, answer
        found = [answer.headers.get("Location", "")]
        if answer.mimetype == "text/html":
            found = LINKS.findall(answer.text)
        for each in (link.replace("&amp;", "&") for link in found):
            if each.startswith("/") and each not in seen and not each.startswith(NOT_FOLLOWED):
                seen.add(each)
                waiting.append(each)


def test_from_a_customers_links_nothing_of_another_is_seen(app: Flask, owners: list[Owner]) -> None:
    for owner in owners:
        others = [other.mark.encode() for other in owners if other is not owner]
        seen = list(walked(Browser(app, owner.slug), *owner.starts))
        assert sum(owner.mark.encode() in answer.data for _, answer in seen) >= 4, owner.mark
        for path, answer in seen:
            assert answer.status_code < 500, path
            assert not [mark for mark in others if mark in answer.data], path


def test_a_customers_pages_are_not_there_at_another_shop(app: Flask, owners: list[Owner]) -> None:
    ada, _, eve = owners
    for owner, elsewhere in ((ada, "volta"), (eve, "fern")):
        own = [path for path, _ in walked(Browser(app, owner.slug), *owner.starts)]
        mine = [path for path in own if path.startswith(("/t/", "/r/", "/c/"))]
        assert len(mine) > 5
        for path in mine:
            answer = Browser(app, elsewhere).get(path)
            assert answer.status_code in (404, 405), path
            assert owner.mark.encode() not in answer.data, path


def test_anothers_photo_is_not_shown_under_ones_own_link(app: Flask, owners: list[Owner]) -> None:
    for owner in owners:
        _, its_return, its_claim = owner.starts
        for other in owners:
            for start, photo in zip((its_return, its_claim), other.photos, strict=True):
                status = 200 if owner is other else 404
                shown = Browser(app, owner.slug).get(f"{start}/photos/{photo}")
                assert shown.status_code == status, start
        mixed = f"{its_return}/photos/{owner.photos[1]}"
        assert Browser(app, owner.slug).get(mixed).status_code == 404, "of the claim, not of this"


@pytest.mark.parametrize("role", ROLES)
def test_staff_see_nothing_of_another_shop(app: Flask, owners: list[Owner], role: str) -> None:
    browser = joined(app, role=role)
    ada, bob, eve = owners
    own = [f"/staff/returns/{ada.return_id}", f"/staff/claims/{bob.claim_id}"]
    seen = list(walked(browser, "/staff/queue", *own))
    assert any(ada.mark.encode() in answer.data for _, answer in seen)
    for path, answer in seen:
        assert answer.status_code < 500, path
        assert eve.mark.encode() not in answer.data, path
    for path in (
        f"/staff/returns/{eve.return_id}",
        f"/staff/claims/{eve.claim_id}",
        *(f"/staff/photos/{photo}" for photo in eve.photos),
    ):
        assert browser.get(path).status_code == 404, path
    assert browser.get(f"/staff/photos/{ada.photos[0]}").status_code == 200
