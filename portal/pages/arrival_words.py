"""On what an arrival window stands, and how well such windows held, in words."""

from __future__ import annotations

from datetime import date

from babel.numbers import format_decimal

from carriers.window import PROMISE
from portal.pages.dates import Calendar, month, reading
from portal.pages.facts import ArrivalRecord, ParcelFacts
from portal.pages.speech import _


def basis(parcel: ParcelFacts, last: date, cal: Calendar) -> str:
    """Why the page says that a parcel comes by `last`; nothing where the carrier says so."""
    if parcel.eta_basis == PROMISE:
        carrier = parcel.carrier_name or _("the carrier")
        return _("The dates are our aim until %(carrier)s names its own.", carrier=carrier)
    told = {"day": cal.long(last), "count": _number(parcel.eta_parcels, cal.locale)}
    if parcel.first_eta is not None and parcel.first_eta < last:
        return _later(parcel.eta_basis, told)
    if parcel.eta_basis == "lane":
        return _(
            "Most parcels on this route arrive by %(day)s; based on %(count)s parcels.", **told
        )
    if parcel.eta_basis == "destination":
        return _(
            "Most parcels to your region arrive by %(day)s; based on %(count)s parcels.", **told
        )
    if parcel.eta_basis == "country":
        return _(
            "Most parcels to your country arrive by %(day)s; based on %(count)s parcels.", **told
        )
    return ""


def _later(on: str, told: dict[str, str]) -> str:
    if on not in ("lane", "destination", "country"):
        return ""
    return _(
        "Most parcels that are this late arrive by %(day)s; based on %(count)s parcels.", **told
    )


def _number(number: int, locale: str) -> str:
    return str(format_decimal(number, locale=reading(locale)))


def aim() -> str:
    """What a promise is, before there is a parcel."""
    return _("The dates are our aim; we tell you if they change.")


def record_line(record: ArrivalRecord, locale: str) -> str:
    """How the windows of a quarter held, each share as so many in a hundred."""
    within = record.shown - record.early - record.late
    shares = {
        "within": _in_hundred(within, record),
        "early": _in_hundred(record.early, record),
        "late": _in_hundred(record.late, record),
    }
    return _(
        "How good our dates are: of %(count)s parcels due from %(first)s to %(last)s, %(within)s "
        "in 100 came on the days we first named, %(early)s earlier and %(late)s later.",
        count=_number(record.shown, locale),
        first=month(record.first, locale),
        last=month(record.last, locale),
        **shares,
    )


def _in_hundred(some: int, record: ArrivalRecord) -> int:
    return round(100 * some / record.shown)
