"""What an owner does about the people who work here: role, leave, come back, sign out."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from portal.db import session
from portal.models.audit import record
from portal.models.change import Conflict
from portal.models.staff import ROLES, Staff

MOST = 500  # people of a shop on one page


def people() -> Sequence[Staff]:
    """Everybody who works or worked here, those who do first."""
    wanted = select(Staff).order_by(Staff.active.desc(), Staff.email).limit(MOST)
    return session.scalars(wanted).all()


def standing(person: Staff, now: datetime) -> str:
    """Where somebody is: here, invited, lapsed (the invitation ran out) or gone."""
    if not person.active:
        return "gone"
    if person.password:
        return "here"
    ends = person.invitation_ends_at
    return "invited" if ends is not None and ends > now else "lapsed"


def give_role(person: Staff, role: str, by: Staff) -> None:
    """Let somebody work in another role. Raises Conflict for oneself and for the last owner."""
    if role not in ROLES:
        raise Conflict(f"There is no role {role[:20]!r}. There are: {', '.join(ROLES)}.")
    _of_another(person, by, "your own role")
    if person.role == "owner" and role != "owner":
        _not_the_last(person)
    before, person.role = person.role, role
    told = {"role": before}, {"role": role}
    record(by.who, "staff.role", f"staff:{person.id}", *told)


def let_go(person: Staff, by: Staff) -> None:
    """Somebody works here no more: every browser of theirs is out. Their name stays on their acts.

    Raises Conflict for oneself and for the last owner.
    """
    _of_another(person, by, "yourself out")
    if person.role == "owner":
        _not_the_last(person)
    person.active = False
    person.invitation_digest = person.invitation_ends_at = None
    _out(person)
    record(by.who, "staff.let_go", f"staff:{person.id}")


def take_back(person: Staff, by: Staff) -> None:
    """Somebody works here again, with the role and password they had."""
    person.active = True
    record(by.who, "staff.taken_back", f"staff:{person.id}")


def sign_out(person: Staff, by: Staff) -> None:
    """End every session of somebody, such as after a phone was lost."""
    _out(person)
    record(by.who, "staff.signed_out", f"staff:{person.id}")


def _out(person: Staff) -> None:
    person.fs_uniquifier = secrets.token_hex(32)


def _of_another(person: Staff, by: Staff, what: str) -> None:
    if person.id == by.id:
        raise Conflict(f"Another owner has to change {what}. Nothing was changed.")


def _not_the_last(person: Staff) -> None:
    # Locked, so that of two owners who let each other go at the same moment one stays.
    owners = select(Staff.id).where(
        Staff.role == "owner", Staff.active, Staff.password.is_not(None)
    )
    if set(session.scalars(owners.with_for_update())) <= {person.id}:
        raise Conflict("A shop needs an owner who can sign in. Make somebody else one first.")
