"""What a shop promises about arrivals: its setting `arrival`, checked and made into rules."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, time
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from sqlalchemy import inspect

from carriers.names import canonical
from carriers.promise import Promise, Transit
from carriers.window import Window
from carriers.workdays import Place, Workdays
from portal.db import session
from portal.logs import log
from portal.models.heard import zone_of
from portal.models.shop import Shop
from portal.sources.document import Country, Short
from portal.sources.sentences import Invalid, read_as
from portal.tenancy import shop_in_scope

if TYPE_CHECKING:  # an order is promised: it imports us
    from portal.models.order import Order

SETTING: Final = "arrival"
SHOP: Final = "shop"
WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_DAYS: Final = 60  # of processing, and business days of a way
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def _day(value: object) -> object:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError("This must be a date such as 2026-12-24.") from None


def _hour(value: str) -> str:
    try:
        found = time.fromisoformat(value)
    except ValueError:
        found = None
    if found is None or len(value) != len("14:00") or found.tzinfo is not None:
        raise ValueError("This must be a time of the shop's own day, such as 14:00.")
    return value


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class TransitRule(_Part):
    """How many business days of the destination a way takes. What is left out means any."""

    country: Country = ""
    region: Short = ""
    carrier: Short = ""
    service: Short = ""
    from_days: int = Field(ge=0, le=MOST_DAYS)
    to_days: int = Field(ge=0, le=MOST_DAYS)

    @model_validator(mode="after")
    def _in_order(self) -> TransitRule:
        if self.to_days < self.from_days:
            raise ValueError("to_days is less than from_days. Give the longest way in to_days.")
        if self.region and not self.country:
            raise ValueError("A region needs its country.")
        return self

    def transit(self) -> Transit:
        """The rule, with the carrier by the name that parcels are compared by."""
        named = (self.country, self.region, carrier_key(self.carrier), self.service)
        return Transit(self.from_days, self.to_days, *named)


class PromiseTerms(_Part):
    """When orders leave and how long they travel."""

    cutoff: Annotated[str, AfterValidator(_hour)] = "14:00"
    processing_days: int = Field(1, ge=0, le=MOST_DAYS)
    business_days: list[Weekday] = Field(list(WEEKDAYS[:5]), min_length=1, max_length=7)
    delivery_days: list[Weekday] = Field(list(WEEKDAYS[:5]), min_length=1, max_length=7)
    holidays: bool = True
    region: Short = ""
    closed: list[Annotated[date, BeforeValidator(_day)]] = Field([], max_length=400)
    transit: list[TransitRule] = Field(min_length=1, max_length=500)


class ArrivalTerms(_Part):
    """A shop's setting `arrival`."""

    promise: PromiseTerms | None = None
    show_record: bool = False  # how many windows of the last quarter held, for everybody to read


def promise_in(settings: Mapping[str, Any], country: str, timezone: str) -> Promise | None:
    """The promise of a shop with these settings; None without one, or where it is unreadable."""
    told = settings.get(SETTING)
    return _promise(json.dumps(told, sort_keys=True), country, timezone) if told else None


def promised(
    order: Order, shipped_at: datetime | None = None, carrier: str = "", service: str = ""
) -> Window | None:
    """When an order arrives by its shop's own word; None without one that is meant for it.

    The shop is read once while its order is at hand.
    """
    shop = shop_of(order)
    promise = promise_in(shop.settings, shop.country, shop.timezone)
    if promise is None:
        return None
    way = (place_of(order), carrier_key(carrier), service)
    try:
        return promise.window(order.placed_at, shipped_at, *way)
    except OverflowError:  # a date at the end of time has no days after it
        return None


def shop_of(order: Order) -> Shop:
    """The order's shop."""
    known = inspect(order).info
    if SHOP not in known:
        known[SHOP] = session.get_one(Shop, shop_in_scope())
    return cast(Shop, known[SHOP])


def place_of(order: Any) -> Place:
    """Where an order (or a row with its `address`) goes, as lanes and holidays name it."""
    country, region = (str(order.address.get(name) or "").strip() for name in ("country", "region"))
    return Place(country.upper(), region.upper())


def shows_record(settings: Mapping[str, Any]) -> bool:
    """Whether the shop wants everybody to read how well its windows held."""
    told = settings.get(SETTING)
    return isinstance(told, Mapping) and told.get("show_record") is True


def carrier_key(carrier: str) -> str:
    """A carrier as rules and lanes compare it: the provider's code where it is known."""
    found = canonical(carrier) if carrier else None
    return found.code if found else carrier


@lru_cache(maxsize=256)
def _promise(told: str, country: str, timezone: str) -> Promise | None:
    try:
        terms = read_as(ArrivalTerms, json.loads(told)).promise
    except Invalid as error:
        # Parcels must be followed all the same; the command that sets it refuses such a setting.
        log.warning("setting unreadable", setting=SETTING, errors=str(error))
        return None
    if terms is None:
        return None
    home = (Place(country, terms.region),) if terms.holidays else ()
    return Promise(
        zone=zone_of(timezone),
        workdays=Workdays(_numbers(terms.business_days), home, frozenset(terms.closed)),
        transit=tuple(rule.transit() for rule in terms.transit),
        cutoff=time.fromisoformat(terms.cutoff),
        processing_days=terms.processing_days,
        delivery_weekdays=_numbers(terms.delivery_days),
    )


def _numbers(weekdays: list[Weekday]) -> frozenset[int]:
    return frozenset(WEEKDAYS.index(each) for each in weekdays)
