"""Buy the labels that returns want, give unused ones back, and keep their files.

A label is bought in three steps, each stored before the next: a shipment is opened, its id is kept,
and that very shipment is bought. Whatever is lost on the way, only that one is ever bought.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from carriers.contract import (
    AuthBroken,
    BadPayload,
    CarrierError,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Transient,
)
from carriers.easypost_labels import LabelDesk, Offer, Postage, Rate, cheapest
from portal import clock
from portal.db import inside, session, writing
from portal.jobs.label_file import keep_files
from portal.jobs.provider import Account, usable_account
from portal.jobs.queue import nudge
from portal.jobs.work import FIRST_WAIT, LONGEST_WAIT
from portal.models import Label, Return, Shop
from portal.models.due import Lease, finish, holds
from portal.models.order import Order
from portal.models.trouble import may_pass
from portal.models.way_back import Unsendable, WayBack, labels_a_day, minor, way_back

NO_KEY: Final = (
    "EasyPost is not set up here (EASYPOST_API_KEY), so no label can be bought. Send one by hand, "
    "or set the key and try again."
)
NO_RATE: Final = (
    "None of the shop's carriers offers a way back from this address. Allow another carrier, or "
    "send a label by hand."
)
LATER: Final = (Transient, RateLimited, AuthBroken, BadPayload, OutcomeUnknown)
ASKED: Final = ("wanted", "performing", "unknown")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A label as it is to be bought, read before the call. `shipment` "" where none is open."""

    lease: Lease
    id: str
    way: WayBack
    method: str
    shipment: str
    is_fresh: bool  # nothing was asked for in this attempt: an old shipment's rates are stale
    since: datetime


def perform(lease: Lease) -> None:
    """Do what one label wants next."""
    with inside(lease.shop_id):
        label = session.get(Label, lease.subject)
        act = ACTS.get(label.status if label is not None else "", _nothing)
        session.rollback()
        act(lease)


def bury(lease: Lease, now: datetime) -> None:
    """It failed too often in a way of our own: people look at it."""
    with inside(lease.shop_id), writing():
        label = _locked(lease.subject)
        if label is not None and label.status == "wanted":
            label.begin(labels_a_day(session.get_one(Shop, lease.shop_id)), now)
        if label is not None and label.status == "performing":
            label.lost_sight()
            label.problem = "Buying it failed several times. Look into the log for: work failed."
        finish(lease)


def _nothing(lease: Lease) -> None:
    with writing():
        if holds(lease):
            finish(lease)


# --- buy ----------------------------------------------------------------------------------------


def _buy(lease: Lease) -> None:
    account, reason = _account(lease.shop_id)
    closed_until = account.closed_until() if account is not None else None
    if closed_until is not None and closed_until > clock.now():
        _postpone(lease, closed_until)
        return
    wanted = _begin(lease, reason)
    if wanted is None or account is None:
        return
    try:
        shipment, rate, postage = _open(account.client, wanted)
        if postage is None:
            if not _keep_shipment(wanted, shipment.id):
                return
            postage = account.client.buy(shipment.id, rate)
    except CarrierError as error:
        _trouble(account, wanted, error)
        return
    pdf, code = _forms(account.client, wanted, postage)
    _bought(wanted, postage, pdf, code)
    with writing(synchronous="NORMAL"):
        account.answered()
    nudge("poll")


def _postpone(lease: Lease, until: datetime) -> None:
    with writing():
        if holds(lease):
            finish(lease, again_at=until)


def _begin(lease: Lease, reason: str) -> Wanted | None:
    """What is to be bought; None where it is not to be, which is stored."""
    with writing():
        now = clock.now()
        label = _locked(lease.subject)
        if not holds(lease):
            return None
        if label is None or label.status not in ASKED:
            finish(lease)
            return None
        shop = session.get_one(Shop, lease.shop_id)
        is_fresh = label.status == "wanted"
        if not label.begin(labels_a_day(shop), now):
            finish(lease)
            return None
        rma = Return.read(label.rma_id)
        try:
            way = _way(rma, shop, reason)
        except Unsendable as error:
            _cannot(lease, label, str(error), is_fresh, now)
            return None
        return Wanted(
            lease, label.id, way, label.method, label.provider_id, is_fresh, label.created_at
        )


def _way(rma: Return | None, shop: Shop, reason: str) -> WayBack:
    if reason or rma is None:
        raise Unsendable(reason or "The return is gone.")
    return way_back(rma, shop)


def _cannot(lease: Lease, label: Label, problem: str, is_fresh: bool, now: datetime) -> None:
    """It cannot be asked for: failed where it never was, else it waits to be looked up."""
    if is_fresh or not label.provider_id:
        label.failed(problem, now)
        finish(lease)
    else:
        label.problem = problem
        finish(lease, again_at=now + LONGEST_WAIT)


