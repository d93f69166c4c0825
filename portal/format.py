"""How readers see things: their language, their zone, money in their form."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Final

from babel import Locale
from babel.numbers import format_currency
from flask import Flask, g, has_request_context, request
from flask_babel import Babel, get_locale, gettext, ngettext
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from returns.money import exponent

LOCALES = ("en", "de")
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def init_format(app: Flask) -> None:
    """Install the translations."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(Path(__file__).parent / "translations")
    Babel(app, locale_selector=reader_locale)
    install = app.jinja_env.install_gettext_callables  # type: ignore[attr-defined]
    install(translated, ngettext, newstyle=True)


def translated(text: str) -> str:
    """`text` in the language of the request; outside of one it stays English."""
    return _looked_up(get_locale(), text)


@lru_cache(maxsize=8192)
def _looked_up(_locale: Locale | None, text: str) -> str:
    # The way to the running catalogue costs many times a look-up in it, and a page has hundreds.
    return str(gettext(text))


def reader_locale() -> str:
    """The reader's language: asked for in the URL, else the browser's, else the shop's."""
    if not has_request_context():
        return "en"
    asked = request.args.get("lang", "")
    if asked in LOCALES:
        return asked
    shop = g.get("shop")
    home = shop.locale if shop and shop.locale in LOCALES else "en"
    return _best(request.environ.get("HTTP_ACCEPT_LANGUAGE", "")[:500], home)


@lru_cache(maxsize=1024)
def _best(accepted: str, home: str) -> str:
    # The shop's own language wins a tie: it stands first.
    order = [home, *(name for name in LOCALES if name != home)]
    return parse_accept_header(accepted, LanguageAccept).best_match(order, default=home) or home


def money(amount_minor: int, currency: str, locale: str) -> str:
    """An amount in the reader's form, such as `12,50 €`."""
    amount = Decimal(amount_minor).scaleb(-exponent(currency))
    return str(format_currency(amount, currency, locale=Locale.parse(locale)))


def plain_amount(amount_minor: int, currency: str) -> Decimal:
    """An amount as a number for a spreadsheet, such as 12.50."""
    return Decimal(amount_minor).scaleb(-exponent(currency))


def harmless(cell: str) -> str:
    """A cell that a spreadsheet does not take for a formula."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def sheet(rows: Iterable[Sequence[object]]) -> str:
    """Rows as CSV. Numbers stay numbers; no text of anybody's becomes a formula."""
    written = io.StringIO()
    lines = csv.writer(written)
    for row in rows:
        lines.writerow([harmless(cell) if isinstance(cell, str) else cell for cell in row])
    return written.getvalue()
