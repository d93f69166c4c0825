"""An order: what was bought, by line and by unit, and where it stands."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    BigInteger,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship, selectinload, validates

from portal import clock
from portal.db import Base, new_id, session
from portal.models.access import Link
from portal.models.arrival_terms import promised
from portal.models.audit import record
from portal.models.catalog import Picture
from portal.models.change import Conflict, assign
from portal.models.cover import Choice, take_quote
from portal.models.customer import Customer
from portal.models.ledger import book_captured
from portal.models.line import OrderLine, Unit, replace_lines, split_units
from portal.models.parcels import (
    add_parcel,
    fit_parcels,
    only_new_parcels,
    parcel_facts,
    replace_parcels,
)
from portal.models.settling import order_status, rights_end
from portal.models.shop import Shop
from portal.places import zone_of
from portal.sources.document import OrderChange, OrderDocument, ShipmentDocument
from portal.sources.matching import (
    email_key,
    name_end_key,
    name_key,
    number_key,
    postcode_key,
)
from portal.sources.sentences import wrong
from portal.tenancy import OfShop, shop_in_scope

if TYPE_CHECKING:
    from portal.models.shipment import Shipment

__all__ = [
    "Conflict",
    "Order",
    "OrderLine",
    "Unit",
    "email_key",
    "number_key",
    "postcode_key",
]

AMOUNTS: Final = ("discount_minor", "shipping_minor", "shipping_tax_minor")
KINDS: Final = ("tags", "customer_tags", "gift")  # what rules may ask about
PLAIN: Final = (*AMOUNTS, *KINDS, "phone")  # columns named as they are posted
PERSONAL: Final = frozenset(
    {"email", "email_key", "phone", "address", "name_key", "name_end_key", "customer_tags"}
)
UNSEEN: Final = frozenset(
    {"payment_provider", "payment_reference", "captured_minor", "protection_quote"}
)
BEGINS: Final = "text_pattern_ops"
NO_WAY_BACK: Final = frozenset({"partially_delivered", "delivered", "returned"})


class Order(OfShop, Base):
    """One order of one shop. `number` is unique in the shop for ever."""

    __tablename__ = "orders"
    __table_args__ = (
        UniqueConstraint("shop_id", "id"),
        UniqueConstraint("shop_id", "number_key"),
        Index(None, "shop_id", "updated_at", "id"),
        Index(None, "shop_id", "placed_at", "id"),
        # The desk looks for beginnings: PostgreSQL needs to be told so.
        Index(None, "shop_id", "email_key", postgresql_ops={"email_key": BEGINS}),
        Index(None, "shop_id", "number_key", postgresql_ops={"number_key": BEGINS}),
        Index(None, "shop_id", "name_key", postgresql_ops={"name_key": BEGINS}),
        Index(None, "shop_id", "name_end_key", postgresql_ops={"name_end_key": BEGINS}),
        ForeignKeyConstraint(["shop_id", "customer_id"], ["customer.shop_id", "customer.id"]),
    )

    id: Mapped[str] = mapped_column(
        String(40), primary_key=True, default=lambda: new_id("ord", clock.now())
    )
    number: Mapped[str] = mapped_column(String(80))
    number_key: Mapped[str] = mapped_column(String(80))
    customer_id: Mapped[str | None] = mapped_column(String(40))
    email: Mapped[str] = mapped_column(String(254), default="")
    email_key: Mapped[str] = mapped_column(String(254), default="")
    phone: Mapped[str] = mapped_column(String(40), default="")
    locale: Mapped[str] = mapped_column(String(10), default="")
    placed_at: Mapped[datetime]
    currency: Mapped[str] = mapped_column(String(3))
    address: Mapped[dict[str, Any]] = mapped_column(default=dict)  # as posted: name … country
    name_key: Mapped[str] = mapped_column(String(200), default="")  # of the address, for search
    name_end_key: Mapped[str] = mapped_column(String(200), default="")
    timezone: Mapped[str] = mapped_column(String(60), default="")  # of the destination, if known
    tags: Mapped[list[str]] = mapped_column(default=list)
    customer_tags: Mapped[list[str]] = mapped_column(default=list)
    gift: Mapped[bool] = mapped_column(default=False)  # prices are the giver's business
    discount_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    shipping_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    shipping_tax_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    payment_provider: Mapped[str] = mapped_column(String(40), default="")
    payment_reference: Mapped[str] = mapped_column(String(120), default="")
    captured_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    protection_quote: Mapped[str | None] = mapped_column(Text)
    cover_minor: Mapped[int] = mapped_column(BigInteger, default=0)  # paid for active cover
    promise: Mapped[dict[str, Any]] = mapped_column(default=dict)  # the shop's word at checkout
    status: Mapped[str] = mapped_column(String(20), default="placed")
    cancelled_at: Mapped[datetime | None]
    rights_end_at: Mapped[datetime | None]  # the last right on the order; links live 180 days more
    version: Mapped[int] = mapped_column(default=1)  # goes up with every change a page would show
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)

    lines: Mapped[list[OrderLine]] = relationship(
        order_by="OrderLine.position", cascade="all, delete-orphan", back_populates="order"
    )
    shipments: Mapped[list[Shipment]] = relationship(viewonly=True, order_by="Shipment.position")

    @validates("address")
    def _look_up_by(self, _column: str, address: dict[str, Any]) -> dict[str, Any]:
        """Whoever looks for the order may look by the name on its address."""
        name = str(address.get("name") or "")
        self.name_key, self.name_end_key = name_key(name), name_end_key(name)
        return address

    @staticmethod
    def numbered(number: str, lock: bool = False) -> Order | None:
        """The shop's order with this number, however it is written, if any."""
        wanted = select(Order).where(Order.number_key == number_key(number))
        if lock:
            wanted = wanted.with_for_update().execution_options(populate_existing=True)
        return session.scalar(
            wanted.options(selectinload(Order.lines).selectinload(OrderLine.units))
        )

    @staticmethod
    def locked(order_id: str) -> Order | None:
        """The order with this id for this transaction alone, if any."""
        return session.scalar(
            select(Order)
            .where(Order.id == order_id)
            .with_for_update()
            .execution_options(populate_existing=True)
            .options(selectinload(Order.lines).selectinload(OrderLine.units))
        )

    @staticmethod
    def upsert(document: OrderDocument, now: datetime, who: str = "operator") -> tuple[Order, bool]:
        """Store a posted order under its number; gives it and whether it is new.

        A field that was not sent stays, a list that was sent replaces. `updated_at` is `now` when
        anything changed. Raises Invalid for what cannot be taken, Conflict for what cannot be
        changed any more. Call it inside `writing()`.
        """
        order = Order.numbered(document.number, lock=True)
        created = order is None
        if order is None:
            order = _new_order(document, now)
        with only_new_parcels(order) if created else nullcontext():
            order.change(document, now, who, created=created)
        return order, created

    def change(
        self, document: OrderChange, now: datetime, who: str, *, created: bool = False
    ) -> bool:
        """Change what was sent; True if anything differs now. Raises Invalid and Conflict."""
        sent = document.model_fields_set
        self._keeps_its_name(document)
        paid = (self.payment_reference, self.captured_minor)
        before = assign(self, self._values(document, now))
        changed = set(before)
        if created or "service" in sent or changed & {"placed_at", "address"}:
            window = promised(self, service=document.service)
            self.promise = window.to_json() if window else {}
        if created:
            self._begin(now)
        if "lines" in sent and replace_lines(self, document.lines):
            changed.add("lines")
            fit_parcels(self)
            Picture.want((line.image_url for line in document.lines), now)
        if created or changed & {"lines", *AMOUNTS}:
            split_units(self)
        session.flush()
        became = (self.payment_reference, self.captured_minor)
        book_captured(self.id, self.currency, paid, became, now)
        if "shipments" in sent and replace_parcels(self, document.shipments, now, who):
            changed.add("shipments")
        if changed & {"protection_quote", "lines"} and self.protection_quote:
            take_quote(self, self.protection_quote, Choice("order", who, self.placed_at), now)
            changed.add("protection")
        self._settled(changed, before, now, who, created=created)
        return bool(changed)

    def add_shipment(
        self, document: ShipmentDocument, now: datetime, who: str
    ) -> tuple[Shipment, bool]:
        """Add a parcel, or change the one that is known; gives it and whether it is new."""
        parcel, created, changed = add_parcel(self, document, now)
        self._settled({"shipments"} if changed else set(), {}, now, who)
        return parcel, created

    def cancel(self, now: datetime, who: str) -> bool:
        """Call the order off; False where it was already. Raises Conflict after a delivery."""
        if self.cancelled_at is not None:
            return False
        if self.status in NO_WAY_BACK:
            raise Conflict(
                f"The order is {self.status}, so it cannot be cancelled. It stays as is."
            )
        before = {"status": self.status}
        self.cancelled_at = now
        self._settled({"status"}, before, now, who)
        return True

    def settle_status(self, now: datetime | None = None) -> bool:
        """Derive the status from the parcels, and when the rights end; True if they changed."""
        facts = parcel_facts(self)
        ordered = {line.id: line.quantity for line in self.lines}
        status = "cancelled" if self.cancelled_at else order_status(facts, ordered)
        ends = rights_end(status, facts, self.cancelled_at)
        changed = bool(assign(self, {"status": status, "rights_end_at": ends}))
        if changed:
            self.touch(now or clock.now())
        return changed

    def touch(self, now: datetime) -> None:
        """Say that its pages show something else now."""
        self.version += 1
        self.updated_at = now

    def _begin(self, now: datetime) -> None:
        """Store the new order, with all that was sent of itself, and give it its link."""
        session.add(self)
        session.flush()
        Link.want(self.id, now)

    def _keeps_its_name(self, document: OrderChange) -> None:
        if document.number is not None and number_key(document.number) != self.number_key:
            raise Conflict(f"The order's number {self.number} stays for ever. Leave it out.")
        if document.currency not in {None, self.currency}:
            raise Conflict(f"The order is in {self.currency}; its currency cannot change.")

    def _values(self, document: OrderChange, now: datetime) -> dict[str, Any]:
        """The columns that were sent."""
        sent = document.sent()
        values: dict[str, Any] = {name: sent[name] for name in PLAIN if name in sent}
        for name in ("placed_at", "protection_quote"):
            if sent.get(name) is not None:
                values[name] = sent[name]
        if "email" in sent:
            values |= {"email": document.email, "email_key": email_key(document.email)}
            values["customer_id"] = Customer.of(document.email, document.phone, now)
        if document.shipping_address is not None:
            where = document.shipping_address
            values["address"] = where.model_dump()
            values["timezone"] = zone_of(where.country, where.region, where.postcode)
        if document.payment is not None:
            paid = document.payment.sent()
            names = {"captured_minor": "captured_minor"}
            values |= {names.get(name, f"payment_{name}"): paid[name] for name in paid}
        return values

    def _settled(
        self,
        changed: set[str],
        before: dict[str, Any],
        now: datetime,
        who: str,
        created: bool = False,
    ) -> None:
        """What follows from a change: the status, the version, the audit entry."""
        if not changed and not created:
            return
        if not created and changed - UNSEEN:
            self.version += 1
        self.updated_at = now
        if "lines" in changed or "shipments" in changed or "status" in changed:
            session.flush()
            self.settle_status(now)
        record(
            who,
            "order.created" if created else "order.changed",
            f"order:{self.id}",
            before={} if created else _told(before),
            after={"number": self.number}
            if created
            else {"changed": sorted(changed)} | _told({n: getattr(self, n) for n in before}),
        )


def _new_order(document: OrderDocument, now: datetime) -> Order:
    """A bare order under its number, not stored yet."""
    if document.currency is None and document.lines:
        raise wrong("currency", "A new order with lines needs its currency.")
    currency = document.currency
    if currency is None:
        currency = session.scalars(select(Shop.currency).where(Shop.id == shop_in_scope())).one()
    return Order(
        id=new_id("ord", now),
        number=document.number,
        number_key=number_key(document.number),
        currency=currency,
        placed_at=document.placed_at or now,
        address={},
        tags=[],
        customer_tags=[],
        gift=False,
        status="placed",
        version=1,
        created_at=now,
        updated_at=now,
        lines=[],  # known to be none: not looked for
        **dict.fromkeys(("email", "email_key", "phone", "locale", "timezone"), ""),
        **dict.fromkeys((*AMOUNTS, "captured_minor", "cover_minor"), 0),
        **dict.fromkeys(("payment_provider", "payment_reference"), ""),
    )


def _told(values: dict[str, Any]) -> dict[str, Any]:
    """Values as an audit entry tells them: whose data it is stays out, moments become text."""
    told = {}
    for name, value in values.items():
        if name not in PERSONAL:
            told[name] = value.isoformat() if isinstance(value, datetime) else value
    return told
