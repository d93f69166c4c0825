"""Decisions over posted facts, by a posted policy or the live one."""

from __future__ import annotations

from typing import Any

from portal.api.endpoint import Call, endpoint
from portal.api.return_replies import DecisionReply, decision_reply
from portal.models.policy import current_policy, read_policy
from portal.sources.document import Moment, Posted
from portal.sources.sentences import Invalid
from returns.policy import DocumentError, decide
from returns.recalled import recall


class DecisionBody(Posted):
    """Facts, at a moment (else now), by `policy` (else the live one).

    Those that a receipt derives may be given instead of what they follow from: `ordered_on` for
    `ordered_at`. A receipt's own facts give its decision again.
    """

    facts: dict[str, Any]
    policy: dict[str, Any] | None = None
    at: Moment | None = None


@endpoint(
    "POST",
    "/policy/decisions",
    scope="policy",
    body=DecisionBody,
    replies={200: DecisionReply},
    computes=True,
)
def decide_posted(call: Call) -> tuple[int, DecisionReply]:
    """Decide over posted facts. Stores nothing; the same input gives the same decision."""
    sent = call.body.policy
    policy = read_policy(sent) if sent is not None else current_policy(call.now)
    try:
        facts, at = recall(call.body.facts, call.body.at, call.now, policy.zone)
    except DocumentError as error:
        raise Invalid([{"field": p.field, "message": p.message} for p in error.problems]) from error
    return 200, decision_reply(decide(policy, facts, at))
