"""Demo orders for sending things back: one for each outcome, and returns already under way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from portal.demo.tales import BRANDS, Brand, Parcel, Tale, number_for
from portal.models.rma_facts import Asked
from returns.lint import EU


@dataclass(frozen=True, slots=True)
class Errand:
    """One delivered order, what it is there to show, and how its return went on, if it has one."""

    tale: Tale
    final: tuple[int, ...] = ()  # which of its lines were sold for good
    asked: Asked | None = None  # the return that is there already
    waits: timedelta = timedelta(hours=2)  # how long ago it was asked for
    went: str = ""  # how far it went: arrived, settled


@dataclass(frozen=True, slots=True)
class Cast:
    """Which goods of a brand play which part, by their place among its goods."""

    prefix: str
    base: int
    plain: int
    swap: int  # has variants
    dearer: str  # the sku of one that costs more
    small: int  # may be kept when something is wrong with it
    many: int  # ordered three at once


CASTS: Final = {
    "fern": Cast("", 1061, plain=4, swap=1, dearer="TEAPOT-DUSK", small=5, many=2),
    "volta": Cast("VN-", 20461, plain=1, swap=0, dearer="NINE-PRO", small=4, many=7),
}


def errands(brand: Brand) -> tuple[Errand, ...]:
    """Everything a visitor can walk through, in the order it is listed."""
    cast = CASTS[brand.slug]
    return (*_outcomes(brand, cast), *_under_way(brand, cast))


def all_errands() -> Iterator[tuple[Brand, tuple[Errand, ...]]]:
    """Both brands with theirs."""
    return ((brand, errands(brand)) for brand in BRANDS)


def ordered(
    brand: Brand, n: int, shows: str, goods: tuple[int, ...], days: int = 3, quantity: int = 1
) -> Tale:
    """An order that was delivered so many days ago, 0: now; in as many days where negative."""
    cast = CASTS[brand.slug]
    carrier = brand.tales[0].parcels[0].carrier
    number = number_for(carrier, cast.base + n)
    kind = "delivered" if days > 0 else "on_time"
    parcel = Parcel(kind, carrier, number, days_left=-days)
    return Tale(f"{cast.prefix}{cast.base + n}", shows, (parcel,), goods, quantity, days + 13)


def _outcomes(brand: Brand, cast: Cast) -> Iterator[Errand]:
    plain, swap = cast.plain, cast.swap
    yield Errand(ordered(brand, 0, "Approved at once: say you changed your mind", (plain, swap)))
    yield Errand(ordered(brand, 1, "Exchange it: even, dearer or cheaper", (swap,)))
    yield Errand(ordered(brand, 2, "A person decides: say it is something else", (plain,)))
    yield Errand(ordered(brand, 3, "A photo is asked for: say it arrived broken", (plain,)))
    yield Errand(ordered(brand, 4, "Keep it: say it is broken", (cast.small,)))
    mixed = ordered(brand, 5, "One can go back, one was a final sale", (plain, swap))
    yield Errand(mixed, final=(1,))
    yield Errand(ordered(brand, 6, "Too late: the window has closed", (plain, swap), days=45))
    yield Errand(ordered(brand, 7, "Not delivered yet", (plain,), days=-4))
    at_once = "Exchanged at once: another at the same price, brought to the shop"
    yield Errand(ordered(brand, 9, at_once, (swap,)))
    if brand.look["country"] in EU:
        shows = "Withdraw from the contract: the link is at the foot of its page"
        yield Errand(ordered(brand, 8, shows, (plain, swap)))


def _under_way(brand: Brand, cast: Cast) -> Iterator[Errand]:
    plain, swap, many = (brand.goods[n].sku for n in (cast.plain, cast.swap, cast.many))
    told = "It looks different from the picture."
    yield Errand(
        ordered(brand, 10, "Return: waits for a decision", (cast.plain,)),
        asked=Asked.of(plain, 1, "other", statement=told),
    )
    yield Errand(
        ordered(brand, 11, "Return: waits too long for a decision", (cast.plain,)),
        asked=Asked.of(plain, 1, "arrived_broken", statement="It came in pieces."),
        waits=timedelta(days=2),
    )
    yield Errand(
        ordered(brand, 12, "Return: approved, with its label", (cast.plain,)),
        asked=Asked.of(plain, 1, "changed_mind", method="label"),
    )
    yield Errand(
        ordered(brand, 13, "Return: three have arrived, to be counted", (cast.many,), 5, 3),
        asked=Asked.of(many, 3, "style", method="in_store"),
        waits=timedelta(days=4),
        went="arrived",
    )
    yield Errand(
        ordered(brand, 14, "Return: checked, its money was sent", (cast.plain,), 9),
        asked=Asked.of(plain, 1, "changed_mind", method="in_store"),
        waits=timedelta(days=6),
        went="settled",
    )
    exchange = {"resolution": "exchange", "exchange_sku": cast.dearer, "fallback": "refund"}
    yield Errand(
        ordered(brand, 15, "Return: an exchange that waits for the difference", (cast.swap,), 9),
        asked=Asked.of(swap, 1, "style", method="in_store", **exchange),
        waits=timedelta(days=5),
        went="settled",
    )
