"""Asking a customer about their return: a message to them, and a line in its history."""

from __future__ import annotations

from datetime import datetime

from portal.db import new_id
from portal.models.audit import record
from portal.models.change import Conflict
from portal.models.outbox import plan_question
from portal.models.rma import Return
from portal.sources.sentences import wrong

LONGEST = 1000


def ask(rma: Return, text: str, by: str, now: datetime) -> None:
    """Mail the customer a question; its answer goes to the shop's address.

    Raises Invalid for no question, Conflict where nobody could be asked.
    """
    text = text.strip()
    if not text or len(text) > LONGEST:
        raise wrong("text", f"Write what you would like to know, in at most {LONGEST} characters.")
    if not rma.order.email:
        raise Conflict("The order has no e-mail address, so nobody can be asked.")
    facts = {"number": rma.order.number, "return_number": rma.number, "question": text}
    plan_question(rma.order, f"{rma.id}:question:{new_id('qst', now)}", facts, now)
    record(by, "return.asked_customer", f"return:{rma.id}", why=text)
    rma.touch(now)
