"""The demo's orders: one for every state a parcel can be in, in two brands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from portal.demo.goods import FERN, VOLTA, Good

NO_PARCEL = ""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One demo parcel: `kind` is a story of carriers.simulated that ends `days_left` from now.

    With `seconds` its twelve days are told live, over so many seconds from the start.
    """

    kind: str
    carrier: str
    number: str
    days_left: float = 0
    seconds: int | None = None
    units: int | None = None  # how many units of the first line travel in it


@dataclass(frozen=True, slots=True)
class Tale:
    """One demo order and what it is there to show."""

    number: str
    shows: str
    parcels: tuple[Parcel, ...]
    goods: tuple[int, ...] = (0, 1)
    quantity: int = 1
    days_ago: int = 13


@dataclass(frozen=True, slots=True)
class Brand:
    """One demo shop with its customer and its orders. `address` is where everything goes."""

    slug: str
    name: str
    look: dict[str, str]
    email: str
    address: dict[str, str]
    goods: tuple[Good, ...]
    tales: tuple[Tale, ...]
    included_tax_bps: int
    route: str  # of carriers.simulated: the towns its parcels pass
    settings: dict[str, Any]


def tales(prefix: str, carriers: tuple[str, str, str], base: int) -> tuple[Tale, ...]:
    """The same states for each brand, with its own carriers and numbers."""
    first, second, third = carriers
    kinds = (
        ("on_time", "On its way", first, 4.0, None),
        ("on_time", "Out for delivery today", first, 0.25, None),
        ("late", "Running late", second, 0, 40),
        ("exception_weather", "Held up by the weather", second, 0, None),
        ("attempt_failed", "A delivery attempt failed", first, 0, None),
        ("pickup", "Waiting at a pick-up point", third, 0, None),
        ("customs", "Held on its way", third, 3.5, None),
        ("delivered", "Delivered", first, 0, None),
        ("delivered_then_taken_back", "Delivered, then taken back", second, 0, None),
        ("return_to_sender", "Going back to the shop", first, 0, None),
        ("lost_silent", "Overdue, no new date yet", second, 0, None),
        ("pre_transit", "Label made, not scanned yet", first, 0, None),
    )
    told = [
        Tale(
            f"{prefix}{base + n}",
            shows,
            (Parcel(kind, carrier, number_for(carrier, base + n), days_left, seconds),),
            goods=(n % 8, (n + 3) % 8),
        )
        for n, (kind, shows, carrier, days_left, seconds) in enumerate(kinds)
    ]
    split = tuple(
        Parcel("on_time", first, number_for(first, base + 50 + n), days_left, units=1)
        for n, days_left in enumerate((0, 0.25, 5.0))
    )
    return (
        Tale(
            f"{prefix}{base + 41}",
            "Moving while you watch",
            (Parcel("on_time", first, number_for(first, base + 41), seconds=300),),
        ),
        *told,
        Tale(f"{prefix}{base + 20}", "One order in three parcels", split, (2,), quantity=3),
        Tale(f"{prefix}{base + 21}", "Ordered, nothing sent yet", (), (5, 6), days_ago=1),
    )


def number_for(carrier: str, n: int) -> str:
    """A tracking number of the carrier's shape, check digit included, that nobody else has."""
    if carrier == "UPS":
        body = f"5R89W303{n:07d}"
        values = [int(c) if c.isdigit() else (ord(c) - 63) % 10 for c in body]
        total = sum(values[0::2]) + 2 * sum(values[1::2])
        return f"1Z{body}{-total % 10}"
    if carrier == "USPS":
        body = f"92055901755477{n:07d}"
        total = 3 * sum(int(c) for c in body[::-1][0::2]) + sum(int(c) for c in body[::-1][1::2])
        return f"{body}{-total % 10}"
    if carrier == "FedEx":
        body = f"{7_894_000_0000 + n:011d}"
        total = sum(int(c) * w for c, w in zip(body, (3, 1, 7) * 4, strict=False))
        return f"{body}{total % 11 % 10}"
    serial = 500_000_000 + n  # DHL Express: nine digits and their remainder by seven
    return f"{serial}{serial % 7}"


