"""What happens to a made-up order: what was bought, and what its carriers say day by day.

Times, towns and words are drawn so that a large shop's spread comes out: most parcels take the
usual way in three to six days, some are tried twice, some fall silent, a few go back.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from carriers.check_digits import gs1, ups

DIGITS: Final = "0123456789"
TOWNS: Final = (
    ("Austin", "TX", "78701"), ("Portland", "OR", "97205"), ("Columbus", "OH", "43215"),
    ("Denver", "CO", "80202"), ("Atlanta", "GA", "30303"), ("Brooklyn", "NY", "11201"),
    ("Tucson", "AZ", "85701"), ("Madison", "WI", "53703"), ("Miami", "FL", "33130"),
    ("Seattle", "WA", "98101"), ("Nashville", "TN", "37203"), ("Oakland", "CA", "94607"),
)  # fmt: skip
GOODS: Final = (
    ("Olive tree in a clay pot", "small", 4900), ("Linen apron", "sage", 3900),
    ("Walnut serving board", "", 6450), ("Beeswax candles, set of four", "ivory", 2400),
    ("Wool throw", "oat", 12900), ("Pruning shears", "", 3450), ("Seed box", "herbs", 1850),
    ("Stoneware mug", "moss", 2200), ("Garden gloves", "M", 1650), ("Rain gauge", "", 2995),
)  # fmt: skip
SERVICES: Final = {"USPS": "GroundAdvantage", "UPS": "Ground"}
ON_THE_WAY: Final = (
    ("Accepted at origin facility", "received_at_origin_facility"),
    ("Arrived at regional facility", "arrived_at_facility"),
    ("Departed regional facility", "departed_facility"),
    ("In transit to next facility", "in_transit"),
    ("Arrived at hub", "arrived_at_facility"),
    ("Departed hub", "departed_facility"),
    ("Arrived at destination facility", "arrived_at_destination"),
)
ENDINGS: Final = (("usual", 88), ("second_try", 5), ("silent", 3), ("late", 3), ("back", 1))


@dataclass(frozen=True)
class Parcel:
    """One parcel of an order: who carries it, and all that will ever be said of it."""

    carrier: str
    number: str
    provider_id: str
    shipped_at: datetime
    due_on: datetime
    details: tuple[dict[str, Any], ...]  # as EasyPost tells them, oldest first

    def heard(self, now: datetime) -> list[dict[str, Any]]:
        """What has been said by now."""
        return [one for one in self.details if datetime.fromisoformat(one["datetime"]) <= now]

    def tracker(self, now: datetime) -> dict[str, Any]:
        """EasyPost's tracker at that moment."""
        details = self.heard(now)
        newest: dict[str, Any] = details[-1] if details else {"status": "pre_transit"}
        return {
            "id": self.provider_id,
            "object": "Tracker",
            "mode": "production",
            "tracking_code": self.number,
            "carrier": self.carrier,
            "status": newest["status"],
            "status_detail": newest.get("status_detail", "label_created"),
            "updated_at": now.isoformat(),
            "est_delivery_date": self.due_on.isoformat(),
            "tracking_details": details,
            "carrier_detail": {"service": SERVICES[self.carrier]},
        }


def posted_order(draw: random.Random, number: str, email: str, at: datetime) -> dict[str, Any]:
    """An order as a shop posts it, without its parcels."""
    city, region, postcode = draw.choice(TOWNS)
    lines = [_line(draw, good) for good in draw.sample(GOODS, draw.choice((1, 1, 1, 2, 2, 3)))]
    total = sum(line["quantity"] * line["unit_price_minor"] for line in lines)
    shipping = 0 if total >= 7_500 else 695
    address = {"name": "Robin Hale", "line1": f"{draw.randint(1, 990)} Juniper Street"}
    return {
        "number": number,
        "email": email,
        "placed_at": at.isoformat(),
        "currency": "USD",
        "shipping_address": address
        | {"city": city, "region": region, "postcode": postcode, "country": "US"},
        "lines": lines,
        "discount_minor": total // 10 if draw.random() < 0.15 else 0,
        "shipping_minor": shipping,
    }


def _line(draw: random.Random, good: tuple[str, str, int]) -> dict[str, Any]:
    title, variant, price = good
    return {
        "sku": "-".join(title.upper().split()[:2]) + (f"-{variant.upper()}" if variant else ""),
        "title": title,
        "variant": variant,
        "category": "Garden & home",
        "quantity": draw.choice((1, 1, 1, 1, 2)),
        "unit_price_minor": price,
    }


