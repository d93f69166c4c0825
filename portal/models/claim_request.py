"""Claiming: which parcel, which units, when it opens, and what the shop's terms say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import func, select

from carriers.contract import Status
from portal.db import new_id, session
from portal.keys import digest, new_token, seal
from portal.models.audit import record
from portal.models.change import Conflict
from portal.models.claim import Claim, ClaimUnit
from portal.models.claim_acts import decide_at_first
from portal.models.claim_facts import Day, facts_of, terms_of
from portal.models.claim_news import tell
from portal.models.due import plan
from portal.models.line import OrderLine, Unit
from portal.models.order import Order
from portal.models.rma_facts import Situation
from portal.models.shipment import Shipment
from portal.models.shop import Shop
from portal.models.unit_claim import claim_units
from portal.protection.claim_rules import NotClaimable, last_day, opens_on
from portal.protection.claim_terms import KINDS, WANTED
from portal.sources.sentences import wrong
from portal.tenancy import shop_in_scope

SENT_NOTHING: Final = "Nothing of this order has been sent yet, so nothing can be claimed of it."
LONGEST: Final = 4_000


@dataclass(frozen=True, slots=True)
class AskedClaim:
    """What somebody claims. `lines` are {sku: quantity}; none means all that the parcel holds."""

    kind: str
    shipment_id: str = ""
    lines: Mapping[str, int] = field(default_factory=dict)
    wanted: str = "refund"
    statement: str = ""
    police_report: str = ""
    photos: int = 0


def request_claim(order: Order, asked: AskedClaim, channel: str, by: str, now: datetime) -> Claim:
    """Store a claim and decide it, or keep it until the first day on which it can be decided.

    `order` is what `order_for_return(lock=True)` gave. Raises Invalid for what cannot be taken,
    Conflict for what does not fit what happened, or is claimed or sent back already.
    """
    _is_readable(asked)
    parcel = _parcel(parcels_of(order.id), asked.shipment_id)
    situation, day = Situation.of(order), Day.of(order)
    units = _units(situation, parcel, asked)
    claim = _claim(situation, parcel, asked, units, channel, now)
    terms = terms_of(session.get_one(Shop, shop_in_scope()))
    facts = facts_of(claim, situation, parcel, now, photos=asked.photos)
    try:
        claim.opens_on, claim.last_day = opens_on(terms, facts), last_day(terms, facts)
    except NotClaimable as error:
        raise Conflict(f"{error} Nothing was stored.") from error
    claim.terms, claim.covered = terms.model_dump(mode="json"), facts.covered
    claim_units([unit.unit_id for unit in claim.units], claim.id, now)
    session.add(claim)
    session.flush()
    told = {"kind": claim.kind, "wanted": claim.wanted, "units": len(claim.units)}
    record(by, "claim.made", f"claim:{claim.id}", after=told)
    if claim.opens_on > day.local(now):
        claim.status = "waiting"
        plan("claim", claim.id, claim.shop_id, day.start(claim.opens_on))
        tell(claim, now)
    else:
        decide_at_first(claim, facts, now)
    order.version += 1
    order.updated_at = now
    return claim


def _is_readable(asked: AskedClaim) -> None:
    if asked.kind not in KINDS:
        raise wrong("kind", f"Say what happened: {', '.join(KINDS)}.")
    if asked.wanted not in WANTED:
        raise wrong("wanted", f"Say what you want instead: {', '.join(WANTED)}.")
    if len(asked.statement) > LONGEST:
        raise wrong("statement", f"Write at most {LONGEST} characters.")


def parcels_of(order_id: str) -> list[Shipment]:
    """The parcels that something may be claimed of: not called off, not on their way back."""
    wanted = select(Shipment).where(
        Shipment.order_id == order_id,
        Shipment.rma_id.is_(None),
        Shipment.status != Status.CANCELLED.value,
    )
    return list(session.scalars(wanted.order_by(Shipment.position, Shipment.id)))


@dataclass(frozen=True, slots=True)
class Kind:
    """What can be claimed of a parcel, from which local day until which."""

    code: str
    opens_on: date
    last_day: date


def kinds_of(here: Situation, parcel: Shipment, now: datetime) -> list[Kind]:
    """What fits what the carrier says of the parcel."""
    terms = terms_of(session.get_one(Shop, shop_in_scope()))
    found = []
    for code in KINDS:
        blank = Claim(kind=code, asked_at=now, units=[], statement="", police_report="")
        facts = facts_of(blank, here, parcel, now, photos=0)
        with suppress(NotClaimable):
            found.append(Kind(code, opens_on(terms, facts), last_day(terms, facts)))
    return found


def _parcel(parcels: Sequence[Shipment], named: str) -> Shipment:
    """The parcel that is meant: the one named, or the only one."""
    if named:
        found = next((each for each in parcels if each.id == named), None)
        if found is None:
            raise wrong("shipment", "The order has no such parcel. Send the id of one of its own.")
        return found
    if not parcels:
        raise Conflict(SENT_NOTHING)
    if len(parcels) > 1:
        raise wrong("shipment", "The order came in several parcels. Say which one is meant.")
    return parcels[0]


def free_of(here: Situation, parcel: Shipment) -> dict[str, list[tuple[OrderLine, Unit]]]:
    """The units in a parcel that nobody holds, by article."""
    holds = {held.line_id: held.quantity for held in parcel.lines}
    found: dict[str, list[tuple[OrderLine, Unit]]] = {}
    for line in here.order.lines:
        if not holds or line.id in holds:
            free = here.free_units(line)[: holds.get(line.id, line.quantity)]
            found.setdefault(line.sku, []).extend((line, unit) for unit in free)
    return found


def _units(here: Situation, parcel: Shipment, asked: AskedClaim) -> list[tuple[OrderLine, Unit]]:
    """Free units of the parcel, as many as are claimed. Raises Invalid and Conflict."""
    free = free_of(here, parcel)
    unknown = sorted(set(asked.lines) - set(free))
    if unknown:
        raise wrong("lines", f"The parcel holds nothing of {', '.join(unknown)}.")
    wanted = dict(asked.lines) or {sku: len(units) for sku, units in free.items()}
    found = [pair for sku, count in wanted.items() for pair in free[sku][:count]]
    if not found or len(found) < sum(wanted.values()):
        raise Conflict(
            "This is in another return or claim already, or more than the parcel held. Nothing "
            "was stored."
        )
    return found


def _claim(
    here: Situation,
    parcel: Shipment,
    asked: AskedClaim,
    units: Sequence[tuple[OrderLine, Unit]],
    channel: str,
    now: datetime,
) -> Claim:
    order, token = here.order, new_token()
    made = session.scalar(select(func.count()).select_from(Claim).where(Claim.order_id == order.id))
    texts: dict[str, Any] = dict.fromkeys(
        ("appeal", "decided_by", "note", "override_reason", "rejection_code", "cancel_reason"), ""
    )
    return Claim(
        id=new_id("clm", now),
        shop_id=shop_in_scope(),
        number=f"{order.number}-C{(made or 0) + 1}",
        order_id=order.id,
        order=order,
        shipment_id=parcel.id,
        customer_id=order.customer_id,
        currency=order.currency,
        kind=asked.kind,
        wanted=asked.wanted,
        status="open",
        channel=channel,
        statement=asked.statement.strip(),
        police_report=asked.police_report.strip()[:120],
        opens_on=date.min,
        last_day=date.max,
        token_digest=digest(token),
        token_sealed=seal(token),
        asked_at=now,
        version=1,
        payout_minor=0,
        recovered_minor=0,
        units=[
            ClaimUnit(
                unit_id=unit.id,
                shop_id=shop_in_scope(),
                sku=line.sku,
                title=line.title,
                variant=line.variant,
                money=asdict(here.money[unit.id]),
            )
            for line, unit in units
        ],
        **texts,
    )
