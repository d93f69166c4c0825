"""A return that is being filled in: answers kept with the browser, so that Back loses nothing."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from portal.models.rma_facts import Asked
from portal.pages.entry import browser

LONGEST: Final = 300  # characters of what happened, in the customer's own words


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said about one article so far; "" for what was not asked yet."""

    quantity: int
    reason: str = ""  # a reason's or a detail's code
    statement: str = ""
    resolution: str = ""
    exchange_sku: str = ""
    fallback: str = ""
    photos: Sequence[str] = ()  # their ids

    def asked(self, sku: str, method: str = "") -> Asked:
        """The question to the rules. Raises ValueError for a code that is none."""
        return Asked.of(
            sku,
            self.quantity,
            self.reason,
            resolution=self.resolution or None,
            exchange_sku=self.exchange_sku,
            fallback=self.fallback,
            statement=self.statement,
            method=method or None,
            photo=bool(self.photos),
        )


@dataclass(frozen=True, slots=True)
class Draft:
    """One request for an order. `key` is its own for ever: it is sent once under it."""

    order_id: str
    key: str
    answers: Mapping[str, Answer] = field(default_factory=dict)  # by sku
    method: str = ""

    @classmethod
    def of(cls, order_id: str) -> Draft:
        """The browser's draft for this order, or a new one."""
        kept = browser().get(_name(order_id))
        if not isinstance(kept, dict):
            return cls(order_id, secrets.token_urlsafe(12))
        answers = {sku: Answer(**said) for sku, said in kept["answers"].items()}
        return cls(order_id, kept["key"], answers, kept["method"])

    def keep(self) -> None:
        """Remember it with the browser."""
        answers = {sku: asdict(answer) for sku, answer in self.answers.items()}
        browser()[_name(self.order_id)] = {
            "key": self.key,
            "answers": answers,
            "method": self.method,
        }

    def drop(self) -> None:
        """Forget it: it was sent."""
        browser().pop(_name(self.order_id), None)

    def choosing(self, quantities: Mapping[str, int]) -> Draft:
        """The same for these articles; what was said about those that stay is kept."""
        answers = {
            sku: replace(self.answers.get(sku, Answer(0)), quantity=quantity)
            for sku, quantity in quantities.items()
            if quantity > 0
        }
        return replace(self, answers=answers)

    def saying(self, sku: str, **said: Any) -> Draft:
        """The same with more said about one article."""
        return replace(self, answers={**self.answers, sku: replace(self.answers[sku], **said)})

    @property
    def asked(self) -> list[Asked]:
        """The questions to the rules, as far as it is filled in."""
        return [answer.asked(sku, self.method) for sku, answer in self.answers.items()]


def _name(order_id: str) -> str:
    return f"return:{order_id}"
