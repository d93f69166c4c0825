"""Who calls: the bearer token, its shop and its scopes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from flask import g, request
from sqlalchemy import bindparam, select, update

from portal.api.pace import keep_pace
from portal.api.refusal import Refusal
from portal.db import every_shop, session, writing
from portal.keys import digest
from portal.limits import client
from portal.logs import log
from portal.models import ApiToken, Shop, ShopFront
from portal.models.token import PUBLISHABLE
from portal.security import bare_hosts, hostname
from portal.standing import Standing
from portal.tenancy import scoped
from portal.turns import Busy

BEARER: Final = re.compile(r"bearer +([!-~]{1,200})", re.IGNORECASE)
KEY_NAMES: Final = frozenset({"access_token", "api_key", "apikey", "bearer", "key", "token"})
NOTED_EVERY: Final = timedelta(days=1)
ASK: Final = {"WWW-Authenticate": 'Bearer realm="porchlight"'}
TOKENS: Final = (
    select(
        ApiToken.id,
        ApiToken.shop_id,
        ApiToken.hint,
        ApiToken.scopes,
        ApiToken.origins,
        ApiToken.last_used_on,
        Shop.origin,
    )
    .join(Shop, Shop.id == ApiToken.shop_id)
    .where(ApiToken.token_digest == bindparam("digest"), ApiToken.revoked_at.is_(None))
)
KNOWN: Final = Standing(TOKENS)  # those of the shop whose name was asked for


@dataclass(frozen=True, slots=True)
class Caller:
    """A token that was let in. The request is inside its shop from then on."""

    token_id: int
    shop_id: int
    hint: str
    origin: str  # of the shop's pages
    scopes: frozenset[str]
    origins: frozenset[str] = frozenset()  # where a token that everybody can read may be used

    @property
    def who(self) -> str:
        """How the audit names it."""
        return f"token:{self.hint}"


def let_in(scope: str, now: datetime) -> Caller:
    """The caller, inside whose shop the request now is. Raises Refusal 400, 401, 403 or 429.

    `scope` may name several, of which the token needs one.
    """
    g.cors_origin = ""
    if KEY_NAMES & {name.lower() for name in request.args}:
        raise Refusal(
            400,
            "A key in an address is seen by others. Send it as Authorization: Bearer, and make a "
            "new one.",
        )
    caller, last_used_on = _known()
    _enter(caller)
    if last_used_on is None or now - last_used_on >= NOTED_EVERY:
        _note(caller, now)
    if not caller.scopes & {*scope.split(), "*"}:
        raise Refusal(403, f"This token lacks the scope {' or '.join(scope.split())}.")
    if caller.scopes <= PUBLISHABLE:
        _is_expected(caller, now)
    return caller


def _is_expected(caller: Caller, now: datetime) -> None:
    """A token that stands in a public page works from the listed pages alone, and not too often."""
    origin = request.headers.get("Origin", "")
    if origin not in caller.origins | {caller.origin}:
        raise Refusal(
            403,
            "This token works in the pages of the origins it was made for. Make one with "
            "--origin for this page.",
        )
    g.cors_origin = origin
    keep_pace(f"{caller.hint} {client()}", now)


def _known() -> tuple[Caller, datetime | None]:
    found = BEARER.fullmatch(request.headers.get("Authorization", ""))
    if not found:
        raise Refusal(401, "Send a token, as Authorization: Bearer pl_….", headers=ASK)
    wanted = digest(found[1])
    row = KNOWN.first(digest=wanted)
    if row is None and hostname(request) in bare_hosts():
        with every_shop():
            row = session.execute(TOKENS, {"digest": wanted}).one_or_none()
    if row is None or not _is_at_home(row.shop_id):
        raise Refusal(401, "This token is not known here, or was revoked.", headers=ASK)
    caller = Caller(
        row.id, row.shop_id, row.hint, row.origin, frozenset(row.scopes), frozenset(row.origins)
    )
    return caller, row.last_used_on


def _is_at_home(shop_id: int) -> bool:
    """The house's own name serves every shop's tokens; a shop's name serves its own."""
    return bool(g.shop_id == shop_id) or hostname(request) in bare_hosts()


def _enter(caller: Caller) -> None:
    if g.shop_id == caller.shop_id:
        return
    session.remove()
    g.scope.__exit__(None, None, None)
    g.scope = scoped(caller.shop_id)
    g.scope.__enter__()
    g.shop_id = caller.shop_id
    g.shop = ShopFront.of(caller.shop_id)


def _note(caller: Caller, now: datetime) -> None:
    """Remember that the token is in use. It is no reason to turn a caller away."""
    try:
        with writing(synchronous="NORMAL"):
            session.execute(
                update(ApiToken).where(ApiToken.id == caller.token_id).values(last_used_on=now)
            )
    except Busy:
        log.info("token use not noted, the database is busy")