def parcels(draw: random.Random, order: dict[str, Any], seed: int) -> list[Parcel]:
    """How the order leaves: mostly in one parcel, now and then in two."""
    count = 2 if len(order["lines"]) > 1 and draw.random() < 0.2 else 1
    placed_at = datetime.fromisoformat(order["placed_at"])
    return [_parcel(draw, order, placed_at, 10 * seed + n) for n in range(count)]


def _parcel(draw: random.Random, order: dict[str, Any], placed_at: datetime, n: int) -> Parcel:
    carrier = draw.choices(("USPS", "UPS"), (6, 4))[0]
    shipped_at = placed_at + timedelta(hours=draw.uniform(4, 40))
    days = draw.choices((2, 3, 4, 5, 6, 8), (15, 30, 25, 15, 10, 5))[0]
    ending = draw.choices([name for name, _ in ENDINGS], [share for _, share in ENDINGS])[0]
    due_on = _local(shipped_at + timedelta(days=days), 20)
    where = order["shipping_address"]
    told = [
        *_middle(draw, shipped_at, due_on, where, ending),
        *_end(draw, due_on, where, ending),
    ]
    details = tuple(
        {"object": "TrackingDetail", "source": carrier, **one}
        for one in sorted(told, key=lambda one: one["datetime"])
    )
    return Parcel(carrier, number_of(carrier, n), f"trk_{n:032x}", shipped_at, due_on, details)


def number_of(carrier: str, n: int) -> str:
    """The n-th tracking number of a carrier, with its right check digit."""
    body, is_right = (f"94001{n:016}", gs1) if carrier == "USPS" else (f"1ZX48{n:012}", ups)
    return next(body + digit for digit in DIGITS if is_right(body + digit))


def _middle(
    draw: random.Random, start: datetime, due: datetime, where: dict[str, Any], ending: str
) -> list[dict[str, Any]]:
    """From the label to the town it goes to; a silent parcel stops half way."""
    steps = ON_THE_WAY[: draw.randint(2, 4)] if ending == "silent" else ON_THE_WAY
    told = [_told("pre_transit", "label_created", "Shipping label created", start, ("Reno", "NV"))]
    span = max(due - timedelta(hours=20) - start, timedelta(hours=6))
    for n, (message, detail) in enumerate(steps, 1):
        at = start + span * ((n - draw.uniform(0, 0.8)) / len(ON_THE_WAY))
        town = (where["city"], where["region"]) if n == len(ON_THE_WAY) else draw.choice(TOWNS)[:2]
        told.append(_told("in_transit", detail, message, at, town))
    return told


def _end(
    draw: random.Random, due: datetime, where: dict[str, Any], ending: str
) -> list[dict[str, Any]]:
    """The last day: out for delivery and there, tried twice, a day late, or on its way back."""
    if ending == "silent":
        return []
    town = (where["city"], where["region"])
    day = due + timedelta(days=draw.randint(1, 3)) if ending == "late" else due
    out = _local(day, draw.uniform(12, 15))
    told = [_told("out_for_delivery", "out_for_delivery", "Out for delivery", out, town)]
    if ending in ("second_try", "back"):
        tried = out + timedelta(hours=draw.uniform(2, 8))
        message = "Delivery attempted, no one was there"
        told.append(_told("failure", "delivery_exception", message, tried, town))
        out += timedelta(days=1)
    if ending == "back":
        message = "Returning to sender"
        told.append(_told("return_to_sender", "return", message, out + timedelta(days=4), town))
        return told
    there = out + timedelta(hours=draw.uniform(2, 9))
    told.append(_told("delivered", "arrived_at_destination", "Delivered", there, town))
    return told


def _told(
    status: str, detail: str, message: str, at: datetime, town: tuple[str, ...]
) -> dict[str, Any]:
    city, state = town
    return {
        "message": message,
        "status": status,
        "status_detail": detail,
        "datetime": at.replace(microsecond=0).isoformat(),
        "tracking_location": {"city": city.upper(), "state": state, "country": "US"},
    }


def _local(at: datetime, hour: float) -> datetime:
    """That day at an hour of the day, in UTC."""
    return datetime.combine(at.date(), time(tzinfo=UTC)) + timedelta(hours=hour)
