"""What the books of protection say: sums by month, lane and kind, and the shares of them.

A lane is the shop's country and the one a parcel goes to, so that premium and claims of an order
are on one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Final

from portal.protection.months import Months

FEW: Final = 30  # below so many parcels a share says nothing
WHOLE: Final = 10_000  # basis points


@dataclass(frozen=True, slots=True)
class Sum:
    """What came together somewhere. `back_minor` is below nought: premiums that were given back.

    `parcels` are those whose journey ended, `claimed` how many of them have a claim; `claims` is
    how many were made.
    """

    sold_minor: int = 0
    back_minor: int = 0
    earned_minor: int = 0
    paid_minor: int = 0
    recovered_minor: int = 0
    parcels: int = 0
    claimed: int = 0
    claims: int = 0

    def __add__(self, other: Sum) -> Sum:
        """Both together."""
        return Sum(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Sum)))

    @property
    def premium_minor(self) -> int:
        """What premiums came to, less those that were given back."""
        return self.sold_minor + self.back_minor

    @property
    def is_thin(self) -> bool:
        """Whether there are too few parcels to say anything by a share of them."""
        return self.parcels < FEW

    @property
    def payout_points(self) -> int | None:
        """How much of the earned premiums was paid out, in basis points; None for too few."""
        if self.is_thin or self.earned_minor <= 0:
            return None
        return points(self.paid_minor, self.earned_minor)

    @property
    def claim_points(self) -> int | None:
        """How many of the parcels have a claim, in basis points; None for too few."""
        return None if self.is_thin else points(self.claimed, self.parcels)


def points(part: int, whole: int) -> int:
    """A share in basis points, rounded half up."""
    return (part * WHOLE * 2 + whole) // (whole * 2)


@dataclass(frozen=True, slots=True)
class Cell:
    """Where a figure belongs. `kind` is a claim's; "" of premiums and parcels."""

    month: str
    lane: str
    kind: str
    covered: bool


@dataclass(frozen=True)
class Books:
    """The books of some months in one currency. `opening_minor` is the reserve before the first."""

    months: Months
    currency: str
    cells: Mapping[Cell, Sum]
    opening_minor: int
    climate_minor: int  # of what was earned

    @property
    def total(self) -> Sum:
        """All under cover."""
        return _sum(sum_ for cell, sum_ in self.cells.items() if cell.covered)

    @property
    def uncovered(self) -> Sum:
        """Claims on orders without cover: no part of the rest."""
        return _sum(sum_ for cell, sum_ in self.cells.items() if not cell.covered)

    def by(self, name: str) -> dict[str, Sum]:
        """What is under cover, by `month`, `lane` or `kind`, in order. Months are all there."""
        found: dict[str, Sum] = dict.fromkeys(self.months.names, Sum()) if name == "month" else {}
        for cell, sum_ in self.cells.items():
            if cell.covered:
                place = getattr(cell, name)
                found[place] = found.get(place, Sum()) + sum_
        return dict(sorted(found.items()))

    @property
    def reserves(self) -> dict[str, int]:
        """What was not earned yet at the end of each month."""
        found, reserve = {}, self.opening_minor
        for month, sum_ in self.by("month").items():
            reserve += sum_.premium_minor - sum_.earned_minor
            found[month] = reserve
        return found


def _sum(parts: Iterator[Sum]) -> Sum:
    return sum(parts, Sum())
