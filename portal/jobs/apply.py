"""Work off the ledger of what providers pushed: find the parcel, take the answer in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select, update

from carriers.contract import BadPayload, Tracking
from carriers.easypost import read_event
from carriers.names import canonical
from portal import clock
from portal.db import every_shop, inside, session, writing
from portal.jobs import carrier
from portal.jobs.provider import webhook_secret_of
from portal.jobs.queue import nudge
from portal.keys import Unsealable, digest
from portal.models import HookEvent, Shipment, Shop
from portal.models.due import Lease, finish, holds
from portal.models.observe import observe
from portal.models.shipment import key_of

REUSED_AFTER = timedelta(days=120)  # an older parcel of the same number is another parcel


@dataclass(frozen=True)
class Push:
    """An event read from the ledger, and the parcels it speaks of, as (shop, shipment)."""

    lease: Lease
    event_id: int
    tracking: Tracking | None
    error: str
    parcels: tuple[tuple[int, str], ...]
    raw: Mapping[str, Any] = field(default_factory=dict)  # of an event that is about no parcel
    shops: tuple[int, ...] = ()  # of its account


def perform(lease: Lease) -> None:
    """Take in one event."""
    perform_all([lease])


def perform_all(leases: Sequence[Lease]) -> None:
    """Take in many events, each in a transaction of its own."""
    by_shop: dict[int, list[Push]] = {}
    rest: list[Push] = []
    with every_shop():
        for push in _read(leases):
            if len({shop_id for shop_id, _ in push.parcels}) == 1:
                by_shop.setdefault(push.parcels[0][0], []).append(push)
            else:
                rest.append(push)
    changed = False
    for shop_id, pushes in by_shop.items():
        for push in pushes:
            # Hooks wait for this transaction and are to answer within half a second.
            with inside(shop_id), writing(synchronous="NORMAL"):
                changed = _take_in(push) or changed
    for push in rest:
        changed = _take_in_shops(push) or changed
    if changed:
        nudge("send")


def bury(lease: Lease, now: datetime) -> None:
    """An event that failed too often stays in the ledger as failed; doctor counts it."""
    with every_shop(), writing():
        _mark(int(lease.subject), "failed", now, "It could not be taken in.")
        finish(lease)


def _take_in(push: Push) -> bool:
    """One event about parcels of one shop; call it in that shop's transaction."""
    if not holds(push.lease):
        return False
    now = clock.now()
    changed = _observe(push, [shipment_id for _, shipment_id in push.parcels], now)
    _mark(push.event_id, "applied", now)
    finish(push.lease)
    return changed


def _take_in_shops(push: Push) -> bool:
    """One event about parcels of several shops, or of none.

    The lease is ended last: what a killed worker did before is done again to no effect.
    """
    changed = False
    mine: dict[int, list[str]] = {}
    for shop_id, shipment_id in push.parcels:
        mine.setdefault(shop_id, []).append(shipment_id)
    for shop_id, ids in mine.items():
        with inside(shop_id), writing(synchronous="NORMAL"):
            changed = _observe(push, ids, clock.now()) or changed
    is_claim = bool(push.raw) and carrier.take_push(push.raw, push.shops, clock.now())
    with every_shop(), writing():
        if holds(push.lease):
            state = "applied" if is_claim else _end(push)
            _mark(push.event_id, state, clock.now(), push.error)
            finish(push.lease)
    if is_claim:
        nudge("carrier")
    return changed


def _end(push: Push) -> str:
    if push.parcels:
        return "applied"
    if push.error:
        return "quarantined"
    return "unmatched" if push.tracking else "ignored"


def _observe(push: Push, shipment_ids: Iterable[str], now: datetime) -> bool:
    changed = False
    for shipment_id in sorted(shipment_ids):
        shipment = Shipment.locked(shipment_id)
        if shipment is not None and push.tracking is not None:
            changed = observe(shipment, push.tracking, "hook", now) or changed
    return changed


def _mark(event_id: int, state: str, now: datetime, error: str = "") -> None:
    session.execute(
        update(HookEvent)
        .where(HookEvent.id == event_id)
        .values(state=state, applied_at=now, error=error)
        .execution_options(synchronize_session=False)
    )


# --- whose parcel it is -------------------------------------------------------------------------


def _read(leases: Sequence[Lease]) -> list[Push]:
    """The events of these leases, read and matched; in the order they came."""
    by_id = {int(lease.subject): lease for lease in leases}
    columns = (HookEvent.id, HookEvent.account, HookEvent.shop_id, HookEvent.body)
    rows = session.execute(select(*columns).where(HookEvent.id.in_(by_id)).order_by(HookEvent.id))
    shops: dict[str, list[int]] = {}
    found: list[Push] = []
    for event_id, account, shop_id, body in rows:
        lease = by_id.pop(event_id)
        raw: Mapping[str, Any] = {}
        try:
            event = read_event(body)
            tracking, error, raw = event.result, "", event.raw
        except BadPayload as unreadable:
            tracking, error = None, str(unreadable)
        if account not in shops:
            shops[account] = _sharing(account)
        rows_found = _parcels(tracking, shops[account], shop_id) if tracking else []
        parcels = tuple((row.shop_id, row.id) for row in rows_found)
        other = {} if tracking else raw
        found.append(Push(lease, event_id, tracking, error, parcels, other, tuple(shops[account])))
    gone = [Push(lease, 0, None, "", ()) for lease in by_id.values()]
    return found + gone


def _sharing(account: str) -> list[int]:
    """The shops whose hooks are signed with the secret of this account."""
    return [shop.id for shop in session.scalars(select(Shop)) if _account_of(shop) == account]


def _account_of(shop: Shop) -> str:
    """The account a shop's hooks belong to; '' for a secret that cannot be read any more."""
    try:
        return digest(webhook_secret_of(shop))
    except Unsealable:
        return ""


def _parcels(tracking: Tracking, shops: list[int], named: int) -> Sequence[Any]:
    """By the provider's id among the shops of the account, else by number in the shop named.

    Known by id to another shop only, it may still be a parcel of the shop named as well.
    """
    number_key = key_of(tracking.tracking_number)
    by_id = Shipment.provider_id == tracking.provider_id
    by_number = (Shipment.number_key == number_key) & (Shipment.shop_id == named)
    rows = session.execute(
        select(
            Shipment.shop_id,
            Shipment.id,
            Shipment.provider_id,
            Shipment.carrier_code,
            Shipment.carrier,
            Shipment.created_at,
        )
        .where(or_(by_id & Shipment.shop_id.in_(shops), by_number))
        .order_by(Shipment.created_at.desc(), Shipment.id)
    ).all()
    known = [row for row in rows if row.provider_id == tracking.provider_id]
    if any(row.shop_id == named for row in known):
        return known
    since = clock.now() - REUSED_AFTER
    fitting = [
        row
        for row in rows
        if row.shop_id == named
        and row.created_at >= since
        and _is_same(row.carrier_code or row.carrier, tracking.carrier)
    ]
    unopened = [row for row in fitting if row.provider_id is None]
    return [*known, *(unopened or fitting[:1])]


def _is_same(mine: str, theirs: str) -> bool:
    """Whether two names can mean one carrier; a name that is not given stands for any."""
    if not mine or not theirs or mine.casefold() == theirs.casefold():
        return True
    known, other = canonical(mine), canonical(theirs)
    return known is not None and known == other
