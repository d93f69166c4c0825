"""Demo orders with which something went wrong on the way: one for each way a claim can go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from portal.demo.errands import CASTS, ordered
from portal.demo.tales import Brand, Tale
from portal.models.claim_request import AskedClaim

FIRST: Final = 20  # orders of claims are numbered after those of returns
SEEN: Final = {"fern": 4, "volta": 7}  # worth enough to be asked a photo of, and not dear


@dataclass(frozen=True, slots=True)
class Mishap:
    """One delivered order, what it is there to show, and its claim if it has one already."""

    tale: Tale
    is_covered: bool = True
    asked: AskedClaim | None = None
    went: str = ""  # how it went on: declined, appealed, stuck; its cover: given_up, refused
    email: str = ""  # of somebody else than the brand's customer, who is to stay free of claims


def mishaps(brand: Brand) -> Iterator[Mishap]:
    """Everything a visitor can walk through, in the order it is listed."""
    small, seen = CASTS[brand.slug].small, SEEN[brand.slug]

    def order(n: int, shows: str, good: int, days: int = 4) -> Tale:
        return ordered(brand, FIRST + n, shows, (good,), days)

    yield Mishap(order(0, "Covered and paid at once: say that something is missing", small))
    yield Mishap(order(1, "A photo is needed: say that it arrived damaged", seen))
    yield Mishap(order(2, "Too early: say that it is not here, and see its day", small, days=0))
    yield Mishap(
        order(3, "Without cover a person decides: say it is the wrong thing", small),
        is_covered=False,
    )
    yield Mishap(
        order(10, "Claim: waits until its day, and opens by itself", small, days=0),
        asked=AskedClaim("not_received", statement="I asked both neighbours."),
    )
    yield Mishap(
        order(11, "Claim: waits for a person", small),
        is_covered=False,
        asked=AskedClaim("wrong_item", statement="It is another colour.", wanted="reship"),
    )
    yield Mishap(
        order(12, "Claim: not accepted; have it looked at again", small),
        is_covered=False,
        asked=AskedClaim("missing_item", statement="The lid was not in the box."),
        went="declined",
    )
    yield from _by_others(brand)


def _by_others(brand: Brand) -> Iterator[Mishap]:
    """The other states that cover and claims can be in, each of another customer."""
    cast = CASTS[brand.slug]
    told = "Two of the three are not in the box."

    def order(n: int, shows: str, good: int, quantity: int = 1) -> Tale:
        return ordered(brand, FIRST + n, shows, (good,), 4, quantity)

    yield Mishap(
        order(13, "Claim: covered, and dear enough for a person to look", cast.plain, 3),
        asked=AskedClaim("missing_item", statement=told),
        email="bea@example.com",
    )
    yield Mishap(
        order(14, "Claim: declined, and looked at again", cast.plain, 3),
        asked=AskedClaim("missing_item", statement="The box was open."),
        went="appealed",
        email="cleo@example.com",
    )
    yield Mishap(
        order(15, "Claim: approved, and the bank refuses the refund", cast.small),
        asked=AskedClaim("missing_item", statement="The box was empty."),
        went="stuck",
        email="dan@example.com",
    )
    given_up = Tale(
        f"{cast.prefix}{cast.base + FIRST + 16}", "Cover: given up again", (), (5,), 1, 0
    )
    yield Mishap(given_up, went="given_up", email="eli@example.com")
    yield Mishap(
        order(17, "Cover: refused, its quote was altered", cast.small),
        went="refused",
        email="fay@example.com",
    )
