"""What EasyPost pushes: trackers of the usual size, and a shop whose parcels they are about."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from bench import house
from carriers.easypost import sign
from portal import clock
from portal.db import inside, writing
from portal.models import Order
from portal.sources.document import OrderDocument

HOOK: Final = "/hooks/easypost/fern"
BEGAN: Final = clock.now()
PARCELS: Final = 200
SCANS: Final = 16
STAMP: Final = "%Y-%m-%dT%H:%M:%SZ"


def number_of(n: int) -> str:
    """The number of the parcel that the n-th event is about."""
    return f"9400110898825{n % PARCELS:09}"


def tracker(n: int, scans: int = SCANS) -> dict[str, Any]:
    """A tracker whose scans are half an hour apart; the newest is another one for every `n`."""
    told = [_scan(place, place == scans - 1, n) for place in range(scans)]
    return {
        "id": f"trk_{n % PARCELS:032x}",
        "object": "Tracker",
        "mode": "production",
        "tracking_code": number_of(n),
        "carrier": "USPS",
        "status": "in_transit",
        "status_detail": "arrived_at_facility",
        "created_at": (BEGAN - timedelta(days=1)).strftime(STAMP),
        "updated_at": (BEGAN + timedelta(seconds=n)).strftime(STAMP),
        "est_delivery_date": (BEGAN + timedelta(days=2)).strftime(STAMP),
        "tracking_details": told,
        "carrier_detail": {
            "object": "CarrierDetail",
            "service": "GroundAdvantage",
            "origin_location": "RENO NV, 89501",
            "destination_location": "AUSTIN TX, 78701",
        },
        "public_url": "https://track.easypost.com/djE6dHJrX2V4YW1wbGU",
    }


def _scan(place: int, is_newest: bool, n: int) -> dict[str, Any]:
    at = BEGAN - timedelta(minutes=30 * (SCANS - place), seconds=n if is_newest else 0)
    return {
        "object": "TrackingDetail",
        "message": f"Processed at facility {place}",
        "description": None,
        "status": "in_transit",
        "status_detail": "arrived_at_facility",
        "datetime": at.strftime(STAMP),
        "source": "USPS",
        "carrier_code": "PO",
        "tracking_location": {
            "object": "TrackingLocation",
            "city": f"TOWN {place}",
            "state": "TX",
            "country": "US",
            "zip": f"787{place:02}",
        },
    }


def event(n: int) -> bytes:
    """The body of the n-th event."""
    head = {
        "id": f"evt_{n:032x}",
        "object": "Event",
        "mode": "production",
        "description": "tracker.updated",
        "previous_attributes": {"status": "in_transit"},
        "created_at": (BEGAN + timedelta(seconds=n)).strftime(STAMP),
    }
    return json.dumps(head | {"result": tracker(n)}).encode()


def signed(body: bytes) -> dict[str, str]:
    """The headers that show whose body it is."""
    return {
        "Host": house.HOST,
        "Content-Type": "application/json",
        "X-Hmac-Signature": sign(body, house.HOOK_SECRET),
    }


def fill(environ: Mapping[str, str]) -> None:
    """A shop whose orders the events are about."""
    with house.opened(environ) as shop_id, inside(shop_id), writing():
        for n in range(PARCELS):
            parcel = {"carrier": "USPS", "tracking_number": number_of(n)}
            posted = {"number": str(n), "currency": "USD", "shipments": [parcel]}
            Order.upsert(OrderDocument.model_validate(posted), clock.now())
