"""An order's tracking page from the database: two statements, and no column that is personal.

The first finds the link and says what the page depends on; the second brings everything else, with
one JSON array for each kind of row. Names, streets, postcodes, e-mails, phones, who signed and the
carriers' own texts are not selected at all.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from carriers.names import BY_CODE, canonical, tracking_url
from carriers.timeline import FUTURE, OLDER, RESTATED
from carriers.window import Window
from portal.db import db
from portal.keys import digest
from portal.models.access import AFTER_RIGHTS
from portal.models.arrival import first_told, window_in_force
from portal.pages.facts import Grade, ItemFacts, OrderFacts, ParcelFacts, ScanFacts
from portal.pages.load_cover import is_coverable
from portal.pages.load_returns import claims_told, returns_told
from portal.pages.load_statements import LINK, everything

TOKEN = re.compile(r"[A-Za-z0-9_-]{22,64}")
OURS = "/static/"
# Troubles that mean for customers: the carrier's updates do not reach us. Others are staff's alone.
FEED = frozenset({"unreadable", "key_refused", "carrier_account", "test_key", "stuck"})


@dataclass(frozen=True, slots=True)
class Opened:
    """A link that exists in this shop, and what its page depends on."""

    id: int
    order_id: str
    grade: Grade
    browser: str  # the digest of the one session it works in; '' for the order's own link
    ends_at: datetime | None
    revoked_at: datetime | None
    version: int
    checked_at: datetime | None

    def has_ended(self, now: datetime) -> bool:
        """Whether it was replaced or has run out."""
        return self.revoked_at is not None or (self.ends_at is not None and self.ends_at <= now)


def open_link(token: str) -> Opened | None:
    """The link with this token in the shop in scope, if any. One statement."""
    if not TOKEN.fullmatch(token):
        return None
    row = LINK.first(digest=digest(token))
    return _opened(row) if row else None


def _opened(row: Any) -> Opened:
    follows = row.rights_end_at + AFTER_RIGHTS if row.rights_end_at else None
    return Opened(
        id=row.id,
        order_id=row.order_id,
        grade="act" if row.grade == "act" else "view",
        browser=row.session_digest,
        ends_at=row.expires_at or follows,
        revoked_at=row.revoked_at,
        version=row.version,
        checked_at=row.checked_at,
    )


def load_order(order_id: str, grade: Grade) -> OrderFacts | None:
    """The facts of an order of the shop in scope, if it is there. One statement."""
    row = everything(db.engine.dialect.name).first(order_id=order_id)
    return _order(row, grade) if row else None


def _order(row: Any, grade: Grade) -> OrderFacts:
    pictures = {found["url"]: found for found in row.pictures or ()}
    lines = sorted(row.lines or (), key=lambda line: line["position"])
    items = {line["id"]: _item(line, pictures) for line in lines}
    contents: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for part in row.contents or ():
        contents[part["shipment_id"]].append((part["line_id"], part["quantity"]))
    scans: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for scan in row.scans or ():
        scans[scan["shipment_id"]].append(scan)
    shipments = sorted(row.shipments or (), key=lambda one: (one["position"], one["id"]))
    return OrderFacts(
        number=row.number,
        placed_at=row.placed_at,
        status=row.status,
        currency=row.currency,
        locale=row.locale,
        timezone=row.timezone or None,
        destination_city=row.city or "",
        destination_country=row.country or "",
        items=tuple(items.values()),
        parcels=tuple(
            _parcel(one, _inside(items, contents[one["id"]]), scans[one["id"]]) for one in shipments
        ),
        grade=grade,
        # Who only found the order by its number sees no return and no claim: their pages could be
        # acted on.
        returns=returns_told(row.returns) if grade == "act" else (),
        claims=claims_told(row.claims) if grade == "act" else (),
        is_all_held=row.held > 0 and row.held >= row.pieces,
        cover_minor=row.cover_minor if grade == "act" else 0,
        promise=Window.from_json(_object(row.promise)),
        is_coverable=grade == "act" and is_coverable(row, row.cancelled_at),
    )


def _item(line: dict[str, Any], pictures: dict[str, dict[str, str]]) -> ItemFacts:
    url = line["image_url"]
    picture = pictures.get(url, {})
    kept = f"/media/{picture['id']}" if picture.get("state") == "kept" else None
    return ItemFacts(
        title=line["title"],
        variant=line["variant"],
        quantity=line["quantity"],
        image_url=kept or (url if url.startswith(OURS) else None),
        sku=line["sku"],
        category=line["category"],
        awaits_picture=picture.get("state") == "wanted",
    )


def _inside(items: dict[int, ItemFacts], parts: list[tuple[int, int]]) -> tuple[ItemFacts, ...]:
    """What a parcel holds: the order's lines in their order, each with the parcel's quantity."""
    held = dict(parts)
    return tuple(replace(item, quantity=held[id]) for id, item in items.items() if id in held)


def _parcel(
    one: dict[str, Any], items: tuple[ItemFacts, ...], scans: list[dict[str, Any]]
) -> ParcelFacts:
    named = BY_CODE.get(one["carrier_code"]) or canonical(one["carrier"])
    told = tuple(sorted((_scan(scan) for scan in scans), key=lambda scan: scan.at))
    delivered_at = _moment(one["delivered_at"])
    window = window_in_force(_object(one["window"]), _day(one["eta_date"]))
    return ParcelFacts(
        id=one["id"],
        carrier_name=named.name if named else one["carrier"],
        carrier_code=one["carrier_code"],
        service=one["service"],
        tracking_number=one["tracking_number"],
        tracking_url=_carrier_url(one),
        status=one["status"],
        detail=one["detail"] or None,
        overlays=tuple(_list(one["overlays"])),
        since=_moment(one["last_scan_at"]),
        delivered_at=delivered_at,
        delivered_offset_minutes=_offset_at(told, delivered_at),
        shipped_at=_moment(one["shipped_at"]),
        eta_from=window.first if window else None,
        eta_to=window.last if window else None,
        eta_basis=window.basis if window else "",
        eta_parcels=window.parcels if window else 0,
        first_eta=first_told(
            _object(one["first_window"]), _object(one["window"]), _day(one["first_eta_date"])
        ),
        last_checked_at=_moment(one["checked_at"]),
        next_check_at=_moment(one["next_at"]),
        feed_problem=one["problem"] if one["problem"] in FEED else None,
        items=items,
        scans=told,
    )


def _carrier_url(one: dict[str, Any]) -> str | None:
    number = one["tracking_number"]
    return tracking_url(one["carrier_code"] or one["carrier"], number) if number else None


def _scan(scan: dict[str, Any]) -> ScanFacts:
    flags = set(scan["flag"].split(","))
    return ScanFacts(
        at=_moment(scan["at"]) or datetime.min.replace(tzinfo=UTC),
        offset_minutes=scan["offset_minutes"],
        status=scan["status"],
        detail=scan["detail"] or None,
        city=scan["city"] or "",
        region=scan["region"] or "",
        country=scan["country"] or "",
        hidden=bool(flags & {FUTURE, OLDER, RESTATED}),
    )


def _offset_at(scans: Iterable[ScanFacts], moment: datetime | None) -> int | None:
    """The zone the carrier gave with the scan of that moment."""
    for scan in scans:
        if scan.at == moment and scan.offset_minutes is not None:
            return scan.offset_minutes
    return None


def _moment(text: str | None) -> datetime | None:
    """A moment as either database writes it into JSON: without a zone it is UTC."""
    if text is None:
        return None
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _object(value: dict[str, Any] | str | None) -> dict[str, Any]:
    """The same for an object."""
    found = json.loads(value) if isinstance(value, str) else value
    return dict(found or {})


def _list(value: list[str] | str | None) -> list[str]:
    """A JSON column inside JSON: SQLite gives it as text."""
    found = json.loads(value) if isinstance(value, str) else value
    return [str(one) for one in found or ()]
