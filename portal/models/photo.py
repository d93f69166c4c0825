"""Photos that customers and staff add to a return: drawn anew, kept outside the web's folders."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import ForeignKeyConstraint, Index, String, delete, func, select, update
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.db import Base, new_id, session
from portal.models.change import Conflict
from portal.tenancy import OfShop

MOST_AN_ORDER = 40
UNSENT = timedelta(days=1)  # how long a form may stay half filled in


class Photo(OfShop, Base):
    """One photo of an article of an order, for its return or its claim.

    Both ids are None while the form is being filled in.
    """

    __tablename__ = "photo"
    __table_args__ = (
        Index(None, "shop_id", "order_id"),
        Index(None, "shop_id", "rma_id"),
        ForeignKeyConstraint(
            ["shop_id", "order_id"], ["orders.shop_id", "orders.id"], ondelete="CASCADE"
        ),
        Index(None, "shop_id", "claim_id"),
        ForeignKeyConstraint(["shop_id", "rma_id"], ["rma.shop_id", "rma.id"]),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    order_id: Mapped[str] = mapped_column(String(40))
    rma_id: Mapped[str | None] = mapped_column(String(40))
    claim_id: Mapped[str | None] = mapped_column(String(40))
    sku: Mapped[str] = mapped_column(String(120))
    by: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    @staticmethod
    def add(order_id: str, sku: str, by: str, now: datetime, rma_id: str | None = None) -> str:
        """Note a photo that lies in its place; gives its id. Raises Conflict past the limit.

        Call it inside `writing()`.
        """
        count = select(func.count()).select_from(Photo).where(Photo.order_id == order_id)
        if (session.scalar(count) or 0) >= MOST_AN_ORDER:
            raise Conflict(f"This order has {MOST_AN_ORDER} photos already, and takes no more.")
        made = new_id("pho", now)
        session.add(
            Photo(id=made, order_id=order_id, rma_id=rma_id, sku=sku, by=by, created_at=now)
        )
        return made

    @staticmethod
    def attach(photo_ids: Iterable[str], order_id: str, rma_id: str) -> None:
        """Give an order's photos to its return, which was sent. Call it inside `writing()`."""
        session.execute(
            update(Photo)
            .where(Photo.id.in_(list(photo_ids)), Photo.order_id == order_id)
            .where(Photo.rma_id.is_(None))
            .values(rma_id=rma_id)
        )

    @staticmethod
    def attach_to_claim(photo_ids: Iterable[str], order_id: str, claim_id: str) -> None:
        """Give an order's photos to its claim. Call it inside `writing()`."""
        ids = Photo.unattached(photo_ids, order_id)
        session.execute(update(Photo).where(Photo.id.in_(ids)).values(claim_id=claim_id))

    @staticmethod
    def forget_unsent(now: datetime) -> list[tuple[int, str]]:
        """Delete what was never sent with anything, in the shops in scope: (shop, id) of each."""
        unsent = Photo.rma_id.is_(None), Photo.claim_id.is_(None), Photo.created_at < now - UNSENT
        found = session.execute(select(Photo.shop_id, Photo.id).where(*unsent)).all()
        session.execute(delete(Photo).where(*unsent))
        return [(shop_id, photo_id) for shop_id, photo_id in found]

    @staticmethod
    def unattached(photo_ids: Iterable[str], order_id: str) -> list[str]:
        """Those of these photos that are this order's and were not sent with anything yet."""
        wanted = select(Photo.id).where(
            Photo.id.in_(list(photo_ids)), Photo.order_id == order_id, Photo.rma_id.is_(None)
        )
        found = wanted.where(Photo.claim_id.is_(None)).order_by(Photo.created_at, Photo.id)
        return list(session.scalars(found))

    @staticmethod
    def of_claim(claim_id: str) -> list[Photo]:
        """A claim's photos, oldest first."""
        wanted = select(Photo).where(Photo.claim_id == claim_id)
        return list(session.scalars(wanted.order_by(Photo.created_at, Photo.id)))

    @staticmethod
    def of_return(rma_id: str) -> list[Photo]:
        """A return's photos, oldest first."""
        wanted = select(Photo).where(Photo.rma_id == rma_id).order_by(Photo.created_at, Photo.id)
        return list(session.scalars(wanted))
