"""One item beside the list: enough to decide the plain cases without leaving it."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, make_response, render_template, request
from sqlalchemy import func, select

from portal import clock
from portal.db import session
from portal.format import money
from portal.models import Claim, Dispute, Order, Photo, Return, Shipment, Shop, Withdrawal
from portal.models.trouble import CONCERNS
from portal.pages.claim_words import KINDS as CLAIM_KINDS
from portal.pages.claim_words import because as claim_because
from portal.pages.dates import Calendar
from portal.staff.desk import bp
from portal.staff.dispute_list import dispute_facts
from portal.staff.queue_acts import CODES
from portal.staff.return_shown import line_shown, quoted_shown, when
from portal.staff.rights import me, needs


@bp.get("/peek/<subject>")
@needs("read")
def peek(subject: str) -> Response:
    """What is shown beside the list, for a page that is open already."""
    found = peeked(subject) or abort(404)
    text = render_template("staff/_peek.html", peek=found, codes=CODES, can=me().may)
    return make_response(text)


def peeked(subject: str) -> dict[str, Any] | None:
    """What the panel shows of an item; None where there is no such one."""
    read = {
        "ret_": _return,
        "clm_": _claim,
        "wdr_": _withdrawal,
        "shp_": _parcel,
        "dsp_": _dispute,
    }.get(subject[:4])
    found = read(subject) if read else None
    if found is None:
        return None
    return {"subject": subject, "back": f"/staff/queue?{request.query_string.decode()}", **found}


def _calendar(shop_id: int) -> Calendar:
    return Calendar.at(clock.now(), "en", session.get_one(Shop, shop_id).timezone)


def _return(subject: str) -> dict[str, Any] | None:
    rma = Return.read(subject)
    if rma is None:
        return None
    calendar, order = _calendar(rma.shop_id), session.get_one(Order, rma.order_id)
    lines = [line_shown(line, calendar) for line in rma.lines]
    first = rma.lines[0]
    is_exchange = first.resolution == "exchange"
    title = first.title or first.sku
    return {
        "kind": "Exchange" if is_exchange else "Return",
        "title": f"{title} → {first.exchange_sku}" if is_exchange else title,
        "url": f"/staff/returns/{rma.id}",
        **_of(order, rma.number, rma.version),
        "person": _person(order),
        "said": [line.statement for line in rma.lines if line.statement],
        "lines": [
            {
                "what": f"{each['line'].quantity} × {each['line'].title or each['line'].sku}",
                "why": each["reason"],
                "wants": each["resolution"],
                "outcome": each["line"].decision["outcome"],
                "because": each["because"],
                "verdicts": [
                    one for one in each["verdicts"] if one["tone"] and one["said"] != "sets"
                ],
            }
            for each in lines
        ],
        "sums": quoted_shown(rma),
        "photos": Photo.of_return(rma.id),
        "asked": when(rma.requested_at, calendar),
        "status": rma.status,
        "acts": ("approve", "decline") if rma.status == "requested" else (),
        "needs": "decide",
    }


def _claim(subject: str) -> dict[str, Any] | None:
    claim = Claim.read(subject)
    if claim is None:
        return None
    calendar, order = _calendar(claim.shop_id), session.get_one(Order, claim.order_id)
    decision = claim.decision or {}
    paid = [("Paid for these", money(claim.paid_minor, claim.currency, "en"))]
    outcome = decision.get("outcome", "review")
    why = claim_because(claim.decision, calendar)
    return {
        "kind": "Claim",
        "title": CLAIM_KINDS[claim.kind],
        "url": f"/staff/claims/{claim.id}",
        **_of(order, claim.number, claim.version),
        "person": _person(order),
        "said": [text for text in (claim.statement, claim.appeal) if text],
        "lines": [
            {
                "what": ", ".join(unit.title or unit.sku for unit in claim.units),
                "why": "Under cover" if claim.covered else "No cover",
                "wants": claim.wanted.replace("_", " ").capitalize(),
                "outcome": outcome,
                "because": why,
                "verdicts": [],
            }
        ],
        "sums": [("Claimed", paid, paid[0][1])],
        "photos": Photo.of_claim(claim.id),
        "asked": when(claim.asked_at, calendar),
        "status": claim.status.replace("_", " "),
        "acts": ("approve", "decline") if claim.status in ("open", "needs_info") else (),
        "needs": "pay",
    }


def _withdrawal(subject: str) -> dict[str, Any] | None:
    row = session.get(Withdrawal, subject)
    if row is None:
        return None
    return {
        **_nothing(),
        "kind": "Withdrawal",
        "title": row.name,
        "url": f"/staff/withdrawals/{row.id}",
        "order": row.number,
        "order_url": f"/staff/orders/{row.order_id}" if row.order_id else "",
        "number": row.number,
        "person": row.email,
        "said": [text for text in (row.articles, row.problem) if text],
        "asked": when(row.declared_at, _calendar(row.shop_id)),
        "status": row.status,
    }


def _dispute(subject: str) -> dict[str, Any] | None:
    row = session.get(Dispute, subject)
    if row is None:
        return None
    facts = dispute_facts([subject])[subject]
    return {
        **_nothing(),
        "kind": "Dispute",
        "title": facts["why"],
        "url": facts["url"],
        "order": facts["order"],
        "order_url": f"/staff/orders/{row.order_id}",
        "number": row.provider_id,
        "person": facts["who"],
        "said": [facts["title"]] if facts["title"] else [],
        "sums": [("Disputed", [("Disputed", facts["value"])], facts["value"])],
        "asked": when(row.opened_at, _calendar(row.shop_id)),
        "status": facts["says"].lower(),
    }


def _parcel(subject: str) -> dict[str, Any] | None:
    parcel = session.get(Shipment, subject)
    if parcel is None:
        return None
    order, calendar = session.get_one(Order, parcel.order_id), _calendar(parcel.shop_id)
    since = parcel.concern_since or parcel.created_at
    why = parcel.problem_text or CONCERNS.get(parcel.concern, "")
    return {
        **_nothing(),
        "kind": "Parcel",
        "title": f"{parcel.carrier} {parcel.tracking_number}".strip() or "Parcel",
        "url": f"/staff/orders/{order.id}",
        **_of(order, parcel.tracking_number, 0),
        "person": _person(order),
        "said": [text for text in (why, parcel.problem_fix) if text],
        "asked": when(since, calendar),
        "status": parcel.status.replace("_", " "),
        "acts": ("seen",),
        "needs": "decide",
    }


def _nothing() -> dict[str, Any]:
    return {"lines": [], "sums": [], "photos": [], "acts": (), "needs": "read", "version": 0}


def _of(order: Order, number: str, version: int) -> dict[str, Any]:
    return {
        "order": order.number,
        "order_url": f"/staff/orders/{order.id}",
        "number": number,
        "version": version,
    }


def _person(order: Order) -> str:
    """Who asks: the name, and how often they bought and sent back."""
    name = order.address.get("name") or "No name"
    if order.customer_id is None:
        return name
    count = select(func.count())
    mine = count.select_from(Order).where(Order.customer_id == order.customer_id)
    back = count.select_from(Return).where(Return.customer_id == order.customer_id)
    orders, returns = session.scalar(mine) or 0, session.scalar(back) or 0
    said = (
        f"{orders} order{'s' if orders != 1 else ''}, {returns} return{'s' if returns != 1 else ''}"
    )
    return f"{name} · {said}"
