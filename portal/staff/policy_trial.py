"""The test bench: an order, what comes back of it, and what a draft and the rules in force say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask import Response, g, make_response, render_template, request
from sqlalchemy import select

from portal import clock
from portal.db import session
from portal.format import money
from portal.models import Order
from portal.models.order import number_key
from portal.models.policy import PolicyVersion, live_version
from portal.models.rma_facts import Asked
from portal.models.rma_request import Weighed, order_for_return, quoted, weigh
from portal.pages.dates import Calendar
from portal.pages.policy_words import DETAILS, METHODS, REASONS, RESOLUTIONS, because
from portal.sources.sentences import Invalid
from portal.staff.desk import bp
from portal.staff.policy_edit import found
from portal.staff.policy_sentences import desk_reader, sentence
from portal.staff.return_shown import AMOUNTS
from portal.staff.rights import needs
from returns.money import Amounts
from returns.policy import receipt

OUTCOMES: Final = {
    "approve": ("Approved", "ok"),
    "review": ("A person decides", "warn"),
    "decline": ("Declined", "bad"),
}
SIGNS: Final = {
    "approve": ("✓", "ok"),
    "sets": ("✓", "ok"),
    "review": ("→", "warn"),
    "decline": ("✕", "bad"),
}
SAID: Final = {
    "not_met": "Its conditions do not hold here.",
    "unknown": "Something that it asks about is not known, so it says nothing.",
    "passes": "It has nothing against it.",
    "sets": "It counts here.",
    "overruled": "An earlier rule has said it already.",
}
EVERY_REASON: Final = {
    **{code: str(words) for code, words in REASONS.items()},
    **{code: str(words) for code, words in DETAILS.items()},
}


@dataclass
class Trial:
    """What is tried: an order, its articles as they would be asked for, and the day."""

    number: str
    order: Order | None = None
    asked: list[Asked] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)
    at: datetime = field(default_factory=clock.now)


@bp.get("/policy/<int:version>/bench")
@needs("read")
def policy_bench(version: int) -> Response:
    """Try a version on an order beside the rules in force. Stores nothing."""
    tried, live = found(version), live_version(clock.now())
    trial = _trial()
    sides = []
    if trial.order is not None and trial.asked and not trial.problems:
        both = [tried] if live is None or live.id == tried.id else [tried, live]
        sides = [_side(trial, trial.order, each, live) for each in both]
    text = render_template(
        "staff/policy_bench.html",
        here="policy",
        version=version,
        trial=trial,
        lines=_lines(trial.order) if trial.order else [],
        sides=sides,
        reasons=[("Reasons", REASONS), ("In detail", DETAILS)],
        resolutions=RESOLUTIONS,
        methods=METHODS,
        typed=request.args,
        recent=_recent() if trial.order is None else [],
    )
    return make_response(text, 422 if trial.problems else 200)


def order_by_number(number: str) -> Order | None:
    """The order with this number as people write it, with its lines and units."""
    typed = number.replace("\0", "")
    wanted = select(Order.id).where(Order.number_key == number_key(typed))
    order_id = session.scalar(wanted) if typed.strip() else None
    return order_for_return(order_id) if order_id else None


def _recent() -> Sequence[str]:
    wanted = select(Order.number).order_by(Order.placed_at.desc(), Order.id.desc())
    return session.scalars(wanted.limit(8)).all()


def _trial() -> Trial:
    trial = Trial(request.args.get("q", "").strip()[:120])
    if not trial.number:
        return trial
    trial.order = order_by_number(trial.number)
    if trial.order is None:
        trial.problems["q"] = f"There is no order {trial.number}. Look at its number again."
        return trial
    _read_day(trial)
    shared: dict[str, Any] = {
        "resolution": _code("resolution", RESOLUTIONS),
        "method": _code("method", METHODS),
        "photo": "photo" in request.args,
        "statement": "Tried at the desk." if "text" in request.args else "",
    }
    for place, (sku, most) in enumerate(_articles(trial.order).items()):
        quantity = max(0, min(request.args.get(f"n-{place}", 0, type=int), most))
        if quantity:
            reason = _code(f"why-{place}", EVERY_REASON) or ""
            trial.asked.append(Asked.of(sku, quantity, reason, **shared))
    if not trial.asked and "try" in request.args:
        trial.problems["n-0"] = "Choose how many pieces of something come back."
    return trial


def _read_day(trial: Trial) -> None:
    """The day that was typed, at the time of day that it is now in the shop."""
    typed = request.args.get("on", "").strip()
    if not typed:
        return
    zone = ZoneInfo(g.shop.timezone)
    try:
        day = date.fromisoformat(typed)
        trial.at = datetime.combine(day, trial.at.astimezone(zone).time(), zone)
        trial.at = trial.at.astimezone(clock.now().tzinfo)
    except (ValueError, OverflowError):
        trial.problems["on"] = "Give a day such as 2026-11-30, or leave it empty for today."


def _code(name: str, known: Mapping[str, Any]) -> str | None:
    code = request.args.get(name, "")
    return code if code in known else None


def _articles(order: Order) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in order.lines:
        found[line.sku] = found.get(line.sku, 0) + line.quantity
    return found


def _lines(order: Order) -> list[dict[str, Any]]:
    titles = {line.sku: line for line in reversed(order.lines)}
    return [
        {
            "sku": sku,
            "title": titles[sku].title or sku,
            "variant": titles[sku].variant,
            "category": titles[sku].category,
            "price": money(titles[sku].unit_price_minor, order.currency, "en"),
            "most": most,
        }
        for sku, most in _articles(order).items()
    ]


def _side(
    trial: Trial, order: Order, version: PolicyVersion, live: PolicyVersion | None
) -> dict[str, Any]:
    """What one version says: an outcome, why, and the money, for each article."""
    is_live = live is not None and live.id == version.id
    title = f"In force: version {version.version}" if is_live else f"Version {version.version}"
    try:
        weighed = weigh(order, trial.asked, "page", trial.at, strict=False, by_law=version.policy)
    except Invalid as error:
        return {"title": title, "problem": error.errors[0]["message"], "lines": []}
    method = trial.asked[0].method
    amounts = quoted(weighed, method)
    reader = desk_reader(version.policy, clock.now())
    said = {entry.id: sentence(entry, reader) for entry in version.policy.rules}
    lines = [
        _line(each, paid, reader.calendar, said)
        for each, paid in zip(weighed, amounts, strict=True)
    ]
    return {"title": title, "problem": "", "lines": lines}


def _line(
    each: Weighed, amounts: Mapping[str, Amounts], calendar: Calendar, said: Mapping[str, str]
) -> dict[str, Any]:
    decision, currency = each.decision, str(each.facts["currency"])
    chosen = each.asked.resolution or ""
    shown = [chosen] if chosen in amounts else list(decision.effects.resolutions)
    words, tone = OUTCOMES[each.outcome]
    places = {entry.id: place for place, entry in enumerate(decision.policy.rules, start=1)}
    return {
        "title": f"{each.asked.quantity} × {each.line.title or each.line.sku}",
        "outcome": words,
        "tone": tone,
        "because": because(decision.because, decision.values, calendar),
        "is_free": each.is_free,
        "place": places.get(decision.rule or ""),
        "trace": [_verdict(v, places, calendar, said) for v in decision.verdicts],
        "changes": receipt(decision)["would_change"],
        "money": [
            (str(RESOLUTIONS[name]), *_sum(amounts[name], currency)) for name in shown
        ] if each.outcome != "decline" else [],
    }  # fmt: skip


def _verdict(
    verdict: Mapping[str, Any],
    places: Mapping[str, int],
    calendar: Calendar,
    said: Mapping[str, str],
) -> dict[str, Any]:
    word, code = verdict["verdict"], verdict.get("because", "")
    sign, tone = SIGNS.get(word, ("·", ""))
    why = because(code, verdict.get("values", {}), calendar) if code else SAID.get(word, word)
    return {
        "sign": sign,
        "tone": tone,
        "place": places[verdict["rule"]],
        "said": why,
        "rule": said[verdict["rule"]],
        "speaks": word not in ("not_met", "unknown", "passes"),
    }


def _sum(amounts: Amounts, currency: str) -> tuple[list[tuple[str, str]], str]:
    """The rows of an amount and its total."""
    rows = [
        (title, money(sign * getattr(amounts, key), currency, "en"))
        for key, title, sign in AMOUNTS
        if getattr(amounts, key) and key != "tax_minor"
    ]
    return rows, money(amounts.total_minor, currency, "en")
