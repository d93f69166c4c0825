"""Claim back from the insurer of a parcel: each once, whatever is lost on the way.

EasyPost has no idempotency for claims. So the row's id stands in the claim as our mark, and claims
are looked through for it before one is filed. After a lost answer nothing is filed for a while: the
first attempt may still arrive.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import IO, Any, Final

from sqlalchemy import select

from carriers.contract import (
    AuthBroken,
    BadPayload,
    CarrierError,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Transient,
)
from carriers.easypost_claims import Attachment, ClaimWish, InsuredClaim, minor_of, named_in
from portal import clock
from portal.db import every_shop, inside, session, writing
from portal.evidence.summary import draw_invoice, draw_letters, draw_summary
from portal.jobs.provider import Account, usable_account
from portal.jobs.work import FIRST_WAIT, LONGEST_WAIT
from portal.models import Shop
from portal.models.carrier_claim import ASKING, ENDED, CarrierClaim, begin, heard
from portal.models.due import Lease, finish, holds, plan
from portal.models.evidence import evidence_of_claim, photos_of

NO_KEY: Final = "EasyPost is not set up here (EASYPOST_API_KEY), so nothing can be claimed there."
LATER: Final = (Transient, RateLimited, AuthBroken, BadPayload, OutcomeUnknown)
SURE: Final = timedelta(minutes=2)  # for what was sent to be listed, if it arrived at all
SLOW: Final = timedelta(hours=6)  # between two looks at a claim that the insurer has
LOOKED_AT: Final = ("filed", *ENDED)  # what has ended may be opened again
TOO_MUCH: Final = (
    "The insurer approved more than was claimed. Look at it there; nothing was booked."
)
PDF: Final = "application/pdf"


@dataclass(frozen=True, slots=True)
class Filing:
    """A claim that is about to be filed."""

    lease: Lease
    id: str
    may_file: bool  # else it is only looked for: an earlier attempt may still be on its way
    since: datetime


def perform(lease: Lease) -> None:
    """File one claim, or look how it stands."""
    with inside(lease.shop_id):
        row = session.get(CarrierClaim, lease.subject)
        status = row.status if row is not None else ""
        shop = session.get_one(Shop, lease.shop_id)
        account, reason = usable_account(shop, NO_KEY)
        closed_until = account.closed_until() if account is not None else None
        session.rollback()
        if closed_until is not None and closed_until > clock.now():
            _store(lease, lambda found, now: closed_until)
        elif status in ASKING:
            _file(lease, account, reason)
        elif status in LOOKED_AT:
            _look(lease, account)
        else:
            _store(lease, lambda found, now: None)


def bury(lease: Lease, now: datetime) -> None:
    """It failed too often in a way of our own. It may have been filed: people look at it."""

    def lost(row: CarrierClaim, now: datetime) -> None:
        if row.status in ASKING:
            text = "Filing it failed several times. Look into the log for: work failed."
            row.ends("unknown", now, text)

    with inside(lease.shop_id):
        _store(lease, lost)


# --- file ---------------------------------------------------------------------------------------


def _file(lease: Lease, account: Account | None, reason: str) -> None:
    filing = _begin(lease, reason)
    if filing is None or account is None:
        return
    desk = account.client
    try:
        found = desk.find_claim(filing.id, filing.since)
    except CarrierError as error:
        _trouble(lease, account, error, filing.since)
        return
    if found is None and not filing.may_file:
        _store(lease, lambda row, now: now + SURE)
        return
    try:
        found = found or desk.file_claim(_wish(filing.id))
    except CarrierError as error:
        if isinstance(error, LATER):
            _trouble(lease, account, error, filing.since)
        else:
            sentence = _sentence(error)
            _store(lease, lambda row, now: row.ends("failed", now, sentence))
        return
    _heard(lease, found)
    with writing(synchronous="NORMAL"):
        account.answered()


def _begin(lease: Lease, reason: str) -> Filing | None:
    """What is to be filed; None where it is not to be, which is stored."""
    with writing():
        now = clock.now()
        row = CarrierClaim.locked(lease.subject)
        if not holds(lease):
            return None
        if row is None or row.status not in ASKING:
            finish(lease)
            return None
        is_fresh = row.status == "wanted"
        if reason or (is_fresh and not begin(row, now)):
            again_at = _cannot(row, reason, now, is_fresh=is_fresh) if reason else None
            finish(lease, again_at=again_at)
            return None
        asked_at = row.performing_at
        may_file = is_fresh or asked_at is None or now - asked_at >= SURE
        if may_file:
            row.performing_at = now
        return Filing(lease, row.id, may_file, row.created_at)


def _cannot(row: CarrierClaim, reason: str, now: datetime, *, is_fresh: bool) -> datetime | None:
    """Failed where it was never asked for, else it waits to be looked up."""
    row.ends("failed" if is_fresh else row.status, now, reason)
    return None if is_fresh else now + LONGEST_WAIT


def _wish(id: str) -> ClaimWish:
    """The claim with its files, as the shop's records have it now."""
    row = session.get_one(CarrierClaim, id)
    claim, parcel = row.claim, row.claim.shipment
    shop = session.get_one(Shop, row.shop_id)
    facts = evidence_of_claim(claim, clock.now())
    photos = photos_of(claim.order_id, claim.id)
    wish = ClaimWish(
        mark=row.id,
        number=parcel.tracking_number if parcel is not None else "",
        type=row.type,
        amount=Decimal(row.amount_minor) / 100,
        description=_description(facts),
        email=shop.support_email or claim.order.email,
        recipient=claim.order.address.get("name", ""),
        letters=[_pdf(lambda out: draw_letters(facts, out))],
        invoices=[_pdf(lambda out: draw_invoice(facts, out))],
        documents=[_pdf(lambda out: draw_summary(facts, photos, out))],
    )
    session.rollback()  # no transaction is open while we talk to the insurer
    return wish


