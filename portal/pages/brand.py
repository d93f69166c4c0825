"""What every page of a shop wears: its name and links, its theme, its style, and our own URLs."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel import Locale, UnknownLocaleError
from flask import Flask, current_app, g, request, url_for
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from portal.format import LOCALES, reader_locale
from portal.logs import log
from portal.models import ShopFront
from portal.models.arrival_terms import shows_record
from portal.pages.arrival_words import record_line
from portal.pages.facts import ArrivalRecord, ShopFacts, ShopLinks
from portal.security import content_hash
from returns.lint import EU
from themes import Theme, load, stylesheet, themes

WEB = ("https://", "http://", "mailto:")


@dataclass(frozen=True)
class Brand:
    """One shop's look. `version` changes with any of it."""

    shop: ShopFacts
    theme: Theme
    css: str
    style: str  # the CSP source that allows `css`
    version: str


def init_brand(app: Flask) -> None:
    """Give every template its shop, theme, style, language and URLs. After `init_security`."""
    app.before_request(_wear)
    app.context_processor(_context)
    app.jinja_env.globals["static_url"] = static_url


def brand() -> Brand:
    """The brand of the running request, which must be inside a shop."""
    found: Brand = g.brand
    return found


def _wear() -> None:
    shop: ShopFront | None = g.get("shop")
    g.brand = _brand_of(shop) if shop else None


def _context() -> dict[str, Any]:
    worn: Brand | None = g.get("brand")
    if worn is None:
        return {}
    allow_style()
    return {
        "shop": worn.shop,
        "theme": worn.theme,
        "critical_css": worn.css,
        "locale": page_locale(),
        "urls": site_urls(),
        "request_id": g.get("request_id", ""),
        "arrival_record": record_line(worn.shop.record, page_locale()) if worn.shop.record else "",
    }


def allow_style() -> None:
    """Name the page's inline style in the policy of this response."""
    styles = g.get("inline_styles", [])
    if brand().style not in styles:
        g.inline_styles = [*styles, brand().style]


@lru_cache(maxsize=1024)
def _brand_of(shop: ShopFront) -> Brand:
    theme = theme_of(shop.theme)
    css, style = _dress(theme)
    facts = _facts(shop)
    told = json.dumps([repr(facts), theme.version, shop.locale], sort_keys=True)
    return Brand(facts, theme, css, style, hashlib.sha256(told.encode()).hexdigest()[:16])


def theme_of(name: str) -> Theme:
    """The theme of this name; the first one where it is not there."""
    try:
        return load(name)
    except LookupError:
        log.warning("theme is not there", theme=name)
        return load(themes()[0])


@lru_cache(maxsize=32)
def _dress(theme: Theme) -> tuple[str, str]:
    css = stylesheet(theme)
    return css, content_hash(css)


def _facts(shop: ShopFront) -> ShopFacts:
    """The shop's facts. Links come from its settings alone: a footer must not lead nowhere."""
    links = shop.settings.get("links")
    given = links if isinstance(links, dict) else {}
    return ShopFacts(
        name=shop.name,
        theme=shop.theme,
        timezone=shop.timezone,
        support_email=shop.support_email,
        support_url=_web(shop.settings.get("support_url")),
        reply_time=str(shop.settings.get("reply_time") or ""),
        links=ShopLinks(
            returns_policy=_web(given.get("returns_policy")) or "/policy",
            shipping=_web(given.get("shipping")),
            privacy=_web(given.get("privacy")),
            withdraw=_web(given.get("withdraw")) or "/withdraw",
        ),
        # Needed of every shop in the EU; others that sell there switch it on.
        eu_withdrawal=bool(shop.settings.get("eu_withdrawal", shop.country in EU)),
        record=_record(shop),
    )


def _record(shop: ShopFront) -> ArrivalRecord | None:
    """How the windows of the last quarter held, where the shop wants it told."""
    found = shop.arrival_record
    if not found or not shows_record(shop.settings):
        return None
    return ArrivalRecord(
        first=date.fromisoformat(found["first"]),
        last=date.fromisoformat(found["last"]),
        shown=found["shown"],
        early=found["early"],
        late=found["late"],
    )


def _web(url: object) -> str | None:
    return url if isinstance(url, str) and url.startswith(WEB) else None


def site_urls() -> dict[str, str | None]:
    """The URLs every page may name; those of later pages are simply not there."""
    if "site_urls" not in g:
        g.site_urls = _site_urls(brand())
    return dict(g.site_urls)


def _site_urls(worn: Brand) -> dict[str, str | None]:
    shop = worn.shop
    mail = f"mailto:{shop.support_email}" if shop.support_email else None
    return {
        "home": url_in("lookup.find"),
        "track": url_in("lookup.track"),
        "lookup": url_in("lookup.look_up"),
        "account": url_in("account.page"),
        "icon": f"{url_for('lookup.icon')}?v={worn.theme.version}",
        "script": static_url("live.js"),
        "drawing": static_url("pictures/drawing.svg"),
        "support": shop.support_url or mail,
    }


def url_in(endpoint: str, **values: str) -> str:
    """A URL of ours that keeps the language the reader asked for."""
    asked = request.args.get("lang", "")
    kept: dict[str, Any] = {**values, "lang": asked} if asked in LOCALES else {**values}
    return url_for(endpoint, **kept)


def static_url(name: str) -> str:
    """The URL of a file in `static/`, which changes with its content and may be kept for a year."""
    version = _content_version(Path(current_app.static_folder or "") / name)
    return url_for("static", filename=name, v=version or None)


@lru_cache(maxsize=512)
def _content_version(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    except OSError:
        return ""


def page_locale() -> str:
    """The reader's language, with the region their browser names for it: `de`, `en_US`."""
    return _named(request.environ.get("HTTP_ACCEPT_LANGUAGE", "")[:500], reader_locale())


@lru_cache(maxsize=1024)
def _named(accepted: str, language: str) -> str:
    for tag, _quality in parse_accept_header(accepted, LanguageAccept):
        here = _regional(tag, language)
        if here:
            return here
    return language


def _regional(tag: str, language: str) -> str:
    parts = tag.replace("_", "-").split("-")
    if len(parts) != 2 or parts[0].lower() != language:
        return ""
    try:
        return str(Locale(language, parts[1].upper()))
    except (UnknownLocaleError, ValueError):
        return ""
