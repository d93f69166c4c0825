"""Points that suggest a second look, from the shop's own history, each with its evidence.

Points open a review and nothing else: a policy that would decline for them is refused when it is
read. The customer's good history counts too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from returns.facts import bps_of


@dataclass(frozen=True, kw_only=True)
class History:
    """A customer's history with this shop, this order left out. Counts, and units of goods.

    `shop_return_rate_bps` is the shop's own median over customers, for comparison; None while
    there are too few to tell.
    """

    orders: int = 0
    units_bought: int = 0
    units_returned: int = 0
    shop_return_rate_bps: int | None = None
    claims: int = 0
    empty_parcels: int = 0
    wrong_items_sent_back: int = 0
    worn_items_sent_back: int = 0
    weight_mismatches: int = 0
    items_kept: int = 0
    failed_charges: int = 0
    open_returns: int = 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why points were given: a code, the points, and the numbers they rest on."""

    code: str
    points: int
    values: dict[str, int]


@dataclass(frozen=True, slots=True)
class Risk:
    """Points from 0 to 100 and everything that made them."""

    points: int
    evidence: tuple[Evidence, ...]


# Points for each, and the most one kind may give: nobody is a case for one bad parcel.
COUNTED: Final[dict[str, tuple[int, int]]] = {
    "empty_parcels": (30, 60),
    "wrong_items_sent_back": (25, 50),
    "weight_mismatches": (20, 40),
    "worn_items_sent_back": (15, 30),
    "failed_charges": (15, 30),
}
ENOUGH_UNITS: Final = 8  # a rate over fewer units says nothing
ENOUGH_ORDERS: Final = 4


def risk_of(history: History) -> Risk:
    """Add up a history. The same history gives the same points, and every point has a reason."""
    counted = [
        Evidence(code, min(most, each * getattr(history, code)), {"count": getattr(history, code)})
        for code, (each, most) in COUNTED.items()
        if getattr(history, code) > 0
    ]
    rated = [found for rate in _RATES if (found := rate(history)) is not None]
    evidence = (*counted, *rated)
    return Risk(max(0, min(100, sum(one.points for one in evidence))), evidence)


def _return_rate(history: History) -> Evidence | None:
    """Twice the shop's median or more, over enough units."""
    rate, usual = bps_of(history.units_returned, history.units_bought), history.shop_return_rate_bps
    if rate is None or usual is None or history.units_bought < ENOUGH_UNITS:
        return None
    if rate < max(2 * usual, 5_000):
        return None
    values = {"rate_bps": rate, "shop_rate_bps": usual, "units_bought": history.units_bought}
    return Evidence("return_rate", 15, values)


def _claims(history: History) -> Evidence | None:
    """A claim on every second order or more."""
    if history.orders < ENOUGH_ORDERS or history.claims * 2 < history.orders:
        return None
    return Evidence("claims", 20, {"claims": history.claims, "orders": history.orders})


def _kept(history: History) -> Evidence | None:
    """Items refunded without a return, three or more."""
    return (
        Evidence("items_kept", 15, {"count": history.items_kept})
        if history.items_kept > 2
        else None
    )


def _open_returns(history: History) -> Evidence | None:
    """Many returns open at once: none of them judged yet."""
    if history.open_returns < 3:
        return None
    return Evidence("open_returns", 10, {"count": history.open_returns})


def _good_history(history: History) -> Evidence | None:
    """Enough orders and nothing against them takes points off."""
    bad = any(getattr(history, code) for code in COUNTED)
    if bad or history.orders < ENOUGH_ORDERS:
        return None
    return Evidence("good_history", -20, {"orders": history.orders})


_RATES: Final[tuple[Callable[[History], Evidence | None], ...]] = (
    _return_rate,
    _claims,
    _kept,
    _open_returns,
    _good_history,
)
