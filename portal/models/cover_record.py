"""What of the last year may be said in public: how many claims, and how much was paid out.

Counted once a day and kept, so that no page has to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, Integer, String, UniqueConstraint, bindparam, select
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.db import Base, BigId, insert_into, session
from portal.models.audit import record
from portal.models.books import currencies, read_books
from portal.models.shop import Shop
from portal.protection.books import FEW
from portal.protection.months import YEAR, Months
from portal.standing import Standing
from portal.tenancy import OfShop, shop_in_scope

SETTING: Final = "protection_record"  # of a shop: true where it says so in public


class CoverRecord(OfShop, Base):
    """The last twelve whole months in one currency, as they were counted last."""

    __tablename__ = "protection_record"
    __table_args__ = (UniqueConstraint("shop_id", "currency"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    currency: Mapped[str] = mapped_column(String(3))
    parcels: Mapped[int] = mapped_column(Integer)
    claimed: Mapped[int] = mapped_column(Integer)
    earned_minor: Mapped[int] = mapped_column(BigInteger)
    paid_minor: Mapped[int] = mapped_column(BigInteger)
    counted_at: Mapped[datetime] = mapped_column(default=clock.now)


@dataclass(frozen=True, slots=True)
class Year:
    """A year's figures that are enough to speak of."""

    currency: str
    parcels: int
    claimed: int
    earned_minor: int
    paid_minor: int


KEPT = Standing(
    select(
        CoverRecord.parcels,
        CoverRecord.claimed,
        CoverRecord.earned_minor,
        CoverRecord.paid_minor,
    ).where(CoverRecord.currency == bindparam("currency"))
)


def public_year(settings: Mapping[str, Any], currency: str) -> Year | None:
    """What the shop says of its last year; None where it does not want to, or is too small."""
    row = KEPT.first(currency=currency) if settings.get(SETTING) is True else None
    return Year(currency, *row) if row is not None and row.parcels >= FEW else None


def speak(shop: Shop, aloud: bool, by: str) -> None:
    """Say the year's figures where cover is offered, or stop saying them. In `writing()`."""
    before = shop.settings.get(SETTING) is True
    if before != aloud:
        shop.settings = {**shop.settings, SETTING: aloud}
        record(
            by,
            "protection.record",
            f"shop:{shop.slug}",
            before={"public": before},
            after={"public": aloud},
        )


def count_years(now: datetime) -> list[Year]:
    """The last twelve whole months of the shop in scope, in each of its currencies."""
    shop = session.get_one(Shop, shop_in_scope())
    months = _whole_months(now, ZoneInfo(shop.timezone or "UTC"))
    return [_year(months, currency, shop.country) for currency in currencies(shop.currency)]


def keep_years(years: Sequence[Year], now: datetime) -> None:
    """Keep what was counted in the place of what was before. Inside `writing()`."""
    for year in years:
        values = asdict(year) | {"counted_at": now}
        statement = insert_into(CoverRecord).on_conflict_do_update(
            index_elements=["shop_id", "currency"], set_=values
        )
        session.execute(statement, [{"shop_id": shop_in_scope(), **values}])


def _year(months: Months, currency: str, home: str) -> Year:
    total = read_books(months, currency, home).total
    return Year(currency, total.parcels, total.claimed, total.earned_minor, total.paid_minor)


def _whole_months(now: datetime, zone: ZoneInfo) -> Months:
    today = now.astimezone(zone).date()
    return Months.until(today.replace(day=1) - timedelta(days=1), YEAR, zone)
