"""Who may see and do what without an account: links, codes, tokens, limits, sessions."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
    case,
    delete,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.db import Base, BigId, UtcDateTime, session
from portal.keys import digest, has_key, new_token, seal, unseal
from portal.models.due import plan
from portal.tenancy import OfShop, shop_in_scope

VIEW_LIFE = timedelta(hours=24)  # of a link that the look-up gave
AFTER_RIGHTS = timedelta(days=180)  # how long an order's own link outlives the last right on it
CODE_LIFE = timedelta(minutes=10)
CODE_TRIES = 5
CODE_DIGITS = 6
ROUNDS = 20_000  # of PBKDF2: a code lives for minutes, and only its look-up must stay cheap
LIFT = "lift"
CONFIRM = "confirm"
ACCOUNT = "account"


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
    def want(order_id: str, now: datetime) -> None:
        """Give a new order its link: at once, or where SECRET_KEY is not set here, soon.

        What a command without the key leaves is made up by whoever has it: the worker, or the
        reply and the mail that need it before.
        """
        if has_key():
            Link.issue(order_id)
        else:
            plan("link", order_id, shop_in_scope(), now)

    @staticmethod
    def make_up(order_ids: Collection[str]) -> dict[str, str]:
        """Issue the own links of those orders that never had one; their tokens by order.

        Call it inside `writing()`, in a process that has SECRET_KEY.
        """
        own = select(Link.order_id).where(Link.order_id.in_(order_ids), *_OWN)
        linked = set(session.scalars(own))
        return {each: Link.issue(each) for each in order_ids if each not in linked}

    @staticmethod
    def of(order_id: str) -> str:
        """The token of the order's own link in force; '' when there is none."""
        sealed = session.scalar(
            select(Link.token_sealed)
            .where(
                Link.order_id == order_id,
                *_OWN,
                Link.revoked_at.is_(None),
            )
            .order_by(Link.id.desc())
            .limit(1)
        )
        return unseal(sealed) if sealed else ""

    @staticmethod
    def lend(order_id: str, browser: str, now: datetime) -> str:
        """Make a view-grade link for one browser (the digest of its session); gives its token."""
        token = new_token()
        session.add(
            Link(
                token_digest=digest(token),
                order_id=order_id,
                grade="view",
                session_digest=browser,
                expires_at=now + VIEW_LIFE,
            )
        )
        return token

    @staticmethod
    def lift(link_id: int) -> None:
        """Raise a browser's link to act grade, its code being used. Call it inside `writing()`."""
        session.execute(update(Link).where(Link.id == link_id).values(grade="act"))

    @staticmethod
    def rebind(old: str, new: str) -> None:
        """Keep a browser's links and codes under its new session. Call it inside `writing()`."""
        for model in (Link, LinkCode):
            session.execute(
                update(model).where(model.session_digest == old).values(session_digest=new)
            )

    @staticmethod
    def renew(order_id: str, now: datetime) -> str:
        """Revoke every link of an order and give the token of a new one of its own."""
        session.execute(
            update(Link)
            .where(Link.order_id == order_id, Link.revoked_at.is_(None))
            .values(revoked_at=now)
        )
        return Link.issue(order_id)


def links_in_force(ids: Collection[int], now: datetime) -> set[int]:
    """Those of these links that were neither revoked nor run out; rights on orders aside."""
    held = or_(Link.expires_at.is_(None), Link.expires_at > now)
    asked = select(Link.id).where(Link.id.in_(ids), Link.revoked_at.is_(None), held)
    return set(session.scalars(asked))


# A lifted link is of grade act, too, but belongs to its browser alone.
_OWN = (Link.grade == "act", Link.session_digest == "")


