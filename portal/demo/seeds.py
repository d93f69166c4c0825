"""Fill an empty house with the two brands, their orders and the parcels the stand-in moves."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import select

from portal.db import every_shop, inside, new_id, session, writing
from portal.demo.payments import register_payment
from portal.demo.place import home_of
from portal.demo.rehearsal import PARCELS, parcel_for_sandbox, tell_sandbox
from portal.demo.tales import BRANDS, Brand, Parcel, Tale, document
from portal.keys import digest, settings
from portal.models import Link, Order, Picture, Shipment, Shop
from portal.sources.document import OrderDocument

PICTURES = Path(__file__).parent.parent / "static" / "pictures"
PICTURE_ROOT = "https://pictures.example.com"  # never fetched: the demo brings its own


@dataclass(frozen=True)
class Registered:
    """A parcel the stand-in was told of; told again, unchanged, after a restart."""

    carrier: str
    number: str
    kind: str
    ends: str
    seconds: int | None
    route: str


def fill(sandbox: str | None, now: datetime) -> None:
    """Make both brands with all their orders. `sandbox` None: real trackers, no stories."""
    for brand in BRANDS:
        shop_id = _make_shop(brand)
        for tale in brand.tales:
            if sandbox:
                for parcel in tale.parcels:
                    register(sandbox, brand, parcel, now)
            place(shop_id, brand, tale, now)


def place(shop_id: int, brand: Brand, tale: Tale, now: datetime) -> str:
    """Store a tale's order; gives the token of its page."""
    posted = OrderDocument.model_validate(document(brand, tale, now, PICTURE_ROOT))
    with inside(shop_id):
        with writing():
            _keep_pictures(brand, shop_id, now)
            order, _ = Order.upsert(posted, now)
            order_id = order.id
        register_payment(order_id)
        return Link.of(order_id)


def register(sandbox: str, brand: Brand, parcel: Parcel, now: datetime) -> None:
    """Tell the stand-in of a parcel and remember it for the next start."""
    ends = now + timedelta(days=parcel.days_left, seconds=parcel.seconds or 0)
    told = Registered(
        parcel.carrier, parcel.number, parcel.kind, ends.isoformat(), parcel.seconds, brand.route
    )
    _tell(sandbox, told, None)
    with _file().open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(told)) + "\n")


def register_again(sandbox: str) -> None:
    """Tell a restarted stand-in of every parcel, under the trackers we know."""
    with every_shop():
        rows = session.execute(select(Shipment.tracking_number, Shipment.provider_id))
        known = {number: tracker for number, tracker in rows if tracker}
    for told in remembered():
        _tell(sandbox, told, known.get(told.number))


def remembered() -> list[Registered]:
    """The parcels told so far."""
    try:
        lines = _file().read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    return [Registered(**json.loads(line)) for line in lines]


def orders_shown() -> Iterator[tuple[Shop, list[tuple[Tale, str]]]]:
    """For each brand its tales with the address of the page that shows each."""
    for brand in BRANDS:
        shop = Shop.named(brand.slug)
        if shop is None:
            continue
        with inside(shop.id):
            pages = [(tale, _page(shop, tale)) for tale in brand.tales]
        yield shop, [(tale, page) for tale, page in pages if page]


def _page(shop: Shop, tale: Tale) -> str:
    order_id = session.scalar(select(Order.id).where(Order.number == tale.number))
    token = Link.of(order_id) if order_id else ""
    return f"{shop.origin}/t/{token}" if token else ""


def _make_shop(brand: Brand) -> int:
    with writing():
        shop = Shop(slug=brand.slug, name=brand.name, is_default=brand is BRANDS[0], **brand.look)
        shop.settings = brand.settings
        shop.moves_to(origin(brand.slug))
        session.add(shop)
        session.flush()
        return shop.id


def origin(slug: str) -> str:
    """Where a demo brand lives: a name of this machine, at the port of BASE_URL."""
    port = urlsplit(settings().base_url).port
    return f"http://{slug}.localhost" + (f":{port}" if port else "")


def _keep_pictures(brand: Brand, shop_id: int, now: datetime) -> None:
    """Put the brand's pictures where fetched ones would be."""
    home = Path(settings().media_root) / str(shop_id)
    home.mkdir(parents=True, exist_ok=True)
    for good in brand.goods:
        url = f"{PICTURE_ROOT}/{good.picture}.webp"
        if session.scalar(select(Picture.id).where(Picture.url_digest == digest(url))):
            continue
        made = new_id("pic", now)
        shutil.copyfile(PICTURES / f"{good.picture}.webp", home / f"{made}.webp")
        session.add(Picture(id=made, url=url, url_digest=digest(url), state="kept", kept_at=now))


def _tell(sandbox: str, told: Registered, tracker: str | None) -> None:
    body = parcel_for_sandbox(
        told.carrier,
        told.number,
        told.kind,
        datetime.fromisoformat(told.ends),
        told.seconds,
        told.route,
    )
    tell_sandbox(sandbox, "/_sandbox/parcels", body | ({"tracker_id": tracker} if tracker else {}))


def _file() -> Path:
    home = home_of(settings().database_url)
    home.mkdir(parents=True, exist_ok=True)
    return home / PARCELS
