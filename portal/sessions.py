"""Server-side sessions: the cookie holds a random id, everything else stays in the database.

A session is read from the database only when somebody asks for its content, and a row is written
only when there is something to remember, so that plain page views touch nothing.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, MutableMapping
from datetime import timedelta
from typing import Any

from flask import Flask, Request, Response, g
from flask.sessions import SessionInterface, SessionMixin
from sqlalchemy import delete, select

from portal import clock
from portal.db import session as rows
from portal.db import writing
from portal.keys import digest, settings
from portal.models import WebSession

LIFE = timedelta(days=1)  # of a customer's session without use; staff end sooner by their own rule
SID = re.compile(r"[A-Za-z0-9_-]{43}")


class BrowserSession(SessionMixin, MutableMapping[str, Any]):
    """What we remember of one browser. `sid` exists from the first look, the row only once used."""

    def __init__(self, sid: str, is_new: bool) -> None:
        self.sid = sid
        self.new = is_new
        self.modified = False
        self.accessed = True
        self.ended: list[str] = []  # digests of ids that must not work any more
        self._content: dict[str, Any] | None = {} if is_new else None

    @property
    def digest(self) -> str:
        """What the database knows this browser by. At another shop's host it is another browser."""
        return digest(f"{g.shop_id}:{self.sid}")

    @property
    def content(self) -> dict[str, Any]:
        """The remembered values, read at the first look."""
        if self._content is None:
            self._content = _load(self.digest)
        return self._content

    def __getitem__(self, key: str) -> Any:
        return self.content[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.content[key] = value
        self.modified = True

    def __delitem__(self, key: str) -> None:
        del self.content[key]
        self.modified = True

    def __iter__(self) -> Iterator[str]:
        return iter(self.content)

    def __len__(self) -> int:
        return len(self.content)

    def rotate(self) -> None:
        """Take a new id and end the old one: at sign-in, sign-out and every change of rights."""
        _ = self.content
        self.ended.append(self.digest)
        self.sid = secrets.token_urlsafe(32)
        self.new = self.modified = True


class RowSessions(SessionInterface):
    """Sessions in the table `web_session`."""

    def open_session(self, app: Flask, request: Request) -> BrowserSession:
        """The session the cookie names; a new id where it names none we could have made."""
        sid = request.cookies.get(cookie_name(), "")
        if SID.fullmatch(sid):
            return BrowserSession(sid, is_new=False)
        return BrowserSession(secrets.token_urlsafe(32), is_new=True)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Store what changed; set the cookie only where the page needs one."""
        assert isinstance(session, BrowserSession)  # noqa: S101 - ours is the only interface
        if session.modified:
            _store(session)
        if session.new and (session.modified or g.get("needs_session")):
            response.set_cookie(
                cookie_name(),
                session.sid,
                secure=settings().is_https,
                httponly=True,
                samesite="Lax",
                path="/",
            )
            response.vary.add("Cookie")


def cookie_name() -> str:
    """`__Host-` pins the cookie to one host over TLS; plain http on loopback cannot have it."""
    return "__Host-session" if settings().is_https else "session"


def _load(sid_digest: str) -> dict[str, Any]:
    found = rows.scalar(
        select(WebSession.content).where(
            WebSession.digest == sid_digest, WebSession.expires_at > clock.now()
        )
    )
    return dict(found) if found else {}


def _store(session: BrowserSession) -> None:
    with writing():
        if session.ended:
            rows.execute(delete(WebSession).where(WebSession.digest.in_(session.ended)))
        rows.merge(
            WebSession(
                digest=session.digest,
                shop_id=g.shop_id,
                content=dict(session.content),
                expires_at=clock.now() + LIFE,
            )
        )
