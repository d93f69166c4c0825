"""Which role may do what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

from flask import abort, g
from flask_babel import force_locale
from flask_security import auth_required, current_user

from portal.models import Order
from portal.models.staff import MAY, OWN_ORDER, is_own

CONFIRMED_FOR: Final = 15  # minutes after who somebody is was last shown
GRACE: Final = 30  # minutes for what was begun meanwhile
P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Me:
    """Who is signed in, as plain facts that outlive the session they were read in."""

    id: int
    shown_name: str
    role: str
    email: str

    @property
    def who(self) -> str:
        """How the audit and colleagues read it."""
        return f"staff:{self.id} {self.shown_name}"[:120]

    def may(self, act: str) -> bool:
        """Whether the role includes this act."""
        return self.role in MAY[act]


def me() -> Me:
    """Who is signed in. Only behind `needs`."""
    found: Me = g.me
    return found


def not_ones_own(order: Order) -> None:
    """403 where the order was placed with the address of whoever is signed in."""
    if is_own(me().email, order):
        abort(403, OWN_ORDER)


def needs(act: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a view be used only by who is signed in and may do this; 403 for others."""

    def guard(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: Any, **named: Any) -> R:
            g.me = Me(
                current_user.id, current_user.shown_name, current_user.role, current_user.email
            )
            if not g.me.may(act):
                abort(403, "Your role does not include this. Ask an owner or manager of the shop.")
            with force_locale("en"):  # the desk speaks one language, whatever the browser asks for
                return view(*args, **named)

        signed_in: Callable[P, R] = auth_required("session")(guarded)
        return signed_in

    return guard


def confirmed(view: Callable[P, R]) -> Callable[P, R]:
    """Let a view be used only shortly after its reader signed in; else they confirm it first."""
    fresh: Callable[P, R] = auth_required("session", within=CONFIRMED_FOR, grace=GRACE)(view)
    return fresh
