"""An instant exchange: the other article goes out at once, against a card saved for later.

Nothing is charged while the first article comes back in time. What does not come back is charged
once, never more than was agreed to; what comes back after that is given back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.db import Base, new_id, session
from portal.models.audit import record
from portal.models.change import Conflict
from portal.models.dispute import is_blocked
from portal.models.due import plan, plan_all
from portal.models.exchange import Exchange, exchanges_of
from portal.models.ledger import book
from portal.models.order import Order
from portal.models.outbox import want
from portal.models.rma import Return
from portal.models.rma_exchange import cost_of, line_of, send_ahead
from portal.models.rma_line import ReturnUnit
from portal.models.rma_rows import Act, new_row
from portal.tenancy import OfShop

JOB: Final = "job"
PROVIDER: Final = "stripe"
LOOKS: Final = timedelta(days=1)
REMINDED_BEFORE: Final = (7, 2)  # days before the charge
LEAST_WORD: Final = timedelta(days=1)  # between the last word and the charge
LIFE: Final = timedelta(days=7)  # of a mail that could not be sent


class Instant(OfShop, Base):
    """The agreement about one exchange, and what came of it.

    `status` is wanted (agreed, no card yet), lapsed (no card came), saved (sent; the card may be
    charged), charging, charged, released (all came back, nothing is charged any more) or declined
    (the bank said no). `shares` says what is charged for each unit, by its id.
    """

    __tablename__ = "instant"
    __table_args__ = (
        UniqueConstraint("shop_id", "exchange_id"),
        Index(None, "shop_id", "rma_id"),
        Index(None, "shop_id", "status"),
        ForeignKeyConstraint(["shop_id", "rma_id"], ["rma.shop_id", "rma.id"]),
    )

    id: Mapped[str] = mapped_column(
        String(40), primary_key=True, default=lambda: new_id("ins", clock.now())
    )
    rma_id: Mapped[str] = mapped_column(String(40))
    exchange_id: Mapped[str] = mapped_column(String(40))
    status: Mapped[str] = mapped_column(String(12), default="wanted")
    currency: Mapped[str] = mapped_column(String(3))
    amount_minor: Mapped[int] = mapped_column(BigInteger)  # the most that is ever charged
    shares: Mapped[dict[str, Any]]
    charged: Mapped[dict[str, Any]] = mapped_column(default=dict)  # the shares that are charged
    given_back: Mapped[dict[str, Any]] = mapped_column(default=dict)  # of these, with settlement
    consent: Mapped[dict[str, Any]]  # {"text", "version", "locale"}, as the customer read it
    consented_at: Mapped[datetime]
    charge_at: Mapped[datetime]
    reminded_at: Mapped[datetime | None]  # nothing is charged without a word before
    round: Mapped[int] = mapped_column(default=1)  # of asking for a card
    page: Mapped[str] = mapped_column(String(120), default="")  # where the card is saved, cs_…
    customer: Mapped[str] = mapped_column(String(120), default="")
    card: Mapped[str] = mapped_column(String(120), default="")
    last4: Mapped[str] = mapped_column(String(4), default="")
    payment: Mapped[str] = mapped_column(String(120), default="")
    problem: Mapped[str] = mapped_column(Text, default="")

    @property
    def charging_minor(self) -> int:
        """What is charged, or is being charged."""
        return sum(self.charged.values())

    @staticmethod
    def locked(instant_id: str) -> tuple[Instant, Return] | None:
        """The row and its return for this transaction alone: the order is locked first."""
        rma_id = session.scalar(select(Instant.rma_id).where(Instant.id == instant_id))
        rma = Return.locked(rma_id) if rma_id else None
        row = session.get(Instant, instant_id, populate_existing=True) if rma else None
        return (row, rma) if row is not None and rma is not None else None

    @staticmethod
    def of(rma_id: str) -> list[Instant]:
        """A return's agreements."""
        wanted = select(Instant).where(Instant.rma_id == rma_id).order_by(Instant.id)
        return list(session.scalars(wanted))


@dataclass(frozen=True, slots=True)
class Offer:
    """What a customer may agree to: charged at `charge_at` at most, if nothing comes back."""

    exchange: Exchange
    shares: dict[str, int]
    charge_at: datetime

    @property
    def amount_minor(self) -> int:
        """The most that is ever charged."""
        return sum(self.shares.values())


def offers(rma: Return, now: datetime) -> list[Offer]:
    """What may be sent at once under the rules that decided, for each reserved exchange."""
    if rma.status != "approved" or not rma.travels or rma.expires_at is None:
        return []
    if is_blocked(rma.order_id):  # the bank may give the order's money back as well
        return []
    found = [_offer(rma, each, now) for each in exchanges_of(rma.id) if each.status == "reserved"]
    return [each for each in found if each is not None and each.charge_at <= rma.expires_at]


