"""A shop: the brand whose customers follow their parcels here."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.db import Base, session
from portal.keys import seal, unseal


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
    sealed_keys: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    @staticmethod
    def at(host: str) -> Shop | None:
        """The shop whose pages live on this host name (no port), if any."""
        return session.scalar(select(Shop).where(Shop.host == host))

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
