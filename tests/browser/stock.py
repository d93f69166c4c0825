"""Every state of tests.pages.samples as rows, so that a real server shows them all."""

from __future__ import annotations

from dataclasses import dataclass

from portal.db import inside, session, writing
from portal.models import Link, Order, OrderLine, Shipment, ShipmentLine, Shop, StoredScan
from portal.models.order import number_key
from portal.pages.facts import ItemFacts, OrderFacts, ParcelFacts
from tests.conftest import shop_id
from tests.pages.samples import STATES, sample

CODES = {"ups": "UPS", "dhl": "DHLExpress"}
# Nobody may see these on a page behind a link.
PERSONAL = {"name": "Ada Canaryname", "line1": "17 Canary Street", "postcode": "90210-CAN"}
EMAIL = "ada.canary@mail.example"


@dataclass(frozen=True)
class Shown:
    """One order of a brand in one state, and the path of its page."""

    brand: str
    state: str
    order_id: str
    path: str


def stock(brand: str) -> dict[str, Shown]:
    """Store an order for every state; inside an app context, as nobody's request."""
    with writing():
        shop = Shop.named(brand)
        assert shop is not None
        shop.support_email = f"help@{brand}.example"
    with inside(shop_id(brand)), writing():
        return {state: _store(brand, state, n) for n, state in enumerate(STATES)}


def _store(brand: str, state: str, n: int) -> Shown:
    facts, shop = sample(brand, state)
    number = f"{'VN-20' if brand == 'volta' else '10'}{n:02}"
    order = Order(
        number=number,
        number_key=number_key(number),
        email=EMAIL,
        email_key=EMAIL,
        placed_at=facts.placed_at,
        currency=facts.currency,
        status=facts.status,
        timezone=facts.timezone or shop.timezone,
        address={**PERSONAL, "city": facts.destination_city, "country": facts.destination_country},
    )
    session.add(order)
    session.flush()
    lines = _lines(order.id, facts)
    for at, parcel in enumerate(facts.parcels):
        _parcel(order.id, at, parcel, lines, n)
    return Shown(brand, state, order.id, f"/t/{Link.issue(order.id)}")


def _lines(order_id: str, facts: OrderFacts) -> dict[str, int]:
    """Store what was bought; gives the line of each article."""
    kept = {}
    for at, item in enumerate(facts.items):
        line = OrderLine(
            order_id=order_id,
            position=at,
            sku=item.sku,
            title=item.title,
            variant=item.variant,
            category=item.category,
            quantity=item.quantity,
            image_url=item.image_url or "",
            unit_price_minor=1900,
        )
        session.add(line)
        session.flush()
        kept[item.sku] = line.id
    return kept


def _parcel(order_id: str, at: int, facts: ParcelFacts, lines: dict[str, int], n: int) -> None:
    number = f"{facts.tracking_number[:-4]}{n:02}{at:02}"
    parcel = Shipment(
        order_id=order_id,
        position=at,
        carrier=facts.carrier_name,
        carrier_code=CODES[facts.carrier_code],
        service=facts.service,
        tracking_number=number,
        number_key=number,
        shipped_at=facts.shipped_at,
        status=facts.status,
        detail=facts.detail or "",
        overlays=list(facts.overlays),
        eta_date=facts.eta_to,
        first_eta_date=facts.first_eta,
        last_scan_at=facts.since,
        delivered_at=facts.delivered_at,
        checked_at=facts.last_checked_at,
        signed_by=facts.signed_by or "",
        problem="unreadable" if facts.feed_problem else "",
    )
    session.add(parcel)
    session.flush()
    session.add_all([_held(parcel.id, lines, item) for item in facts.items])
    session.add_all(
        StoredScan(
            shipment_id=parcel.id,
            key=f"scan-{index}",
            at=scan.at,
            offset_minutes=scan.offset_minutes,
            status=scan.status,
            detail=scan.detail or "",
            message=scan.message,
            city=scan.city,
            region=scan.region,
            country=scan.country,
        )
        for index, scan in enumerate(facts.scans)
    )


def _held(shipment_id: str, lines: dict[str, int], item: ItemFacts) -> ShipmentLine:
    return ShipmentLine(shipment_id=shipment_id, line_id=lines[item.sku], quantity=item.quantity)


def become(shown: Shown, state: str) -> None:
    """Make an order what another state tells, as a carrier's news would."""
    facts, _shop = sample(shown.brand, state)
    told = facts.parcels[0]
    with inside(shop_id(shown.brand)), writing():
        order = session.get_one(Order, shown.order_id)
        parcel = session.query(Shipment).filter_by(order_id=shown.order_id).one()
        parcel.status = told.status
        parcel.detail = told.detail or ""
        parcel.delivered_at = told.delivered_at
        parcel.last_scan_at = told.since
        parcel.eta_date = told.eta_to
        newest = told.scans[-1]
        session.add(
            StoredScan(
                shipment_id=parcel.id,
                key=f"news-{state}",
                at=newest.at,
                offset_minutes=newest.offset_minutes,
                status=newest.status,
                detail=newest.detail or "",
                city=newest.city,
                region=newest.region,
                country=newest.country,
            )
        )
        order.version += 1
