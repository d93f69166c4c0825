"""A shop: the brand whose customers follow their parcels here."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Row, String, Text, bindparam, cast, select
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.db import Base, session
from portal.keys import seal, unseal
from portal.standing import Standing


class Shop(Base):
    """One brand. It is found from the Host header; everything else of it carries its id."""

    __tablename__ = "shop"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    origin: Mapped[str] = mapped_column(String(200))
    host: Mapped[str] = mapped_column(String(200), unique=True)
    is_default: Mapped[bool] = mapped_column(default=False)
    theme: Mapped[str] = mapped_column(String(40), default="fern")
    locale: Mapped[str] = mapped_column(String(10), default="en")
    timezone: Mapped[str] = mapped_column(String(60), default="UTC")
    currency: Mapped[str] = mapped_column(String(3), default="USD")
    country: Mapped[str] = mapped_column(String(2), default="US")
    support_email: Mapped[str] = mapped_column(String(254), default="")
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    arrival_record: Mapped[dict[str, Any]] = mapped_column(default=dict)  # how its windows held
    sealed_keys: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    @staticmethod
    def named(slug: str) -> Shop | None:
        """The shop with this slug, if any."""
        return session.scalar(select(Shop).where(Shop.slug == slug))

    @staticmethod
    def default() -> Shop | None:
        """The shop shown on the bare host: BASE_URL's."""
        return session.scalar(select(Shop).order_by(Shop.is_default.desc(), Shop.id).limit(1))

    def moves_to(self, origin: str) -> None:
        """Give the shop another origin, such as https://track.example.com."""
        self.origin = origin.rstrip("/")
        self.host = (urlsplit(origin).hostname or "").lower()

    def key(self, name: str) -> str:
        """The shop's own provider key in the clear, '' when the house's default applies."""
        sealed = self.sealed_keys.get(name)
        return unseal(sealed) if sealed else ""

    def keep_key(self, name: str, value: str) -> None:
        """Encrypt and keep a provider key, such as `easypost_api_key`."""
        self.sealed_keys = {**self.sealed_keys, name: seal(value)}


@dataclass(frozen=True)
class ShopFront:
    """What every request needs of its shop, read anew each time; equal fronts look equal."""

    id: int
    slug: str
    name: str
    origin: str
    theme: str
    locale: str
    timezone: str
    currency: str
    country: str
    support_email: str
    settings_text: str  # JSON
    arrival_record_text: str  # JSON

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The shop's settings, to be read only."""
        found: dict[str, Any] = json.loads(self.settings_text)
        return found

    @cached_property
    def arrival_record(self) -> dict[str, Any]:
        """How many windows of the last quarter held; to be read only."""
        found: dict[str, Any] = json.loads(self.arrival_record_text)
        return found

    @staticmethod
    def at(host: str) -> ShopFront | None:
        """The shop whose pages live on this host name (no port), if any."""
        return _front(AT.first(host=host))

    @staticmethod
    def of(shop_id: int) -> ShopFront | None:
        """The shop with this id, if any."""
        return _front(OF.first(shop_id=shop_id))

    @staticmethod
    def default() -> ShopFront | None:
        """The shop shown on the bare host: BASE_URL's."""
        return _front(DEFAULT.first())


def _front(row: Row[*tuple[Any, ...]] | None) -> ShopFront | None:
    return ShopFront(*row) if row else None


FRONTS = select(
    Shop.id, Shop.slug, Shop.name, Shop.origin, Shop.theme, Shop.locale, Shop.timezone,
    Shop.currency, Shop.country, Shop.support_email, cast(Shop.settings, Text),
    cast(Shop.arrival_record, Text),
)  # fmt: skip
AT = Standing(FRONTS.where(Shop.host == bindparam("host")))
OF = Standing(FRONTS.where(Shop.id == bindparam("shop_id")))
DEFAULT = Standing(FRONTS.order_by(Shop.is_default.desc(), Shop.id).limit(1))
