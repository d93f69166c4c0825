"""A shop's protection plan: what cover costs, what it covers, who gives it, and in which words.

The first rate that fits a line prices it; what no rate fits has the plan's own price. Amounts are
minor units of the plan's currency, shares are basis points.
"""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from portal.protection.fair_words import unfair
from returns.money import exponent
from returns.setting import setting

LARGEST_MINOR: Final = 10**12
WHOLE: Final = 10_000  # basis points
Minor = Annotated[int, Field(ge=0, le=LARGEST_MINOR)]
Points = Annotated[int, Field(ge=0, le=WHOLE)]
Word = Annotated[str, Field(min_length=1, max_length=120)]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Flat(_Part):
    """The same for any value."""

    model_config = ConfigDict(title="The same for every order")
    kind: Literal["flat"]
    amount_minor: Annotated[Minor, setting("Price")]

    def of(self, value_minor: int) -> int:
        """The price of covering this value; nothing costs nothing."""
        return self.amount_minor if value_minor else 0


class Share(_Part):
    """A share of the value, rounded up."""

    model_config = ConfigDict(title="A share of what is covered")
    kind: Literal["share"]
    basis_points: Annotated[Points, setting("Share of the value")]

    def of(self, value_minor: int) -> int:
        """The price of covering this value."""
        return -(-value_minor * self.basis_points // WHOLE)


class Tier(_Part):
    """The price up to a value, that value included. The last tier has no end."""

    up_to_minor: Annotated[Minor | None, setting("For values up to", "Empty: without end.")] = None
    amount_minor: Annotated[Minor, setting("Price")]


class Tiers(_Part):
    """A price for each span of values, the smallest first."""

    model_config = ConfigDict(title="A price for each span of values")
    kind: Literal["tiers"]
    tiers: Annotated[
        list[Tier],
        Field(min_length=1, max_length=50),
        setting("Spans, the smallest first", "The last one has no end."),
    ]

    @model_validator(mode="after")
    def _in_order(self) -> Tiers:
        ends = [tier.up_to_minor for tier in self.tiers]
        known = [end for end in ends[:-1] if end is not None]
        if ends[-1] is not None or len(known) != len(ends) - 1:
            raise ValueError("The last span, and it alone, has no end (up_to_minor).")
        if sorted(set(known)) != known:
            raise ValueError("Spans go up: end each (up_to_minor) higher than the one before.")
        return self

    def of(self, value_minor: int) -> int:
        """The price of covering this value."""
        if not value_minor:
            return 0
        fitting = (t for t in self.tiers if t.up_to_minor is None or value_minor <= t.up_to_minor)
        return next(fitting).amount_minor


Price = Annotated[Flat | Share | Tiers, Field(discriminator="kind")]


class Rate(_Part):
    """Another price for some destinations or categories. An empty list stands for all of them."""

    countries: Annotated[list[Country], setting("Countries", "By name. Empty: all.")] = []
    categories: Annotated[list[Word], setting("Categories", "Empty: all.")] = []
    price: Annotated[Price, setting("Its price")]

    def fits(self, country: str, category: str) -> bool:
        """Whether a line of this category that goes to this country has this price."""
        there = not self.countries or country in self.countries
        return there and (not self.categories or category.casefold() in _folded(self.categories))


class Provider(_Part):
    """Who gives the cover. A merchant's own service is never called insurance."""

    name: Annotated[Word, setting("Name")]
    basis: Annotated[
        Literal["merchant_service", "licensed_insurer"],
        setting(
            "What it is",
            words={
                "merchant_service": "The shop's own service",
                "licensed_insurer": "A licensed insurer's",
            },
        ),
    ] = "merchant_service"
    licence: Annotated[
        str, Field(max_length=200), setting("Licence", "Needed of a licensed insurer.")
    ] = ""

    @model_validator(mode="after")
    def _names_its_licence(self) -> Provider:
        if self.basis == "licensed_insurer" and not self.licence:
            raise ValueError("A licensed insurer is named with its licence.")
        return self


class Words(_Part):
    """The shop's own words in one language. What is empty has the words that come with this."""

    title: Annotated[str, Field(max_length=80), setting("Title")] = ""
    summary: Annotated[str, Field(max_length=300), setting("What it is")] = ""
    how_to_claim: Annotated[str, Field(max_length=300), setting("How to claim")] = ""


class Plan(_Part):
    """One plan. Whatever it says, cover is never chosen for anybody beforehand."""

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$"), setting("Currency")]
    price: Annotated[Price, setting("What cover costs")]
    rates: Annotated[
        list[Rate],
        Field(max_length=200),
        setting("Other prices", "For some countries or categories. The first that fits counts."),
    ] = []
    floor_minor: Annotated[Minor, setting("At least", "Nobody pays less than this.")] = 0
    cap_minor: Annotated[
        Minor | None, setting("At most", "Nobody pays more than this. Empty: no cap.")
    ] = None
    round_to_minor: Annotated[
        int, Field(ge=1, le=100_000), setting("Rounded up to", "Such as 0.05.")
    ] = 1
    order_limit_minor: Annotated[
        Minor | None, setting("Covered of one order at most", "Empty: all of it.")
    ] = None
    parcel_limit_minor: Annotated[
        Minor | None, setting("Covered of one parcel at most", "Empty: all of it.")
    ] = None
    only_countries: Annotated[
        list[Country], setting("Offered for", "Countries by name. Empty: everywhere.")
    ] = []
    excluded_countries: Annotated[
        list[Country], setting("Not offered for", "Countries by name.")
    ] = []
    excluded_categories: Annotated[
        list[Word], setting("Categories that are not covered", "With commas between them.")
    ] = []
    excluded_skus: Annotated[
        list[Word], setting("Articles (SKU) that are not covered", "With commas between them.")
    ] = []
    covers_return: Annotated[bool, setting("The label of a return is free, too")] = False
    return_minor: Annotated[Minor, setting("What that adds to the price")] = 0
    climate_points: Annotated[
        Points,
        setting("Climate share", "On top, and shown as a line of its own.", unit="percent"),
    ] = 0
    climate_for: Annotated[
        str, Field(max_length=120), setting("What the climate share goes to")
    ] = ""
    provider: Annotated[Provider, setting("Who gives the cover")]
    words: Annotated[
        dict[Annotated[str, Field(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")], Words],
        setting("Words of your own", "For a language such as en or de.", key="Language"),
    ] = {}

    @field_validator("currency")
    @classmethod
    def _is_a_currency(cls, code: str) -> str:
        exponent(code)
        return code

    @model_validator(mode="after")
    def _holds_together(self) -> Plan:
        if self.cap_minor is not None and self.cap_minor < self.floor_minor:
            raise ValueError(
                "The most that is paid is below the least. Give cap_minor at least floor_minor."
            )
        if self.return_minor and not self.covers_return:
            raise ValueError(
                "Something is added for returns that are not covered: set covers_return as well."
            )
        if self.climate_points and not self.climate_for:
            raise ValueError("Say what the climate share goes to (climate_for).")
        return self

    @model_validator(mode="after")
    def _is_fair(self) -> Plan:
        own = self.provider.basis == "merchant_service"
        said = [self.climate_for, self.provider.name]
        said += [text for words in self.words.values() for text in words.model_dump().values()]
        for text in said:
            why = unfair(text, is_own_service=own)
            if why:
                raise ValueError(why)
        return self

    @cached_property
    def hash(self) -> str:
        """One hash for one meaning."""
        return _hash(self.to_json())

    @cached_property
    def _closed(self) -> tuple[frozenset[str], frozenset[str]]:
        return frozenset(_folded(self.excluded_categories)), frozenset(self.excluded_skus)

    def to_json(self) -> dict[str, Any]:
        """The plan with every setting written out, defaults too."""
        return self.model_dump(mode="json")

    def price_of(self, country: str, category: str) -> Flat | Share | Tiers:
        """What a line of this category that goes to this country is priced by."""
        fitting = (rate.price for rate in self.rates if rate.fits(country, category))
        return next(fitting, self.price)

    def serves(self, country: str) -> bool:
        """Whether cover is offered for parcels to this country."""
        wanted = not self.only_countries or country in self.only_countries
        return wanted and country not in self.excluded_countries

    def covers_line(self, sku: str, category: str) -> bool:
        """Whether what is in a line is covered at all."""
        categories, skus = self._closed
        return sku not in skus and category.casefold() not in categories


def _folded(words: list[str]) -> list[str]:
    return [word.casefold() for word in words]


def _hash(document: Any) -> str:
    text = json.dumps(document, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