def _offer(rma: Return, exchange: Exchange, now: datetime) -> Offer | None:
    line = line_of(rma, exchange)
    effects = line.effects
    if any(unit.settlement_id for unit in line.units):
        return None
    shares = {str(unit.unit_id): cost_of(exchange, [unit]).total_minor for unit in line.units}
    own = sum(unit.share.paid_minor for unit in line.units)
    if not effects.sends_ahead(rma.method, sum(shares.values()), own):
        return None
    return Offer(exchange, shares, now + timedelta(days=effects.instant_days))


def agree(rma: Return, exchange_id: str, consent: dict[str, Any], now: datetime) -> Instant:
    """The customer agreed. Nothing is sent before a card is saved. Raises Conflict."""
    offer = next((each for each in offers(rma, now) if each.exchange.id == exchange_id), None)
    if offer is None:
        raise Conflict("This cannot be sent ahead any more. Your exchange stays as it is.")
    row = next((each for each in Instant.of(rma.id) if each.exchange_id == exchange_id), None)
    if row is not None and row.status == "wanted":
        return row
    if row is None:
        row = Instant(id=new_id("ins", now), rma_id=rma.id, exchange_id=exchange_id, round=0)
        session.add(row)
    row.status, row.round, row.page = "wanted", row.round + 1, ""
    row.currency, row.amount_minor, row.shares = rma.currency, offer.amount_minor, offer.shares
    row.charged, row.given_back, row.reminded_at = {}, {}, None
    row.consent, row.consented_at, row.charge_at = consent, now, offer.charge_at
    after = {"amount_minor": offer.amount_minor, "charge_at": offer.charge_at.isoformat()}
    record("customer", "instant.agreed", f"return:{rma.id}", after=after)
    rma.touch(now)
    return row


def page_opened(instant_id: str, page: str, look_at: datetime) -> None:
    """Keep the page where the card is saved, and look at it later."""
    found = Instant.locked(instant_id)
    if found is not None and found[0].status == "wanted":
        found[0].page = page
        plan("instant", instant_id, found[1].shop_id, look_at)


def lapse_card(instant_id: str, now: datetime) -> None:
    """No card was saved: it is an ordinary exchange."""
    found = Instant.locked(instant_id)
    if found is not None and found[0].status == "wanted":
        found[0].status = "lapsed"
        record(JOB, "instant.lapsed", f"return:{found[1].id}")
        found[1].touch(now)


def card_saved(instant_id: str, card: tuple[str, str, str], now: datetime) -> bool:
    """A card (its customer, its id, its last four digits) is there: send the other article, once.

    False where it is not to be sent any more: then the card is not needed.
    """
    found = Instant.locked(instant_id)
    if found is None or found[0].status != "wanted":
        return False
    row, rma = found
    exchange = session.get_one(Exchange, row.exchange_id, populate_existing=True)
    row.customer, row.card, row.last4 = card
    is_there = rma.status in ("approved", "shipped") and exchange.status == "reserved"
    if not is_there or any(unit.settlement_id for unit in line_of(rma, exchange).units):
        row.status = "lapsed"
        return False
    order = send_ahead(rma, exchange, JOB, now)
    row.status = "saved"
    record(JOB, "instant.sent", f"return:{rma.id}", after={"order": order.number})
    rma.touch(now)
    return True


def next_step(row: Instant, rma: Return, now: datetime) -> datetime | None:
    """Release or begin the charge of a saved card, if it is time. When to look again, else None.

    Call it on locked rows.
    """
    exchange = session.get_one(Exchange, row.exchange_id)
    units = line_of(rma, exchange).units
    order = session.get_one(Order, exchange.order_id)
    open_units = [unit for unit in units if unit.settlement_id is None]
    if order.status == "cancelled" or not open_units or _all_judged(rma, open_units):
        row.status = "released"
        record(JOB, "instant.released", f"return:{rma.id}")
        rma.touch(now)
        return None
    missing = _missing(rma, open_units)
    if missing and (again_at := _reminded(row, rma, now)) is not None:
        return again_at
    if not missing or now < row.charge_at:
        return now + LOOKS
    row.status = "charging"
    row.charged = {str(each.unit_id): row.shares[str(each.unit_id)] for each in missing}
    record(JOB, "instant.charging", f"return:{rma.id}", after={"amount_minor": row.charging_minor})
    return None