def _description(facts: Mapping[str, Any]) -> str:
    [claim] = facts["claims"]
    pieces = ", ".join(piece["title"] or piece["sku"] for piece in claim["pieces"])
    said = next((text for name, text in claim["words"] if name.startswith("In the")), "")
    told = f"{dict(claim['told'])['What happened']}. Order {facts['order']['number']}: {pieces}."
    return f"{told} {said}".strip()[:2_000]


def _pdf(draw: Callable[[IO[bytes]], None]) -> Attachment:
    out = io.BytesIO()
    draw(out)
    return Attachment(PDF, out.getvalue())


# --- what came of it ----------------------------------------------------------------------------


def _look(lease: Lease, account: Account | None) -> None:
    """Ask how a filed claim stands."""
    row = session.get_one(CarrierClaim, lease.subject)
    provider_id, since = row.provider_id or "", row.filed_at or row.created_at
    session.rollback()
    if account is None:
        _store(lease, lambda row, now: now + SLOW)
        return
    try:
        found = account.client.look_at_claim(provider_id)
    except CarrierError as error:
        _trouble(lease, account, error, since)
        return
    _heard(lease, found)


def _heard(lease: Lease, found: InsuredClaim) -> None:
    approved_minor = minor_of(found.approved) if found.approved is not None else 0

    def take(row: CarrierClaim, now: datetime) -> datetime | None:
        if approved_minor > row.amount_minor:
            row.ends(row.status, now, TOO_MUCH)
            return now + LONGEST_WAIT
        heard(row, found.id, found.status, found.detail, approved_minor, now)
        return now + SLOW if row.status == "filed" else None

    _store(lease, take)


def _trouble(lease: Lease, account: Account, error: CarrierError, since: datetime) -> None:
    """Not now, or nobody knows: it is looked for before anything else."""

    def wait(row: CarrierClaim, now: datetime) -> datetime:
        if isinstance(error, Transient | RateLimited | AuthBroken):
            account.failed(error, now)
        is_lost = isinstance(error, OutcomeUnknown) and row.status == "performing"
        row.ends("unknown" if is_lost else row.status, now, str(error))
        longer = max(FIRST_WAIT, min(LONGEST_WAIT, now - since))
        asked = min(timedelta(days=1), timedelta(seconds=error.retry_after or 0))
        return now + max(longer, asked)

    _store(lease, wait)


def _store(lease: Lease, act: Callable[[CarrierClaim, datetime], datetime | None]) -> None:
    """Store what came of it and end the lease, together; `act` says when to look again."""
    with writing():
        now = clock.now()
        row = CarrierClaim.locked(lease.subject)
        if not holds(lease):
            return
        finish(lease, again_at=act(row, now) if row is not None else None)


def _sentence(error: CarrierError) -> str:
    fields = error.field_errors if isinstance(error, Rejected) else ()
    more = "; ".join(f"{field} {message}".strip() for field, message in fields)
    return f"{error} ({more})" if more else str(error)


# --- what is pushed to us -----------------------------------------------------------------------


def take_push(event: Mapping[str, Any], shops: Sequence[int], now: datetime) -> bool:
    """An event of EasyPost's about a claim means "look"; False where no shop of these filed it.

    What the insurer asks is kept for staff to read.
    """
    provider_id, asks = named_in(event)
    wanted = select(CarrierClaim.shop_id, CarrierClaim.id).where(
        CarrierClaim.provider_id == provider_id, CarrierClaim.shop_id.in_(shops)
    )
    with every_shop():
        rows = session.execute(wanted).all() if provider_id else []
        session.rollback()
    for shop_id, id in rows:
        with inside(shop_id), writing():
            row = CarrierClaim.locked(id)
            if row is not None:
                row.asked = asks or row.asked
                row.claim.touch(now)
                plan("carrier", row.id, shop_id, now)
    return bool(rows)
