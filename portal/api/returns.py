"""Returns: quote, ask, read, decide, receive, settle, call off."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from portal.api.endpoint import Call, endpoint
from portal.api.orders import ORDER_ID
from portal.api.refusal import not_found
from portal.api.return_bodies import (
    ApprovalBody,
    CancellationBody,
    QuoteBody,
    ReceiptBody,
    RejectionBody,
    ResolutionBody,
    ReturnBody,
)
from portal.api.return_replies import QuoteReply, ReturnReply, quote_reply, return_reply
from portal.db import session
from portal.models import Order, Return
from portal.models.rma_acts import approve, cancel, decline
from portal.models.rma_receipt import receive
from portal.models.rma_request import (
    everything,
    order_for_return,
    order_to_change,
    request_return,
    weigh,
)
from portal.models.rma_rows import Act
from portal.models.rma_settle import resolve

RETURN_ID: Final = re.compile(r"ret_[0-9a-z]{26}")
CHANNEL: Final = "api"


@endpoint(
    "POST",
    "/orders/{order_id}/returns/quote",
    scope="returns",
    body=QuoteBody,
    replies={200: QuoteReply},
    computes=True,
)
def quote_return(call: Call, order_id: str) -> tuple[int, QuoteReply]:
    """Say what the rules allow, why, and what each resolution would pay. Stores nothing.

    Amounts are given for what is not eligible or not delivered, too.
    """
    order = _there(order_id, lambda: order_for_return(order_id))
    method = call.body.method
    asked = [line.asked(method) for line in call.body.lines] or everything(order)
    weighed = weigh(order, asked, CHANNEL, call.now, strict=False)
    return 200, quote_reply(order, weighed, method)


@endpoint(
    "POST",
    "/orders/{order_id}/returns",
    scope="returns",
    body=ReturnBody,
    replies={201: ReturnReply},
)
def post_return(call: Call, order_id: str) -> tuple[int, ReturnReply]:
    """Ask for a return: approved, left to staff, or declined by the shop's rules, line by line.

    The rules run again over facts that are frozen with the decision.
    """
    order = _there(order_id, lambda: order_to_change(order_id, call.now))
    method = call.body.method
    asked = [line.asked(method) for line in call.body.lines]
    rma = request_return(order, asked, CHANNEL, call.caller.who, call.now, method or "")
    return 201, _reply(rma, call)


@endpoint("GET", "/returns/{return_id}", scope="returns", replies={200: ReturnReply})
def read_return(call: Call, return_id: str) -> tuple[int, ReturnReply]:
    """Read a return with its decisions, its units and its money."""
    rma = Return.read(return_id) if RETURN_ID.fullmatch(return_id) else None
    if rma is None:
        raise not_found()
    return 200, return_reply(rma, call.caller.origin)


@endpoint(
    "POST",
    "/returns/{return_id}/approval",
    scope="returns:decide",
    body=ApprovalBody,
    replies={200: ReturnReply},
)
def approve_return(call: Call, return_id: str) -> tuple[int, ReturnReply]:
    """Approve what waits for a decision; what was declined needs an override_reason."""
    rma = _locked(return_id)
    approve(rma, call.caller.who, call.now, call.body.note, call.body.override_reason)
    return 200, _reply(rma, call)


@endpoint(
    "POST",
    "/returns/{return_id}/rejection",
    scope="returns:decide",
    body=RejectionBody,
    replies={200: ReturnReply},
)
def reject_return(call: Call, return_id: str) -> tuple[int, ReturnReply]:
    """Say no to what waits for a decision; its units are free again."""
    rma = _locked(return_id)
    decline(rma, call.caller.who, call.now, call.body.code, call.body.note)
    return 200, _reply(rma, call)


@endpoint(
    "POST",
    "/returns/{return_id}/receipt",
    scope="returns:decide",
    body=ReceiptBody,
    replies={200: ReturnReply},
)
def receive_return(call: Call, return_id: str) -> tuple[int, ReturnReply]:
    """Say what was in the parcel: how many of what, in which condition, accepted or not.

    Of an article that is counted, the rest is missing; what turns up later is counted again.
    """
    rma = _locked(return_id)
    receive(rma, [line.count for line in call.body.lines], call.caller.who, call.now)
    return 200, _reply(rma, call)


@endpoint(
    "POST",
    "/returns/{return_id}/resolution",
    scope="returns:decide",
    body=ResolutionBody,
    replies={200: ReturnReply, 202: ReturnReply},
    needs_key=True,
)
def settle_return(call: Call, return_id: str) -> tuple[int, ReturnReply]:
    """Settle what was accepted: as it was asked, or as the lines say.

    202: something is still to be done, such as a refund with the payment provider. What failed
    before is tried again.
    """
    rma = _locked(return_id)
    act = Act(call.caller.who, call.now, call.body.reason)
    resolve(rma, [line.choice for line in call.body.lines] or None, act)
    reply = _reply(rma, call)
    return (200 if reply.settlement.status in (None, "done") else 202), reply


@endpoint(
    "POST",
    "/returns/{return_id}/cancellation",
    scope="returns",
    body=CancellationBody,
    replies={200: ReturnReply},
)
def cancel_return(call: Call, return_id: str) -> tuple[int, ReturnReply]:
    """Call a return off, until its parcel is scanned for the first time."""
    rma = _locked(return_id)
    cancel(rma, call.caller.who, call.now, call.body.reason)
    return 200, _reply(rma, call)


def _there(order_id: str, read: Callable[[], Order | None]) -> Order:
    order = read() if ORDER_ID.fullmatch(order_id) else None
    if order is None:
        raise not_found()
    return order


def _locked(return_id: str) -> Return:
    rma = Return.locked(return_id) if RETURN_ID.fullmatch(return_id) else None
    if rma is None:
        raise not_found()
    return rma


def _reply(rma: Return, call: Call) -> ReturnReply:
    session.flush()
    return return_reply(rma, call.caller.origin)
