"""What the shop sells, as far as exchanges and pictures need it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.db import Base, BigId, insert_new, new_id, session
from portal.keys import digest
from portal.models.change import assign
from portal.models.due import plan_all
from portal.sources.document import VariantDocument
from portal.tenancy import OfShop, shop_in_scope

LONGEST_URL = 2000


class Variant(OfShop, Base):
    """One thing that can be bought. `available` None means: not counted."""

    __tablename__ = "variant"
    __table_args__ = (UniqueConstraint("shop_id", "sku"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    sku: Mapped[str] = mapped_column(String(120))
    product: Mapped[str] = mapped_column(String(120), default="")
    title: Mapped[str] = mapped_column(String(300))
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    price_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    tax_included: Mapped[bool] = mapped_column(default=True)
    available: Mapped[int | None]
    image_url: Mapped[str] = mapped_column(String(2000), default="")
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)

    @staticmethod
    def put(sku: str, document: VariantDocument, now: datetime) -> tuple[Variant, bool, bool]:
        """Store the whole variant; gives (it, whether it is new, whether anything differs)."""
        values = document.model_dump()
        Picture.want([document.image_url], now)
        found = Variant.of(sku)
        if found is None:
            found = Variant(sku=sku, updated_at=now, **values)
            session.add(found)
            return found, True, True
        changed = bool(assign(found, values))
        if changed:
            found.updated_at = now
        return found, False, changed

    @staticmethod
    def of(sku: str) -> Variant | None:
        """The variant with exactly this sku, if any."""
        return session.scalar(select(Variant).where(Variant.sku == sku))


class Picture(OfShop, Base):
    """A picture named by an order, fetched by a job, re-encoded and served by us.

    `state`: wanted, kept, refused (with the reason); until kept, pages show a drawing.
    """

    __tablename__ = "picture"
    __table_args__ = (
        UniqueConstraint("shop_id", "url_digest"),
        Index(None, "url", postgresql_using="hash"),  # a URL may be longer than others take
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)  # random: it is in the URL
    url: Mapped[str] = mapped_column(String(2000))
    url_digest: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(10), default="wanted")
    error: Mapped[str] = mapped_column(String(300), default="")
    kept_at: Mapped[datetime | None]

    @staticmethod
    def want(urls: Iterable[str], now: datetime) -> None:
        """Have the pictures at these URLs fetched, each once. Call it inside `writing()`.

        Asked for again, nothing happens; an empty or overlong URL is passed over.
        """
        chosen = dict.fromkeys(url for url in urls if 0 < len(url) <= LONGEST_URL)
        rows = [
            {"id": new_id("pic", now), "url": url, "url_digest": digest(url), "state": "wanted"}
            for url in chosen
        ]
        new = insert_new(Picture, rows, unique=["shop_id", "url_digest"])
        plan_all([("picture", picture_id, shop_in_scope(), now) for picture_id in new])

    @staticmethod
    def kept(urls: Iterable[str]) -> dict[str, str]:
        """For each of these URLs whose picture is kept: its id, served at `/media/<id>`."""
        by_digest = {digest(url): url for url in urls if url}
        rows = session.execute(
            select(Picture.url_digest, Picture.id).where(
                Picture.url_digest.in_(by_digest), Picture.state == "kept"
            )
        )
        return {by_digest[row.url_digest]: row.id for row in rows}
