"""Storing what carriers answered: many answers a commit, against each in a commit of its own.

What is measured is what a worker does with the answers it has got (`jobs.poll`), from reading the
parcels to the commit; asking is left out. Every answer brings one scan more than the one before.
"""

from __future__ import annotations

import tempfile
import time
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any, Final

from bench import events, postgres
from bench.house import environ_at, environ_in, opened
from bench.measure import Medians, in_turns
from carriers.easypost import normalise
from portal import clock
from portal.db import every_shop, inside, session, writing
from portal.jobs import poll
from portal.jobs.provider import account_with
from portal.models.due import claim

GOALS: Final = {"sqlite": 5.0, "postgresql": 8.0}
ROUNDS: Final = 5
numbers = count(1)


def run() -> list[dict[str, Any]]:
    """How many answers a second, for each kind of database."""
    with tempfile.TemporaryDirectory() as home, postgres.running() as running:
        houses = {
            "sqlite": environ_in(Path(home)),
            "postgresql": environ_at(running.database("bench_batches")),
        }
        return [_line(kind, _measured(environ)) for kind, environ in houses.items()]


def _line(kind: str, figures: Medians) -> dict[str, Any]:
    together, single = figures["together"], figures["single"]
    times = together / single
    spread = [round(each, 1) for name in ("together", "single") for each in figures.spread[name]]
    return {
        "bench": f"polls_stored_together_{kind}",
        "ratio": round(times, 3),
        "reference": f"each answer in a commit of its own: {single:.0f} a second",
        "value": round(together, 1),
        "unit": "answers_a_second",
        "runs": ROUNDS,
        "spread": spread,
        "goal": GOALS[kind],
        "met": times >= GOALS[kind],
    }


def _measured(environ: dict[str, str]) -> Medians:
    events.fill(environ)
    with opened(environ) as shop_id:
        together = poll.STORED_TOGETHER
        return in_turns(
            {
                "together": lambda: _stored(shop_id, together),
                "single": lambda: _stored(shop_id, 1),
            },
            ROUNDS,
        )


def _stored(shop_id: int, at_once: int) -> float:
    """Answers stored a second, with so many in a commit."""
    account = account_with("EZTK-for-benchmarks")
    with every_shop(), writing():
        leases = claim("poll", events.PARCELS, clock.now() + timedelta(days=60))
    with inside(shop_id):
        answers = [_answer(question) for question in poll._questions(leases)]
        session.rollback()
        began = time.perf_counter()
        for start in range(0, len(answers), at_once):
            poll._store(account, answers[start : start + at_once])
        return len(answers) / (time.perf_counter() - began)


def _answer(question: poll.Question) -> poll.Answer:
    place = int(question.number[-9:])
    return question, normalise(events.tracker(events.PARCELS * next(numbers) + place))
