"""Claims: something went wrong on the way. Made, read, decided."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from portal.api.endpoint import Call, endpoint
from portal.api.orders import ORDER_ID
from portal.api.refusal import not_found
from portal.api.replies import Reply
from portal.api.return_bodies import ApprovalBody, Note, RejectionBody
from portal.api.return_replies import VerdictReply
from portal.db import session
from portal.keys import Unsealable
from portal.models.claim import Claim
from portal.models.claim_acts import approve, decline
from portal.models.claim_request import AskedClaim, request_claim
from portal.models.rma_request import order_for_return
from portal.models.settlement import settlements_of, status_of
from portal.sources.document import MOST_LINES, Empty, Money, Plain, Posted, Quantity, Sku

CLAIM_ID: Final = re.compile(r"clm_[0-9a-z]{26}")
Kind = Literal["lost", "not_received", "damaged", "missing_item", "wrong_item"]
Wanted = Literal["reship", "refund", "store_credit"]


class ClaimedLine(Posted):
    """How many of one article."""

    sku: Sku
    quantity: Quantity


class ClaimBody(Posted):
    """What happened to which parcel. Without lines, to everything in it.

    `shipment` is a parcel's id; it may be left out where the order has one parcel only.
    """

    kind: Kind
    shipment: Annotated[str, Field(max_length=40), Plain, Empty] = ""
    lines: list[ClaimedLine] = Field(default_factory=list, max_length=MOST_LINES)
    statement: Note = ""
    wanted: Wanted = "refund"
    police_report: Annotated[str, Field(max_length=120), Plain, Empty] = ""

    @property
    def asked(self) -> AskedClaim:
        """As the models take it."""
        lines: dict[str, int] = {}
        for line in self.lines:
            lines[line.sku] = lines.get(line.sku, 0) + line.quantity
        return AskedClaim(
            kind=self.kind,
            shipment_id=self.shipment,
            lines=lines,
            wanted=self.wanted,
            statement=self.statement,
            police_report=self.police_report,
        )


class ClaimApprovalBody(ApprovalBody):
    """Accept it. `amount_minor`: pay less than was paid for the units."""

    amount_minor: Money | None = None


class ClaimDecisionReply(Reply):
    """The receipt of a decision: what decided, over which facts, and what would change it."""

    outcome: str
    policy_version: int
    policy_hash: str
    rule: str
    because: str
    values: dict[str, Any]
    facts: dict[str, Any]
    verdicts: list[VerdictReply]
    would_change: list[dict[str, Any]]


class ClaimReply(Reply):
    """A claim and what came of it. `decision` is null until it is open."""

    id: str
    number: str
    order_id: str
    shipment_id: str
    kind: str
    wanted: str
    status: str
    covered: bool
    opens_on: date
    last_day: date
    asked_at: datetime
    lines: list[ClaimedLine]
    decision: ClaimDecisionReply | None
    currency: str
    payout_minor: int
    settlement: str | None
    url: str


@endpoint(
    "POST",
    "/orders/{order_id}/claims",
    scope="claims",
    body=ClaimBody,
    replies={201: ClaimReply},
)
def post_claim(call: Call, order_id: str) -> tuple[int, ClaimReply]:
    """Claim something. Before its first day it waits, and opens by itself on `opens_on`.

    What is claimed is held: it is in no other claim or return meanwhile.
    """
    order = order_for_return(order_id, lock=True) if ORDER_ID.fullmatch(order_id) else None
    if order is None:
        raise not_found()
    claim = request_claim(order, call.body.asked, "api", call.caller.who, call.now)
    return 201, _reply(claim, call)


@endpoint("GET", "/claims/{claim_id}", scope="claims", replies={200: ClaimReply})
def read_claim(call: Call, claim_id: str) -> tuple[int, ClaimReply]:
    """Read a claim with its decision."""
    claim = Claim.read(claim_id) if CLAIM_ID.fullmatch(claim_id) else None
    if claim is None:
        raise not_found()
    return 200, _reply(claim, call)


@endpoint(
    "POST",
    "/claims/{claim_id}/approval",
    scope="claims:decide",
    body=ClaimApprovalBody,
    replies={200: ClaimReply},
    needs_key=True,
)
def approve_claim(call: Call, claim_id: str) -> tuple[int, ClaimReply]:
    """Accept and pay it, as it is wanted; what was declined needs an override_reason."""
    claim, body = _locked(claim_id), call.body
    approve(claim, call.caller.who, call.now, body.note, body.override_reason, body.amount_minor)
    return 200, _reply(claim, call)


@endpoint(
    "POST",
    "/claims/{claim_id}/rejection",
    scope="claims:decide",
    body=RejectionBody,
    replies={200: ClaimReply},
)
def reject_claim(call: Call, claim_id: str) -> tuple[int, ClaimReply]:
    """Say no to it; its units are free again, and the customer may appeal."""
    claim = _locked(claim_id)
    decline(claim, call.caller.who, call.now, call.body.code, call.body.note)
    return 200, _reply(claim, call)


def _locked(claim_id: str) -> Claim:
    claim = Claim.locked(claim_id) if CLAIM_ID.fullmatch(claim_id) else None
    if claim is None:
        raise not_found()
    return claim


def _reply(claim: Claim, call: Call) -> ClaimReply:
    session.flush()
    return claim_reply(claim, call.caller.origin)


def claim_reply(claim: Claim, origin: str) -> ClaimReply:
    """A claim with its decision and what becomes of its money."""
    counts: dict[str, int] = {}
    for unit in claim.units:
        counts[unit.sku] = counts.get(unit.sku, 0) + 1
    same = set(ClaimReply.model_fields) - {"lines", "decision", "settlement", "url"}
    return ClaimReply(
        **{name: getattr(claim, name) for name in same},
        lines=[ClaimedLine(sku=sku, quantity=count) for sku, count in counts.items()],
        decision=ClaimDecisionReply(**claim.decision) if claim.decision else None,
        settlement=status_of(settlements_of(claim.id)),
        url=_url(claim, origin),
    )


def _url(claim: Claim, origin: str) -> str:
    try:
        return f"{origin}/c/{claim.token}"
    except Unsealable:
        return ""
