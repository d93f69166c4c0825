"""Which role may do what."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

from flask import abort
from flask_security import auth_required, current_user

MAY: Final[dict[str, frozenset[str]]] = {
    "read": frozenset({"owner", "manager", "agent", "warehouse", "reader"}),
    "decide": frozenset({"owner", "manager", "agent"}),
    "receive": frozenset({"owner", "manager", "agent", "warehouse"}),
    "pay": frozenset({"owner", "manager", "agent"}),
}

P = ParamSpec("P")
R = TypeVar("R")


def may(act: str) -> bool:
    """Whether who is signed in may do this."""
    return getattr(current_user, "role", "") in MAY[act]


def needs(act: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a view be used only by who is signed in and may do this; 403 for others."""

    def guard(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: Any, **named: Any) -> R:
            if not may(act):
                abort(403, "Your role does not include this. Ask an owner or manager of the shop.")
            return view(*args, **named)

        signed_in: Callable[P, R] = auth_required("session")(guarded)
        return signed_in

    return guard
