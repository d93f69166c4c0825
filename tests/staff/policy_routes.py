"""Who may use the routes of the policy's editor and of the settings. Each shop has its own."""

from __future__ import annotations

from portal.models.staff import ROLES

ALL = frozenset(ROLES)
SETS = frozenset({"owner", "manager"})
ONE = "/staff/policy/<int:version>"
POLICY = {
    "GET /staff/policy": ALL,
    "POST /staff/policy/drafts": SETS,
    f"GET {ONE}": ALL,
    **{f"GET {ONE}/{look}": ALL for look in ("bench", "replay", "preview", "wizard", "changes")},
    f"POST {ONE}/removal": SETS,
    f"GET {ONE}/head": SETS,
    f"POST {ONE}/head": SETS,
    f"GET {ONE}/new": SETS,
    f"GET {ONE}/new/<kind>": SETS,
    f"POST {ONE}/new/<kind>": SETS,
    f"GET {ONE}/rules/<rule_id>": SETS,
    f"POST {ONE}/rules/<rule_id>": SETS,
    f"POST {ONE}/rules/<rule_id>/place": SETS,
    f"POST {ONE}/rules/<rule_id>/removal": SETS,
    f"GET {ONE}/publication": SETS,
    f"POST {ONE}/publication": SETS,
    f"POST {ONE}/restoration": SETS,
    f"POST {ONE}/withdrawal": SETS,
    "GET /staff/settings": ALL,
    "GET /staff/settings/<name>": SETS,
    "POST /staff/settings/<name>": SETS,
}


def path_to(path: str) -> str:
    """A path with something in it that every shop has."""
    there = {"<int:version>": "1", "<rule_id>": "window", "<kind>": "review", "<name>": "claims"}
    for name, value in there.items():
        path = path.replace(name, value)
    return path
