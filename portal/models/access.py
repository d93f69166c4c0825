"""Who may see and do what without an account: links, codes, tokens, limits, sessions."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKeyConstraint, Index, String, Text, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.db import Base, BigId, session
from portal.keys import digest, new_token, seal, unseal
from portal.tenancy import OfShop


class Link(OfShop, Base):
    """A link to an order's page. Grade `act` is the order's own, as mailed; `view` comes from the
    look-up, is bound to one browser session and lives for a day; a mailed code lifts it to act.
    """

    __tablename__ = "link"
    __table_args__ = (
        UniqueConstraint("token_digest"),
        Index(None, "shop_id", "order_id"),
        ForeignKeyConstraint(
            ["shop_id", "order_id"], ["orders.shop_id", "orders.id"], ondelete="CASCADE"
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    token_digest: Mapped[str] = mapped_column(String(64))
    token_sealed: Mapped[str] = mapped_column(Text, default="")
    order_id: Mapped[str] = mapped_column(String(40))
    grade: Mapped[str] = mapped_column(String(4), default="act")
    session_digest: Mapped[str] = mapped_column(String(64), default="")
    expires_at: Mapped[datetime | None]  # None: follows the order's rights
    revoked_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    @staticmethod
    def issue(order_id: str) -> str:
        """Make the order's own link and give its token. Call it inside `writing()`."""
        token = new_token()
        session.add(Link(token_digest=digest(token), token_sealed=seal(token), order_id=order_id))
        return token

    @staticmethod
    def of(order_id: str) -> str:
        """The token of the order's own link in force; '' when there is none."""
        sealed = session.scalar(
            select(Link.token_sealed)
            .where(Link.order_id == order_id, Link.grade == "act", Link.revoked_at.is_(None))
            .order_by(Link.id.desc())
            .limit(1)
        )
        return unseal(sealed) if sealed else ""


class LinkCode(OfShop, Base):
    """A code that was mailed: six digits, ten minutes, five tries, one use, one browser."""

    __tablename__ = "link_code"
    __table_args__ = (Index(None, "shop_id", "order_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    order_id: Mapped[str] = mapped_column(String(40))
    purpose: Mapped[str] = mapped_column(String(20))  # lift, confirm
    subject: Mapped[str] = mapped_column(String(254), default="")  # the link or address it is for
    session_digest: Mapped[str] = mapped_column(String(64), default="")
    salt: Mapped[str] = mapped_column(String(32))
    code_digest: Mapped[str] = mapped_column(String(128))
    tries: Mapped[int] = mapped_column(default=0)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class ApiToken(OfShop, Base):
    """A bearer token of the machine API: kept as its SHA-256, shown once when made."""

    __tablename__ = "api_token"
    __table_args__ = (UniqueConstraint("token_digest"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    token_digest: Mapped[str] = mapped_column(String(64))
    hint: Mapped[str] = mapped_column(String(12))  # the first characters, to tell tokens apart
    name: Mapped[str] = mapped_column(String(120), default="")
    scopes: Mapped[list[str]] = mapped_column(default=list)
    origins: Mapped[list[str]] = mapped_column(default=list)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    last_used_on: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    @staticmethod
    def make(scopes: list[str], origins: list[str], name: str = "") -> tuple[ApiToken, str]:
        """A new token and its secret, which is not kept."""
        secret = f"pl_{secrets.token_urlsafe(24)}"
        made = ApiToken(
            token_digest=digest(secret),
            hint=secret[:8],
            name=name,
            scopes=scopes,
            origins=origins,
        )
        return made, secret


class IdempotencyKey(OfShop, Base):
    """The answer that was given to a POST with an Idempotency-Key; kept for 30 days."""

    __tablename__ = "idempotency_key"
    __table_args__ = (UniqueConstraint("shop_id", "key"), Index(None, "created_at"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(String(64))  # digest of token, method, path and the key given
    body_digest: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class Tally(Base):
    """How often something was tried: a limit's counter. Not a shop's row: addresses are shared."""

    __tablename__ = "tally"
    __table_args__ = (Index(None, "ends_at"),)

    key: Mapped[str] = mapped_column(String(64), primary_key=True)  # digest: no e-mail is kept
    count: Mapped[int] = mapped_column(default=0)
    ends_at: Mapped[datetime]


class WebSession(Base):
    """What the server remembers of a browser. The cookie holds only the random id."""

    __tablename__ = "web_session"
    __table_args__ = (Index(None, "expires_at"),)

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    shop_id: Mapped[int]
    content: Mapped[dict[str, Any]] = mapped_column(default=dict)
    expires_at: Mapped[datetime]