def _open(desk: LabelDesk, wanted: Wanted) -> tuple[Offer, Rate, Postage | None]:
    """The shipment to buy: the one that may have been bought already, else a new one."""
    way = wanted.way
    offer = desk.read_shipment(wanted.shipment) if wanted.shipment else None
    if offer is None or (offer.bought is None and wanted.is_fresh):
        offer = desk.open_return(wanted.id, way.customer, way.shop, way.weight_g, way.items)
    if offer.bought is not None:
        return offer, offer.bought.rate, offer.bought
    rate = cheapest(offer.rates, way.carriers, way.currency)
    if rate is None:
        raise Rejected(NO_RATE)
    return offer, rate, None


def _keep_shipment(wanted: Wanted, shipment: str) -> bool:
    """Keep which shipment is about to be bought; False where it is not ours to buy any more."""
    if shipment == wanted.shipment:
        return True
    with writing():
        label = _locked(wanted.id)
        if not holds(wanted.lease):
            return False
        if label is None or label.status not in ASKED:
            finish(wanted.lease, again_at=clock.now())
            return False
        label.opened(shipment)
        return True


def _forms(desk: LabelDesk, wanted: Wanted, postage: Postage) -> tuple[str, str]:
    """The other forms of a label that is bought: nothing is lost where there are none."""
    pdf = postage.pdf_url or desk.as_pdf(postage)
    return pdf, desk.as_code(postage) if wanted.method == "qr" else ""


def _bought(wanted: Wanted, postage: Postage, pdf: str, code: str) -> None:
    with writing():
        now = clock.now()
        label = _locked(wanted.id)
        if label is None or not holds(wanted.lease):
            return
        cost = minor(postage.rate.amount, postage.rate.currency)
        if label.status in ASKED:
            rma = Return.read(label.rma_id)
            label.problem = ""
            label.bought(
                session.get_one(Order, rma.order_id if rma else ""),
                now,
                carrier=postage.carrier,
                tracking_number=postage.tracking_number,
                service=postage.service,
                provider_id=postage.shipment,
                rate_id=postage.rate.id,
                cost_minor=cost,
                currency=postage.rate.currency,
                pdf_url=pdf,
                png_url=postage.png_url,
                qr_url=code,
            )
        else:
            label.bought_too_late(postage.carrier, postage.tracking_number, cost)
        finish(wanted.lease, again_at=now)  # its files, or its way back to the provider


def _trouble(account: Account, wanted: Wanted, error: CarrierError) -> None:
    """The label follows later, or cannot be had: staff see why, and the return stands."""
    with writing():
        now = clock.now()
        if isinstance(error, Transient | RateLimited | AuthBroken):
            account.failed(error, now)
        label = _locked(wanted.id)
        if label is None or not holds(wanted.lease):
            return
        if not isinstance(error, LATER) and not may_pass(error):
            if label.status in ASKED:
                label.failed(str(error), now)
            finish(wanted.lease)
            return
        if isinstance(error, OutcomeUnknown) and label.status == "performing":
            label.lost_sight()
        label.problem = str(error)
        finish(wanted.lease, again_at=now + _wait(wanted.since, now, error))


def _wait(since: datetime, now: datetime, error: CarrierError) -> timedelta:
    """As long as everything before, at most an hour; longer where the provider says so."""
    own = min(LONGEST_WAIT, max(FIRST_WAIT, now - since))
    return max(own, min(timedelta(days=1), timedelta(seconds=error.retry_after or 0)))


# --- give back ----------------------------------------------------------------------------------


def _void(lease: Lease) -> None:
    """Give an unused label back to the provider."""
    label = session.get_one(Label, lease.subject)
    shipment, since = label.provider_id, label.created_at
    account, _reason = _account(lease.shop_id)
    session.rollback()
    problem, again_in = "", timedelta(0)
    try:
        if shipment and account is not None:
            account.client.give_back(shipment)
        elif shipment:
            problem, again_in = NO_KEY, LONGEST_WAIT
    except LATER as error:
        problem, again_in = str(error), _wait(since, clock.now(), error)
    except CarrierError as error:
        problem = f"It could not be given back: {error}"
    with writing():
        now = clock.now()
        found = _locked(lease.subject)
        if found is None or not holds(lease):
            return
        if found.status != "void_wanted":
            finish(lease)
        elif again_in:
            found.problem = problem
            finish(lease, again_at=now + again_in)
        else:
            found.stays(problem) if problem else found.voided(now)
            finish(lease)


def _files(lease: Lease) -> None:
    """Keep the files of a label that was bought."""
    account, _reason = _account(lease.shop_id)
    keep_files(lease, account.client if account is not None else None)


def _account(shop_id: int) -> tuple[Account | None, str]:
    return usable_account(session.get_one(Shop, shop_id), NO_KEY)


def _locked(label_id: str) -> Label | None:
    """The label, its order locked first, as everybody does."""
    label = session.get(Label, label_id)
    if label is None:
        return None
    Return.locked(label.rma_id)
    return Label.locked(label_id)


ACTS: Final[dict[str, Callable[[Lease], None]]] = {
    **dict.fromkeys(ASKED, _buy),
    "void_wanted": _void,
    "done": _files,
}
