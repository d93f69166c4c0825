"""Changing a draft: under a lock, against what was shown, and told to whoever comes second."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from flask import abort, request
from sqlalchemy import select

from portal import clock
from portal.db import session, writing
from portal.models import AuditEntry
from portal.models.change import Conflict
from portal.models.policy import PolicyVersion
from portal.staff.rights import me
from returns.policy import Outcome, Policy
from returns.rules import KINDS

Rules = list[dict[str, Any]]
Change = Callable[[Rules], Rules]
MOST_LOOKED_BACK: Final = 100
# A request meets what declines first, then what asks a person, then what approves.
STANDS_BEFORE: Final = {
    Outcome.DECLINE: ("review", "risk_review", "evidence", "approve"),
    Outcome.REVIEW: ("approve",),
    Outcome.APPROVE: ("approve",),
}


class Changed(Conflict):
    """Somebody else changed the draft after it was shown. Nothing was changed by us."""


def found(version: int) -> PolicyVersion:
    """A version of the shop's policy; 404 where there is none."""
    wanted = select(PolicyVersion).where(PolicyVersion.version == version)
    return session.scalar(wanted) or abort(404)


def change_rules(version: int, change: Change) -> None:
    """Give a draft other rules, if it is still as the form showed it.

    Raises Changed, Conflict for what was published, and Invalid.
    """
    change_document(version, lambda now: {**now, "rules": change(list(now["rules"]))})


def change_document(version: int, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Give a draft another document, if it is still as the form showed it."""
    with writing():
        draft = PolicyVersion.locked(version) or abort(404)
        as_shown(draft)
        draft.revise(change(dict(draft.document)), me().who, clock.now())


def as_shown(draft: PolicyVersion) -> None:
    """Raises Changed where the draft is not what the form was made of any more."""
    seen = request.form.get("seen", "")
    if seen == draft.hash:
        return
    by, what = _since(draft, seen)
    raise Changed(
        f"{by} changed this draft while you had it open{what}. Nothing of yours was saved yet, and "
        "nothing is lost: look at it as it is now, then save again."
    )


def _since(draft: PolicyVersion, seen: str) -> tuple[str, str]:
    """Who changed it after `seen`, and what, from the audit."""
    wanted = select(AuditEntry).where(
        AuditEntry.subject == f"policy:{draft.version}", AuditEntry.act == "policy.revised"
    )
    names: dict[str, None] = {}
    changes: dict[str, None] = {}
    for entry in session.scalars(wanted.order_by(AuditEntry.id.desc()).limit(MOST_LOOKED_BACK)):
        names[entry.who.partition(" ")[2] or entry.who] = None
        changes |= dict.fromkeys(entry.after.get("changes", []))
        if entry.before.get("hash") == seen:
            break
    told = ", ".join(list(changes)[:5])
    return " and ".join(names) or "Somebody", f" ({told})" if told else ""


def moved(rules: Rules, rule_id: str, step: int) -> Rules:
    """The rules with one of them a place higher (-1) or lower (1)."""
    place = place_of(rules, rule_id)
    other = place + step
    if 0 <= other < len(rules):
        rules[place], rules[other] = rules[other], rules[place]
    return rules


def without(rules: Rules, rule_id: str) -> Rules:
    """The rules without one of them."""
    del rules[place_of(rules, rule_id)]
    return rules


def place_of(rules: Rules, rule_id: str) -> int:
    """Where a rule stands, from 0. Raises Conflict where it is not there any more."""
    for place, rule in enumerate(rules):
        if rule["id"] == rule_id:
            return place
    raise Conflict("This rule is not there any more: somebody removed it.")


def new_id(rules: Rules, kind: str) -> str:
    """An id for a new rule of this kind: label, label-2 …"""
    taken = {rule["id"] for rule in rules}
    base = kind.replace("_", "-")
    names = [base, *(f"{base}-{n}" for n in range(2, len(rules) + 3))]
    return next(name for name in names if name not in taken)


def usual_place(policy: Policy, kind: str) -> int:
    """Where a new rule of a kind can speak, from 0: what comes too late is never asked."""
    outcomes = KINDS[kind].outcomes
    last = next(
        (place for place, entry in enumerate(policy.rules) if entry.rule.kind == "approve"),
        len(policy.rules),
    )
    stops = STANDS_BEFORE[outcomes[0]] if outcomes else (kind,)
    places = (p for p, entry in enumerate(policy.rules) if entry.rule.kind in stops)
    return min(next(places, last), last)
