"""What staff see: sign in, the list of what waits, and one page for each decision."""

from flask import Flask

from portal.staff import (
    audit,
    claims,
    disputes,
    evidence,
    insurer,
    invitation,
    orders,
    peek,
    people,
    policy,
    policy_head,
    policy_look,
    policy_publish,
    policy_replay,
    policy_rule,
    policy_trial,
    protection,
    protection_rows,
    queue,
    queue_acts,
    queue_habits,
    receiving,
    recovery,
    returns,
    settings,
    signin,
    stuck,
    withdrawals,
)
from portal.staff.desk import bp

__all__ = [
    "audit",
    "bp",
    "claims",
    "disputes",
    "evidence",
    "init_staff",
    "insurer",
    "invitation",
    "orders",
    "peek",
    "people",
    "policy",
    "policy_head",
    "policy_look",
    "policy_publish",
    "policy_replay",
    "policy_rule",
    "policy_trial",
    "protection",
    "protection_rows",
    "queue",
    "queue_acts",
    "queue_habits",
    "receiving",
    "recovery",
    "returns",
    "settings",
    "stuck",
    "withdrawals",
]


def init_staff(app: Flask) -> None:
    """Add the console and its sign-in. After `init_security`."""
    signin.init_signin(app)
    app.register_blueprint(bp)
