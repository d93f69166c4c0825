"""The plan that protection is sold under, and what it would have to cost."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from flask import g
from pydantic import BaseModel, Field

from portal.api.endpoint import Call, endpoint
from portal.api.refusal import not_found
from portal.api.replies import Reply
from portal.models import PlanVersion
from portal.models.losses import losses_by_lane
from portal.models.protection import live_plan
from portal.protection.plan import Plan
from portal.protection.suggest import TARGET_POINTS, suggest


class PlanReply(Reply):
    """The plan in force."""

    version: int
    hash: str
    since: datetime
    document: dict[str, Any]


@endpoint("GET", "/protection/plan", scope="protection", replies={200: PlanReply})
def read_plan(call: Call) -> tuple[int, PlanReply]:
    """Read the plan that cover is sold under."""
    found = live_plan(call.now)
    if found is None:
        raise not_found()
    return 200, _plan_reply(found)


@endpoint("PUT", "/protection/plan", scope="protection", body=Plan, replies={200: PlanReply})
def put_plan(call: Call) -> tuple[int, PlanReply]:
    """Put a plan in force, as the next version. Quotes made before stay as they were made."""
    made = PlanVersion.publish(call.body.to_json(), call.caller.who, call.now)
    return 200, _plan_reply(made)


def _plan_reply(found: PlanVersion) -> PlanReply:
    return PlanReply(
        version=found.version, hash=found.hash, since=found.since, document=found.document
    )


class SuggestionQuery(BaseModel, extra="forbid"):
    """Which share of the premiums is to be paid out, in basis points."""

    target: Annotated[int, Field(ge=1, le=10_000)] = TARGET_POINTS


class SuggestionReply(Reply):
    """A fair price for one lane: `basis_points` of the value, and how that came about."""

    lane: str
    parcels: int
    value_minor: int
    lost_minor: int
    loss_points: int
    target_points: int
    basis_points: int
    is_capped: bool
    is_thin: bool = Field(description="Fewer than 200 parcels: rather a guess.")
    arithmetic: list[str]


class SuggestionPage(Reply):
    """All lanes together first, then each, those with most parcels first."""

    currency: str
    suggestions: list[SuggestionReply]


@endpoint(
    "GET",
    "/protection/suggestion",
    scope="protection",
    query=SuggestionQuery,
    replies={200: SuggestionPage},
)
def suggest_price(call: Call) -> tuple[int, SuggestionPage]:
    """Suggest a price from the shop's own losses of the last year, with its arithmetic."""
    currency = g.shop.currency
    found = [suggest(each, call.query.target) for each in losses_by_lane(currency, call.now)]
    told = [SuggestionReply(**asdict(each)) for each in found]
    return 200, SuggestionPage(currency=currency, suggestions=told)