# Parcels of the stories travel for twelve days: so long an honest shop would promise.
ARRIVAL: dict[str, Any] = {
    "promise": {
        "cutoff": "15:00",
        "processing_days": 1,
        "transit": [
            {"from_days": 6, "to_days": 13},
            {"service": "express", "from_days": 2, "to_days": 3},
        ],
    },
    "show_record": True,
}
FERN_SHOP = Brand(
    slug="fern",
    name="Fern & Fable",
    look={
        "theme": "fern",
        "locale": "en",
        "timezone": "America/New_York",
        "currency": "USD",
        "country": "US",
        "support_email": "help@fern.example",
    },
    email="ada@example.com",
    address={
        "name": "Ada Example",
        "line1": "12 Willow Lane",
        "city": "Brooklyn",
        "region": "NY",
        "postcode": "11215",
        "country": "US",
    },
    goods=FERN,
    tales=tales("", ("UPS", "USPS", "FedEx"), 1001),
    included_tax_bps=0,
    route="new_york",
    settings={
        "return_address": {
            "name": "Fern & Fable Returns",
            "line1": "80 Mill Street",
            "city": "Portland",
            "region": "OR",
            "postcode": "97201",
            "country": "US",
        },
        "arrival": ARRIVAL,
    },
)
VOLTA_SHOP = Brand(
    slug="volta",
    name="Volta Nine",
    look={
        "theme": "volta",
        "locale": "de",
        "timezone": "Europe/Berlin",
        "currency": "EUR",
        "country": "DE",
        "support_email": "hilfe@volta.example",
    },
    email="jonas@example.com",
    address={
        "name": "Jonas Beispiel",
        "line1": "Oranienstraße 24",
        "city": "Berlin",
        "region": "BE",
        "postcode": "10997",
        "country": "DE",
    },
    goods=VOLTA,
    tales=tales("VN-", ("DHLExpress", "UPS", "DHLExpress"), 20401),
    included_tax_bps=1900,
    route="berlin",
    settings={
        "return_address": {
            "name": "Volta Nine Retouren",
            "line1": "Lagerstraße 9",
            "city": "Leipzig",
            "region": "SN",
            "postcode": "04103",
            "country": "DE",
        },
        "arrival": ARRIVAL,
    },
)
BRANDS = (FERN_SHOP, VOLTA_SHOP)


def document(brand: Brand, tale: Tale, now: datetime, picture_root: str) -> dict[str, Any]:
    """The order of a tale as the API would be given it."""
    placed = (now - timedelta(days=tale.days_ago)).replace(microsecond=0)
    lines = [line(brand, brand.goods[n], tale.quantity, picture_root) for n in tale.goods]
    total = sum(each["unit_price_minor"] * each["quantity"] for each in lines)
    return {
        "number": tale.number,
        "email": brand.email,
        "placed_at": placed.isoformat(),
        "currency": brand.look["currency"],
        "shipping_address": brand.address,
        "lines": lines,
        "shipping_minor": 600,
        "payment": {
            "provider": "stripe",
            "reference": f"pi_demo_{brand.slug}_{tale.number}".replace("-", "_"),
            "captured_minor": total + 600,
        },
        "shipments": list(_shipments(tale, lines[0]["sku"], placed)),
    }


def line(brand: Brand, good: Good, quantity: int, picture_root: str) -> dict[str, Any]:
    """One line of a demo order."""
    price = good.price_minor * quantity
    tax = price * brand.included_tax_bps // (10_000 + brand.included_tax_bps)
    return {
        "sku": good.sku,
        "product": good.sku.split("-")[0].lower(),
        "variant": good.variant,
        "title": good.title,
        "category": good.category,
        "quantity": quantity,
        "unit_price_minor": good.price_minor,
        "tax_minor": tax,
        "tax_included": True,
        "image_url": f"{picture_root}/{good.picture}.webp",
        "weight_g": good.weight_g,
    }


def _shipments(tale: Tale, sku: str, placed: datetime) -> Iterator[dict[str, Any]]:
    for parcel in tale.parcels:
        shipment: dict[str, Any] = {
            "carrier": parcel.carrier,
            "tracking_number": parcel.number,
            "shipped_at": (placed + timedelta(hours=20)).isoformat(),
        }
        if parcel.units is not None:
            shipment["lines"] = [{"sku": sku, "quantity": parcel.units}]
        yield shipment
