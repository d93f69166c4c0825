"""An order as posted, by the API and by imports alike: strict types, and sentences when wrong.

`model_fields_set` tells what was sent from what was left out: an absent field stays as it is, a
present list replaces the old one. null empties a text.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from babel.numbers import list_currencies
from email_validator import EmailNotValidError, validate_email
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)

from portal.places import countries
from portal.sources.matching import number_key, tracking_key

LARGEST_MINOR: Final = 10**12
MOST_LINES: Final = 500
MOST_UNITS: Final = 10_000
MOST_SHIPMENTS: Final = 200
YEARS: Final = range(1990, 2101)
NO_CURRENCIES: Final = frozenset({"XXX", "XTS"})


def _plain(text: str) -> str:
    """Refuse what no database, mail or page can carry: control characters and line breaks."""
    for letter in text:
        kind = unicodedata.category(letter)
        if kind in {"Cc", "Zl", "Zp"}:
            raise ValueError(
                f"This holds the control character U+{ord(letter):04X}. Send text without it."
            )
        if kind == "Cs":
            raise ValueError("This holds half of a character. Send whole Unicode characters.")
    return text


def _moment(value: object) -> object:
    """A moment with its offset, in UTC."""
    if isinstance(value, datetime) or value is None:
        return value
    if not isinstance(value, str) or not value.isascii():
        raise ValueError("This must be text such as 2026-05-04T09:30:00+02:00.")
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("This is no date and time such as 2026-05-04T09:30:00+02:00.") from None
    if at.tzinfo is None:
        raise ValueError("This has no offset. Write it like 2026-05-04T09:30:00+02:00 or with Z.")
    if at.year not in YEARS:
        raise ValueError("This year is out of reach. Check the date.")
    return at.astimezone(UTC)


def _currency(code: str) -> str:
    if code not in _currencies():
        raise ValueError("This is no ISO 4217 currency. Write it like EUR or USD.")
    return code


@cache
def _currencies() -> frozenset[str]:
    return frozenset(list_currencies()) - NO_CURRENCIES


def _country(code: str) -> str:
    if code and code not in countries():
        raise ValueError("This is no ISO 3166 country. Write two capitals such as DE, GB or US.")
    return code


def _email(text: str) -> str:
    """The address in its usual form. Whether it can be reached is not asked."""
    if not text:
        return ""
    try:
        address = validate_email(
            text,
            check_deliverability=False,
            globally_deliverable=False,
            test_environment=True,  # names under .test are as good as any other here
        )
    except EmailNotValidError:
        raise ValueError("This is no e-mail address. Write it like ann@example.com.") from None
    if "." not in address.domain:
        raise ValueError("This address has no whole domain. Write it like ann@example.com.")
    return address.normalized


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        fits = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        fits = False
    if text and (not fits or re.search(r"\s", text)):
        raise ValueError("This is no web address. Write it like https://shop.example/a.jpg.")
    return text


def _number(text: str) -> str:
    key = number_key(text)
    if not key:
        raise ValueError("This number is empty.")
    if len(key) > 80:
        raise ValueError("This is longer than 80 characters.")
    return text.strip()


def _tracking(text: str) -> str:
    if text and not tracking_key(text):
        raise ValueError("This number holds no letter and no digit.")
    return text.strip()


Empty = BeforeValidator(lambda value: "" if value is None else value)
Plain = AfterValidator(_plain)
Short = Annotated[str, Field(max_length=120), Plain, Empty]
Tags = Annotated[list[Short], Field(max_length=50)]
Title = Annotated[str, Field(max_length=300), Plain, Empty]
Sku = Annotated[str, Field(min_length=1, max_length=120), Plain]
Money = Annotated[int, Field(ge=0, le=LARGEST_MINOR)]
Quantity = Annotated[int, Field(ge=1, le=MOST_UNITS)]
Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "format": "date-time", "description": "With its offset."}),
]
Currency = Annotated[str, Field(max_length=3), AfterValidator(_currency)]
Country = Annotated[str, Field(max_length=2), AfterValidator(_country), Empty]
Url = Annotated[str, Field(max_length=2000), Plain, AfterValidator(_url), Empty]
Email = Annotated[str, Field(max_length=254), Plain, AfterValidator(_email), Empty]
Number = Annotated[str, Field(min_length=1, max_length=80), Plain, AfterValidator(_number)]
TrackingNumber = Annotated[str, Field(max_length=80), Plain, AfterValidator(_tracking), Empty]


class Posted(BaseModel):
    """What all posted documents share: exact types, no field we do not know."""

    model_config = ConfigDict(extra="forbid", strict=True)

    def sent(self) -> dict[str, Any]:
        """The plain fields that were sent, by name."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class Address(Posted):
    """Where an order goes. Sent as a whole: it replaces the address before."""

    name: Title = ""
    line1: Title = ""
    line2: Title = ""
    city: Title = ""
    region: Short = ""
    postcode: Annotated[str, Field(max_length=32), Plain, Empty] = ""
    country: Country = ""