def _reminded(row: Instant, rma: Return, now: datetime) -> datetime | None:
    """Tell of the charge before it, twice. When to look again; None once it is time to charge.

    However late it was told: a day passes between the word and the charge.
    """
    days = [row.charge_at - timedelta(days=each) for each in REMINDED_BEFORE]
    ahead = [each for each in days if each > row.consented_at]
    passed = [each for each in ahead if each <= now]
    if (row.reminded_at is None and now >= row.charge_at) or (
        passed and (row.reminded_at is None or row.reminded_at < passed[-1])
    ):
        row.reminded_at = now
        tell(rma, "charge_soon", now, row.id, expires_at=max(row.charge_at, now + LEAST_WORD))
    coming = next((each for each in ahead if each > now), row.charge_at)
    if row.reminded_at is not None and coming == row.charge_at:
        coming = max(coming, row.reminded_at + LEAST_WORD)
    return coming if coming > now else None


def tell(rma: Return, what: str, now: datetime, instant_id: str, expires_at: datetime) -> None:
    """Have it mailed what becomes of the card."""
    told = {"rma": rma.id, "instant": instant_id}
    cause = f"{instant_id}:{what}:{now:%Y-%m-%d}"
    plan_all(want(rma.order, f"return_{what}", cause, told, now, expires_at=expires_at))


def _all_judged(rma: Return, units: list[ReturnUnit]) -> bool:
    """Whether all that is left was looked at and refused: staff settle that with the customer."""
    return rma.status in ("checked", "settled") and all(
        unit.acceptance == "rejected" for unit in units
    )


def _missing(rma: Return, units: list[ReturnUnit]) -> list[ReturnUnit]:
    """What nobody sent, or was not in the parcel. What is on its way is waited for."""
    if rma.status in ("approved", "expired", "cancelled"):
        return units
    return [unit for unit in units if unit.reception == "not_in_parcel"]


def charged(instant_id: str, payment: str, now: datetime) -> bool:
    """The card was charged: book it once, and give back what came back meanwhile."""
    found = Instant.locked(instant_id)
    if found is None or found[0].status != "charging":
        return False
    booked(*found, payment, now)
    return True


def booked(row: Instant, rma: Return, payment: str, now: datetime) -> None:
    """What did not come back was paid for: book it, tell of it. Call it on locked rows, once."""
    exchange = session.get_one(Exchange, row.exchange_id)
    order = session.get_one(Order, exchange.order_id)
    amount, cause = row.charging_minor, f"{row.id}:charge"
    more = {"reference": payment, "subject": rma.id}
    if book(order.id, "captured", amount, row.currency, cause, now, **more):
        order.captured_minor += amount
    row.status, row.payment, row.problem = "charged", payment, ""
    after = {"amount_minor": amount, "payment": payment}
    record(JOB, "instant.charged", f"return:{rma.id}", after=after)
    tell(rma, "charged", now, row.id, now + LIFE)
    session.flush()
    came_back(rma, exchange, Act(JOB, now))
    rma.touch(now)


def declined(instant_id: str, problem: str, now: datetime) -> bool:
    """The bank said no. Nothing is charged; the customer may pay it, and staff see why."""
    found = Instant.locked(instant_id)
    if found is None or found[0].status != "charging":
        return False
    row, rma = found
    row.status, row.problem, row.page = "declined", problem, ""
    record(JOB, "instant.declined", f"return:{rma.id}", why=problem)
    tell(rma, "charge_failed", now, row.id, now + LIFE)
    session.flush()
    came_back(rma, session.get_one(Exchange, row.exchange_id), Act(JOB, now))
    rma.touch(now)
    return True


def owed_minor(row: Instant, rma: Return) -> int:
    """What of a charge is still due: its units that did not come back. Minor units."""
    return sum(row.charged[id] for id in row.charged.keys() - _settled(row, rma))


def _settled(row: Instant, rma: Return) -> set[str]:
    units = line_of(rma, session.get_one(Exchange, row.exchange_id)).units
    return {str(unit.unit_id) for unit in units if unit.settlement_id}


def came_back(rma: Return, exchange: Exchange, act: Act) -> None:
    """Units of an exchange sent ahead are settled: give back what was charged for them, once."""
    row = session.scalar(select(Instant).where(Instant.exchange_id == exchange.id))
    if row is None:
        return
    settled = _settled(row, rma)
    if row.status == "declined":
        row.charged = {id: minor for id, minor in row.charged.items() if id not in settled}
        row.status = "declined" if row.charged else "released"
    if row.status != "charged":
        plan("instant", row.id, rma.shop_id, act.now)
        return
    back = {id: row.charged[id] for id in settled & row.charged.keys() - row.given_back.keys()}
    if not back:
        return
    refund = new_row(
        rma,
        "refund",
        sum(back.values()),
        act,
        order_id=exchange.order_id,
        provider=PROVIDER,
        payment=row.payment,
    )
    row.given_back = row.given_back | dict.fromkeys(back, refund.id)
    plan("settle", refund.id, rma.shop_id, act.now)
