"""Every way a call to Stripe can fail, as one PaymentError."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import requests
import stripe
import urllib3

from portal.payments.contract import Kind, PaymentError
from portal.payments.stripe_amounts import Uncountable
from portal.payments.stripe_facts import Misread

LONGEST_WAIT_S: Final = 3600.0
ALREADY: Final = frozenset({"charge_already_refunded"})
UNREADABLE: Final = "Stripe sent an answer that cannot be read."
LATER: Final = "Nothing was changed; ask again later."
LOOK: Final = "It may have been done all the same: look it up before asking again."
SENTENCES: Final = {
    "charge_already_refunded": "All of this payment was sent back before.",
    "charge_disputed": "The customer's bank has taken this payment back in a dispute.",
    "amount_too_large": "That is more than is left of this payment.",
    "authentication_required": "The customer's bank wants its card holder to confirm this charge.",
    "card_declined": "The customer's bank declined the card.",
    "expired_card": "The customer's card has expired.",
    "insufficient_funds": "The customer's card does not cover this amount.",
    "idempotency_key_in_use": "The same request is under way at Stripe.",
}


def failure_of(error: Exception, *, changes: bool, secret: str) -> PaymentError:
    """What `error` means. `changes`: the call would have moved or made something."""
    if isinstance(error, PaymentError):
        return error
    if isinstance(error, stripe.APIConnectionError):
        return _on_the_way(error, changes)
    if isinstance(error, Misread | Uncountable):
        return _unclear(f"Stripe sent an answer we cannot use: {error}.", changes)
    if not isinstance(error, stripe.StripeError):
        return _unclear(UNREADABLE, changes, code=type(error).__name__)
    if error.http_status is None or not _told(error):
        return _unclear(UNREADABLE, changes, is_over=_is_replayed(error))
    if error.http_status >= 500:
        return _unclear("Stripe failed on its own side.", changes, is_over=_is_replayed(error))
    return _said_no(error, error.http_status, secret)


def _told(error: stripe.StripeError) -> dict[str, Any]:
    """The error as Stripe wrote it; nothing for a proxy's page, a list or a bare word."""
    body: Any = error.json_body
    told = body.get("error") if isinstance(body, dict) else None
    return told if isinstance(told, dict) else {}


def _on_the_way(error: Exception, changes: bool) -> PaymentError:
    causes = list(_causes(error))
    if any(isinstance(cause, urllib3.exceptions.NewConnectionError) for cause in causes) or any(
        isinstance(cause, (requests.exceptions.ConnectTimeout, requests.exceptions.SSLError))
        for cause in causes
    ):
        return PaymentError(Kind.BUSY, f"Stripe could not be reached. {LATER}")
    return _unclear("The answer of Stripe did not arrive.", changes)


def _unclear(what: str, changes: bool, **more: Any) -> PaymentError:
    if changes:
        return PaymentError(Kind.OUTCOME_UNKNOWN, f"{what} {LOOK}", **more)
    return PaymentError(Kind.BUSY, f"{what} {LATER}", **more)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """What was raised on the way, down to where it began."""
    waiting: list[Any] = [error]
    for found in waiting:
        if isinstance(found, BaseException) and len(waiting) < 50:
            yield found
            inner = (found.__cause__, found.__context__, getattr(found, "reason", None))
            waiting += [each for each in (*inner, *found.args) if each not in waiting]


def _said_no(error: stripe.StripeError, status: int, secret: str) -> PaymentError:
    code = _code(error)
    kind = _kind(error, status, code)
    if kind is Kind.KEY_BROKEN:
        sentence = "Stripe does not take our key, or the key may not do this. Check it."
        return PaymentError(kind, sentence, code=code)
    if kind is Kind.BUSY:
        told = SENTENCES.get(code, "Stripe has too much to do.")
        return PaymentError(kind, f"{told} {LATER}", code=code, retry_after=_wait(error))
    sentence = SENTENCES.get(code) or f"Stripe said no: {_plain(error, secret)}"
    return PaymentError(kind, sentence, code=code)


def _kind(error: stripe.StripeError, status: int, code: str) -> Kind:
    if status in (401, 403):
        return Kind.KEY_BROKEN
    if status in (409, 429) or isinstance(error, stripe.RateLimitError):
        return Kind.BUSY
    if status == 402:
        return Kind.DECLINED
    if code == "resource_missing" or status == 404:
        return Kind.NOT_FOUND
    return Kind.ALREADY_REFUNDED if code in ALREADY else Kind.REFUSED


def _code(error: stripe.StripeError) -> str:
    """The bank's own word where it says more than that the card was declined."""
    told = _told(error)
    words = [told.get("code"), told.get("decline_code")]
    if words[0] == "card_declined" and words[1] in SENTENCES:
        words.reverse()
    first = next((word for word in (*words, told.get("type")) if isinstance(word, str)), "")
    return first[:60] if re.fullmatch(r"[a-z0-9_]+", first) else ""


def _plain(error: stripe.StripeError, secret: str) -> str:
    told = _told(error).get("message") or "without a reason."
    text = " ".join(str(told).split()).replace(secret, "(key)")
    return re.sub(r"[^\x20-\uffff]|\b[sr]k_\w+", "", text)[:300]


def _is_replayed(error: stripe.StripeError) -> bool:
    """Whether this is the kept answer of an attempt that has ended."""
    headers = error.headers or {}
    return str(headers.get("Idempotent-Replayed", "")).lower() == "true"


def _wait(error: stripe.StripeError) -> float | None:
    told = str((error.headers or {}).get("Retry-After", ""))
    return min(float(told), LONGEST_WAIT_S) if re.fullmatch(r"\d{1,6}(\.\d+)?", told) else None
