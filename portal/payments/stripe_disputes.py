"""Disputes at Stripe: how they stand, and the evidence that is sent for them, once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import IO, Any, Final

from portal.payments import stripe_facts as facts
from portal.payments.contract import DisputeFacts, DisputeMove, Kind, PaymentError
from portal.payments.stripe_amounts import from_stripe
from portal.payments.stripe_facts import KEY, Misread, Object
from portal.payments.stripe_wire import Wire

PURPOSE: Final = "dispute_evidence"
LARGEST_FILE: Final = 4_500_000  # bytes; Stripe takes five megabytes for all files together
IDS: Final = re.compile(r"(dp|du)_[0-9A-Za-z_]{1,200}")


class Disputes:
    """What is asked of Stripe about disputes. Raises PaymentError and nothing else."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def read(self, id: str) -> DisputeFacts:
        """How a dispute stands now."""
        _check(id)
        return self._wire.ask(lambda v1: v1.disputes.retrieve(id), dispute)

    def of_payment(self, payment: str) -> Iterator[DisputeFacts]:
        """Every dispute of a payment, newest first."""
        target = "payment_intent" if payment.startswith("pi_") else "charge"
        return self._wire.each("disputes", {target: payment}, dispute)

    def upload(self, content: IO[bytes]) -> str:
        """Lay a PDF down for evidence; gives its id. One that is laid down twice harms nobody."""
        wanted = {"purpose": PURPOSE, "file": content}
        return self._wire.change(lambda v1: v1.files.create(wanted), _file)

    def answer(self, id: str, evidence: Mapping[str, str], mark: str, once: str) -> DisputeFacts:
        """Hand evidence to the bank, for ever: it is asked for once under `once`.

        `mark` stays on the dispute, so that it is found again that this was sent. Look with `read`
        before asking anew.
        """
        _check(id)
        wanted = {"evidence": dict(evidence), "metadata": {KEY: mark}, "submit": True}
        options = {"idempotency_key": once}
        return self._wire.change(lambda v1: v1.disputes.update(id, wanted, options), dispute)


def dispute(found: Object) -> DisputeFacts:
    """A dispute with what was moved for it; its payment is the intent, else the charge."""
    facts.is_a(found, "dispute")
    currency = facts.text(found, "currency").upper()
    details = found.get("evidence_details")
    if not isinstance(details, dict):
        raise Misread("no evidence_details")
    moves = found.get("balance_transactions") or []
    if not isinstance(moves, list) or not all(isinstance(each, dict) for each in moves):
        raise Misread("no balance_transactions")
    due = details.get("due_by")
    amount_minor = from_stripe(_count(found, "amount"), currency)
    moved = [_move(each, currency, amount_minor) for each in moves]
    return DisputeFacts(
        id=facts.text(found, "id"),
        payment=facts.id_of(found, "payment_intent") or facts.id_of(found, "charge"),
        status=facts.text(found, "status")[:30],
        reason=facts.text(found, "reason")[:60],
        amount_minor=amount_minor,
        currency=currency,
        is_refundable=found.get("is_charge_refundable") is True,
        opened_at=facts.moment(found.get("created")),
        due_at=facts.moment(due) if due is not None else None,
        submissions=_count(details, "submission_count"),
        key=str((found.get("metadata") or {}).get(KEY, "")),
        moves=tuple(moved),
    )


def _move(found: Mapping[str, Any], currency: str, amount_minor: int) -> DisputeMove:
    """One movement on the shop's balance; of another currency, its sign alone is used."""
    number, fee = _signed(found, "amount"), _signed(found, "fee")
    id, own = facts.text(found, "id"), facts.text(found, "currency").upper() == currency
    sign = (number < 0) - (number > 0)
    if not own:
        return DisputeMove(id, sign * amount_minor, 0, is_own_currency=False)
    moved = DisputeMove(id, sign * from_stripe(abs(number), currency))
    cost = from_stripe(abs(fee), currency)
    return replace(moved, fee_minor=cost if fee >= 0 else -cost)


def _signed(found: Mapping[str, Any], name: str) -> int:
    value = found.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Misread(f"{name} is no whole number")
    return value


def _count(found: Mapping[str, Any], name: str) -> int:
    value = _signed(found, name)
    if value < 0:
        raise Misread(f"{name} is negative")
    return value


def _file(found: Object) -> str:
    facts.is_a(found, "file")
    return facts.text(found, "id")


def _check(id: str) -> None:
    if not IDS.fullmatch(id):
        sentence = "This is not the reference of a Stripe dispute; nothing was sent."
        raise PaymentError(Kind.NOT_FOUND, sentence, code="resource_missing")
