"""A customer's store credit: balances and entries."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from portal.api.endpoint import Call, endpoint
from portal.api.refusal import not_found
from portal.api.replies import Reply
from portal.db import session
from portal.models import Customer, Shop
from portal.models.credit import balances, entries_of

CUSTOMER_ID: Final = re.compile(r"cus_[0-9a-z]{26}")


class CreditEntryReply(Reply):
    """Credit given (a lot, until `expires_at`), or used of a lot."""

    id: int
    at: datetime
    kind: str
    amount_minor: int
    currency: str
    lot_id: int | None
    expires_at: datetime | None
    subject: str


class CreditReply(Reply):
    """What can be used: in the shop's currency, and in each."""

    customer: str
    currency: str
    balance_minor: int
    balances: dict[str, int]
    entries: list[CreditEntryReply]


@endpoint("GET", "/customers/{customer_id}/credit", scope="customers", replies={200: CreditReply})
def read_credit(call: Call, customer_id: str) -> tuple[int, CreditReply]:
    """Read a customer's store credit: what can be used, and how it came about."""
    known = session.get(Customer, customer_id) if CUSTOMER_ID.fullmatch(customer_id) else None
    if known is None:
        raise not_found()
    currency = session.get_one(Shop, call.caller.shop_id).currency
    found = balances(known.id, call.now)
    return 200, CreditReply(
        customer=known.id,
        currency=currency,
        balance_minor=found.get(currency, 0),
        balances=found,
        entries=[
            CreditEntryReply(**{name: getattr(e, name) for name in CreditEntryReply.model_fields})
            for e in entries_of(known.id)
        ],
    )