class LinkCode(OfShop, Base):
    """A code that was mailed: six digits, ten minutes, five tries, one use, one browser."""

    __tablename__ = "link_code"
    __table_args__ = (Index(None, "shop_id", "order_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    order_id: Mapped[str] = mapped_column(String(40))
    purpose: Mapped[str] = mapped_column(String(20))  # LIFT, CONFIRM or ACCOUNT
    subject: Mapped[str] = mapped_column(String(254), default="")  # the link or address it is for
    session_digest: Mapped[str] = mapped_column(String(64), default="")
    salt: Mapped[str] = mapped_column(String(32))
    code_digest: Mapped[str] = mapped_column(String(128))
    tries: Mapped[int] = mapped_column(default=0)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    @staticmethod
    def make(order_id: str, purpose: str, browser: str, now: datetime, subject: str = "") -> str:
        """Make a code for one browser and give its six digits, which are not kept.

        It takes the place of an earlier one of the same purpose and subject.
        """
        code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
        salt = secrets.token_hex(16)
        session.add(
            LinkCode(
                order_id=order_id,
                purpose=purpose,
                subject=subject,
                session_digest=browser,
                salt=salt,
                code_digest=_code_digest(code, salt),
                expires_at=now + CODE_LIFE,
            )
        )
        return code

    @staticmethod
    def newest(order_id: str, purpose: str, browser: str, now: datetime) -> LinkCode | None:
        """The code this browser may still enter, if any; its subject says what it is for."""
        found = session.scalar(
            select(LinkCode)
            .where(
                LinkCode.order_id == order_id,
                LinkCode.purpose == purpose,
                LinkCode.session_digest == browser,
            )
            .order_by(LinkCode.id.desc())
            .limit(1)
        )
        return found if found and found.is_open(now) else None

    @staticmethod
    def newest_of(purpose: str, browser: str, now: datetime) -> LinkCode | None:
        """The code this browser may still enter, whatever the order it was mailed for."""
        mine = (LinkCode.purpose == purpose, LinkCode.session_digest == browser)
        found = session.scalar(select(LinkCode).where(*mine).order_by(LinkCode.id.desc()).limit(1))
        return found if found and found.is_open(now) else None

    @staticmethod
    def pretend() -> None:
        """As much work as making a code, so that its time does not tell that there is none."""
        _code_digest("000000", "00" * 16)

    def is_open(self, now: datetime) -> bool:
        """Whether another try may be made."""
        return self.used_at is None and self.tries < CODE_TRIES and now < self.expires_at

    def use(self, typed: str, now: datetime) -> bool:
        """Count a try and use the code up if it is right. Call it inside `writing()`.

        One conditional statement, so that of two tries sent together only one can be the use.
        """
        given = _code_digest(typed, self.salt)
        moment = literal(now, UtcDateTime())
        used = session.execute(
            update(LinkCode)
            .where(
                LinkCode.id == self.id,
                LinkCode.tries < CODE_TRIES,
                LinkCode.used_at.is_(None),
                LinkCode.expires_at > now,
            )
            .values(
                tries=LinkCode.tries + 1,
                used_at=case((LinkCode.code_digest == given, moment), else_=None),
            )
            .returning(LinkCode.used_at)
            .execution_options(synchronize_session=False)
        ).first()
        return used is not None and used.used_at is not None


def _code_digest(code: str, salt: str) -> str:
    typed = code.encode("utf-8", "surrogatepass")
    return hashlib.pbkdf2_hmac("sha256", typed, bytes.fromhex(salt), ROUNDS).hex()


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


def forget_ended(now: datetime) -> None:
    """Delete limits, codes, lent links and browsers whose time is over. Call it in `writing()`.

    It works in all shops at once: pass `portal.db.every_shop` first.
    """
    session.execute(delete(Tally).where(Tally.ends_at <= now))
    session.execute(delete(LinkCode).where(LinkCode.expires_at <= now - CODE_LIFE))
    # Kept for a while, so that an ended link still answers that it has ended.
    session.execute(
        delete(Link).where(Link.session_digest != "", Link.expires_at <= now - 30 * VIEW_LIFE)
    )
    session.execute(delete(WebSession).where(WebSession.expires_at <= now))
