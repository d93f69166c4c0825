"""The columns of a CSV file of orders: what each is called, where it goes, how its cells read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, Final, Literal

from returns.money import exponent

Group = Literal["order", "line", "parcel"]
Reader = Callable[[str, str], Any]  # a cell's text and the order's currency

WRAPPED: Final = re.compile(r'="([^"]*)"')  # how spreadsheets are told that 001 is a text
GUARDED: Final = re.compile(r"'(?=[=+\-@0-9])")  # how other programs keep formulas from running
BREAK: Final = re.compile(r"\s*[\r\n]+\s*")
SHORTENED: Final = re.compile(r"\d[.,]\d+E\+\d+", re.IGNORECASE)
AMOUNT: Final = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
WHOLE: Final = re.compile(r"\d+", re.ASCII)
YES: Final = frozenset({"true", "yes", "1"})
NO: Final = frozenset({"false", "no", "0"})
BETWEEN_TAGS: Final = "|"


def plain(cell: str) -> str:
    """A cell's text in one line, without blanks around it and what spreadsheets wrap texts in.

    Everything else stays as it is, formulas too: they are text here.
    """
    cell = BREAK.sub(" ", cell.strip())
    wrapped = WRAPPED.fullmatch(cell)
    return wrapped[1] if wrapped else GUARDED.sub("", cell, count=1) if cell[:1] == "'" else cell


def _text(cell: str, currency: str) -> str:
    return cell


def _code(cell: str, currency: str) -> str:
    """A number that is a name. Raises ValueError where a spreadsheet has lost its digits."""
    if SHORTENED.fullmatch(cell):
        raise ValueError(
            f"A spreadsheet has shortened this number to {cell}; its digits are lost. Format the "
            "column as text, enter it again and export."
        )
    return cell


def _amount(cell: str, currency: str) -> int:
    """An amount such as 19.90 in minor units."""
    if not AMOUNT.fullmatch(cell):
        raise ValueError(
            f"“{cell[:40]}” is no amount. Write it with a point and nothing else: 1234.50."
        )
    if not currency:
        raise ValueError("An amount needs the order's currency. Fill in the column currency.")
    decimals = exponent(currency)
    minor = Decimal(cell).scaleb(decimals)
    if minor != int(minor):
        raise ValueError(f"{cell[:40]} has more decimals than {currency} has: {decimals}.")
    return int(minor)


def _whole(cell: str, currency: str) -> int:
    if not WHOLE.fullmatch(cell) or len(cell) > 18:
        raise ValueError(f"“{cell[:40]}” is no whole number. Write digits only, like 12.")
    return int(cell)


def _flag(cell: str, currency: str) -> bool:
    said = cell.casefold()
    if said not in YES | NO:
        raise ValueError(f"“{cell[:40]}” is neither true nor false. Write one of them.")
    return said in YES


def _tags(cell: str, currency: str) -> list[str]:
    return [tag.strip() for tag in cell.split(BETWEEN_TAGS) if tag.strip()]


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `path` is the field of the order, the line or the parcel that it fills."""

    name: str
    group: Group
    path: str
    read: Reader = _text


def _money(name: str, group: Group, path: str) -> tuple[Column, Column]:
    """Each amount may come as 19.90, or as 1990 in a column that ends in _minor."""
    return Column(name, group, path, _amount), Column(f"{name}_minor", group, path, _whole)


ADDRESS: Final = ("name", "line1", "line2", "city", "region", "country")
ALL: Final = (
    Column("number", "order", "number", _code),
    Column("email", "order", "email"),
    Column("phone", "order", "phone", _code),
    Column("placed_at", "order", "placed_at"),
    Column("currency", "order", "currency"),
    *(Column(f"shipping_{part}", "order", f"shipping_address.{part}") for part in ADDRESS),
    Column("shipping_postcode", "order", "shipping_address.postcode", _code),
    *_money("order_discount", "order", "discount_minor"),
    *_money("shipping", "order", "shipping_minor"),
    *_money("shipping_tax", "order", "shipping_tax_minor"),
    Column("payment_provider", "order", "payment.provider"),
    Column("payment_reference", "order", "payment.reference"),
    *_money("captured", "order", "payment.captured_minor"),
    Column("sku", "line", "sku", _code),
    Column("product", "line", "product", _code),
    Column("variant", "line", "variant"),
    Column("title", "line", "title"),
    Column("category", "line", "category"),
    Column("tags", "line", "tags", _tags),
    Column("quantity", "line", "quantity", _whole),
    *_money("unit_price", "line", "unit_price_minor"),
    *_money("discount", "line", "discount_minor"),
    *_money("tax", "line", "tax_minor"),
    Column("tax_included", "line", "tax_included", _flag),
    Column("image_url", "line", "image_url"),
    Column("final_sale", "line", "final_sale", _flag),
    Column("weight_g", "line", "weight_g", _whole),
    Column("carrier", "parcel", "carrier"),
    Column("service", "parcel", "service"),
    Column("tracking_number", "parcel", "tracking_number", _code),
    Column("shipped_at", "parcel", "shipped_at"),
)
COLUMNS: Final[Mapping[str, Column]] = {column.name: column for column in ALL}
MEANT: Final[Mapping[str, str]] = {
    "name": "number",
    "order": "number",
    "order_number": "number",
    "order_id": "number",
    "customer_email": "email",
    "e_mail": "email",
    "date": "placed_at",
    "created_at": "placed_at",
    "qty": "quantity",
    "price": "unit_price",
    "line_discount": "discount",
    "line_tax": "tax",
    "zip": "shipping_postcode",
    "postcode": "shipping_postcode",
    "country": "shipping_country",
    "city": "shipping_city",
    "tracking": "tracking_number",
}


def name_of(heading: str) -> str:
    """A heading as column names are written: `Tracking number` is `tracking_number`."""
    return re.sub(r"[\s\-]+", "_", plain(heading).casefold())


def nearest(heading: str) -> str:
    """The column that an unknown heading may mean; '' where none is near."""
    name = name_of(heading)
    near = get_close_matches(name, COLUMNS, n=1, cutoff=0.7)
    return MEANT.get(name) or (near[0] if near else "")