class LineDocument(Posted):
    """One line. `discount_minor` and `tax_minor` are the line's totals."""

    sku: Sku
    product: Short = ""
    variant: Annotated[str, Field(max_length=200), Plain, Empty] = ""
    title: Title = ""
    category: Short = ""
    tags: Tags = []
    quantity: Quantity
    unit_price_minor: Money = 0
    discount_minor: Money = 0
    tax_minor: Money = 0
    tax_included: bool = True
    image_url: Url = ""
    final_sale: bool = False
    weight_g: Annotated[int, Field(ge=0, le=10_000_000)] | None = None

    @model_validator(mode="after")
    def _discount_fits(self) -> LineDocument:
        if self.discount_minor > self.quantity * self.unit_price_minor:
            raise ValueError("The line's discount is more than its price times its quantity.")
        return self


class Payment(Posted):
    """How the order was paid. Only what is sent changes."""

    provider: Annotated[str, Field(max_length=40), Plain, Empty] = ""
    reference: Short = ""
    captured_minor: Money = 0


class ShippedLine(Posted):
    """How many of an order's pieces of one kind travel in a parcel."""

    sku: Sku
    quantity: Quantity


class ShipmentDocument(Posted):
    """One parcel: known by its `id`, else by carrier and number. With an `id`, only what is sent
    changes; a parcel without one needs its number.
    """

    id: Annotated[str, Field(max_length=40, pattern=r"^shp_[0-9a-z]{26}$")] | None = None
    carrier: Annotated[str, Field(max_length=80), Plain, Empty] = ""
    service: Short = ""
    tracking_number: TrackingNumber = ""
    shipped_at: Moment | None = None
    lines: Annotated[list[ShippedLine], Field(max_length=MOST_LINES)] = []

    @model_validator(mode="after")
    def _is_known_by_something(self) -> ShipmentDocument:
        named = self.tracking_number or (self.id and "tracking_number" not in self.model_fields_set)
        if not named:
            raise ValueError("A parcel needs its tracking_number.")
        return self


class OrderChange(Posted):
    """An order, or the part of it that changes.

    `tags`, `customer_tags` (what the shop calls who bought it) and `gift` are there for the rules
    of the returns policy. Of a gift no refund goes to the giver's card before staff approve it.
    `service` is the way that was chosen at checkout: the shop's promise may be another one for it.
    """

    number: Number | None = None
    email: Email = ""
    phone: Annotated[str, Field(max_length=40), Plain, Empty] = ""
    placed_at: Moment | None = None
    currency: Currency | None = None
    shipping_address: Address | None = None
    lines: Annotated[list[LineDocument], Field(max_length=MOST_LINES)] = []
    tags: Tags = []
    customer_tags: Tags = []
    gift: bool = False
    discount_minor: Money = 0
    shipping_minor: Money = 0
    shipping_tax_minor: Money = 0
    payment: Payment | None = None
    shipments: Annotated[list[ShipmentDocument], Field(max_length=MOST_SHIPMENTS)] = []
    service: Short = ""
    protection_quote: Annotated[str, Field(max_length=8000), Plain] | None = None

    @model_validator(mode="after")
    def _is_sane(self) -> OrderChange:
        units = sum(line.quantity for line in self.lines)
        if units > MOST_UNITS:
            raise ValueError(f"This order has {units} pieces; at most {MOST_UNITS} are taken.")
        keys = [
            each.id or (each.carrier.casefold(), tracking_key(each.tracking_number))
            for each in self.shipments
        ]
        if len(set(keys)) != len(keys):
            raise ValueError("Two shipments have the same carrier and number. Send each once.")
        return self


class OrderDocument(OrderChange):
    """An order as posted, found by its `number`. A new one needs `currency` where it has lines;
    without `placed_at` it was placed now.
    """

    number: Number


class VariantDocument(Posted):
    """One thing that can be bought. `available` null: not counted."""

    product: Short = ""
    title: Annotated[str, Field(min_length=1, max_length=300), Plain]
    options: dict[Short, Short | int] = {}
    price_minor: Money
    currency: Currency
    tax_included: bool = True
    available: Annotated[int, Field(ge=0, le=10**9)] | None = None
    image_url: Url = ""
