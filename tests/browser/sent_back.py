"""Orders to send back for a real browser, as the API would be given them, and one at the desk."""

from __future__ import annotations

from dataclasses import dataclass

from portal.db import inside, writing
from portal.models import Link, Return
from portal.models.staff import Staff
from tests.conftest import shop_id
from tests.models.bought import ask, bought, shirts, sold
from tests.pages.samples import NOW


@dataclass(frozen=True)
class Counter:
    """What one brand has to send back: paths, and an invitation to its desk."""

    fresh: tuple[str, ...]  # pages of orders that nothing was asked of, one for each walk
    approved: str
    waiting: str
    desk: str
    at_desk: str  # the page of what waits, as staff see it


WALKS = 10


def stock_returns(brand: str) -> Counter:
    """Store them, inside an app context."""
    fresh = [bought(brand, f"R{n}", NOW) for n in range(WALKS)]
    sold(brand, "TEE-L")
    sold(
        brand,
        "TEE-XL",
        available=50,
        price_minor=2_400,
        options={"size": "A rather long name for a size XL"},
    )
    approved = ask(bought(brand, "R20", NOW), shirts(2), slug=brand, now=NOW, method="own_label")
    waiting = ask(bought(brand, "R21", NOW), shirts(1, "other"), slug=brand, now=NOW)
    with inside(shop_id(brand)), writing():
        _, invitation = Staff.invite(f"dana@{brand}.test", "owner", NOW)
    with inside(shop_id(brand)):
        return Counter(
            fresh=tuple(f"/t/{Link.of(order)}" for order in fresh),
            approved=f"/r/{_token(approved)}",
            waiting=f"/r/{_token(waiting)}",
            desk=f"/staff/invitation/{invitation}",
            at_desk=f"/staff/returns/{waiting}",
        )


def _token(rma_id: str) -> str:
    rma = Return.read(rma_id)
    assert rma is not None
    return rma.token
