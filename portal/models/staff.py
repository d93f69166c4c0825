"""The people who work here: invited, never registered by themselves."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Final

from flask_security import RoleMixin, UserMixin
from sqlalchemy import String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.db import Base, BigId, session
from portal.keys import digest, new_token
from portal.models.order import Order
from portal.sources.matching import email_key
from portal.tenancy import OfShop

ROLES: Final = ("owner", "manager", "agent", "warehouse", "reader")
# Which role may do what: the desk asks at each act, jobs once more when they perform one.
MAY: Final[dict[str, frozenset[str]]] = {
    "read": frozenset({"owner", "manager", "agent", "warehouse", "reader"}),
    "decide": frozenset({"owner", "manager", "agent"}),
    "receive": frozenset({"owner", "manager", "agent", "warehouse"}),
    "pay": frozenset({"owner", "manager", "agent"}),
    "books": frozenset({"owner", "manager", "reader"}),  # what came in and went out
    "audit": frozenset({"owner", "manager", "reader"}),  # who did what
    "people": frozenset({"owner"}),  # who works here, and as what
    "policy": frozenset({"owner", "manager"}),  # the rules of returns, and what else the shop sets
}
INVITED_FOR: Final = timedelta(days=7)


OWN_ORDER: Final = "This is your own order. A colleague has to decide about it."


class Role(RoleMixin):
    """A role as the sign-in library wants it: an object with a name."""

    def __init__(self, name: str) -> None:
        self.name = name


class Staff(OfShop, Base, UserMixin):
    """One person at one shop. Without a password they cannot sign in; an invitation sets it.

    `fs_uniquifier` is what a signed-in browser is known by: a new one signs every browser out.
    """

    __tablename__ = "staff"
    __table_args__ = (UniqueConstraint("shop_id", "email"), UniqueConstraint("shop_id", "id"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    email: Mapped[str] = mapped_column(String(254))  # lower case
    name: Mapped[str] = mapped_column(String(120), default="")
    role: Mapped[str] = mapped_column(String(12))
    password: Mapped[str | None] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(default=True)
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True)
    invitation_digest: Mapped[str | None] = mapped_column(String(64), unique=True)
    invitation_ends_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    @property
    def roles(self) -> list[RoleMixin]:  # type: ignore[override]  # read only here
        """What the sign-in library asks for: here a person has one role."""
        return [Role(self.role)]

    @property
    def who(self) -> str:
        """How the audit and colleagues read it."""
        return f"staff:{self.id} {self.shown_name}"[:120]

    def may(self, act: str) -> bool:
        """Whether they work here still, and their role includes this act."""
        return self.active and self.role in MAY[act]

    @property
    def shown_name(self) -> str:
        """What colleagues read."""
        return self.name or self.email

    @staticmethod
    def invite(email: str, role: str, now: datetime) -> tuple[Staff, str]:
        """Invite a person, or invite them anew; gives them and the invitation's token, shown once.

        Whoever is invited again keeps their password until they set another. Call it inside
        `writing()`.
        """
        found = Staff.known(email)
        if found is None:
            found = Staff(email=email.lower(), fs_uniquifier=secrets.token_hex(32))
            session.add(found)
        token = new_token()
        found.role = role
        found.active = True
        found.invitation_digest = digest(token)
        found.invitation_ends_at = now + INVITED_FOR
        return found, token

    @staticmethod
    def known(email: str) -> Staff | None:
        """The person with this address in the shop in scope, if any."""
        return session.scalar(select(Staff).where(Staff.email == email.strip().lower()))

    @staticmethod
    def invited(token: str, now: datetime) -> Staff | None:
        """Whose invitation this is, while it holds."""
        return session.scalar(
            select(Staff).where(
                Staff.invitation_digest == digest(token),
                Staff.invitation_ends_at > now,
                Staff.active,
            )
        )

    def accept(self, name: str, password_hash: str) -> None:
        """Use the invitation up: set name and password, sign out every other browser."""
        self.name = name
        self.password = password_hash
        self.fs_uniquifier = secrets.token_hex(32)
        self.invitation_digest = self.invitation_ends_at = None


def is_own(email: str, order: Order) -> bool:
    """Whether an order was placed with this address of somebody who works here."""
    return bool(order.email_key) and email_key(email) == order.email_key
