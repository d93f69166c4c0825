"""`make bench-peers`: the policy against two rule engines, on the same rules and requests; karrio.

Each engine answers with its outcome and a full trace: zen-engine's decision table with `trace`, and
for CEL one program that gives every rule's answer as a list. The three must agree on every request
before anything is measured. The days since delivery are counted for the two; ours counts them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import cel
import zen

from bench import peers_karrio
from bench.measure import in_turns, result
from returns.policy import Facts, Policy, compile_policy

NOW: Final = datetime(2026, 11, 20, 12, tzinfo=UTC)
SIZES: Final = (10, 1_000)
REQUESTS: Final = 40
SECONDS: Final = 0.3  # of CPU an engine gets in a round, at least
SIGNS: Final = {"is": "==", "at_least": ">=", "at_most": "<="}
COUNTRIES: Final = ("DE", "FR", "US", "GB", "JP")

Engine = Callable[[int], str]  # the number of a request in, its outcome out


class Row(NamedTuple):
    """One rule: every comparison (fact, operator, wanted) must hold for its outcome."""

    when: tuple[tuple[str, str, Any], ...]
    outcome: str


def main() -> None:
    """Print one JSON line for each peer and each number of rules."""
    lines: list[dict[str, Any]] = []
    for size in SIZES:
        lines += measured(size)
    lines += peers_karrio.run()
    for line in lines:
        print(json.dumps(line))


def measured(size: int) -> list[dict[str, Any]]:
    """CPU per decision over the same requests, as ratios to each peer."""
    rows, requests = rules(size), [request(n) for n in range(REQUESTS)]
    engines = {
        "house": house(rows, requests),
        "zen": decision_table(rows, requests),
        "cel": expression(rows, requests),
    }
    for n in range(REQUESTS):
        said = {name: engine(n) for name, engine in engines.items()}
        if len(set(said.values())) != 1:
            raise RuntimeError(f"The engines disagree on request {n} of {size} rules: {said}")
    figures = in_turns({name: lambda e=engine: _cpu(e) for name, engine in engines.items()})
    peers = {
        "zen": "zen-engine, decision table with trace",
        "cel": "CEL in Rust, every rule's answer",
    }
    return [
        result(
            f"policy_{size}_rules_{name}",
            figures["house"],
            figures[name],
            "us_cpu_per_decision",
            f"{told}: {figures[name]:.1f} us on the same {size} rules in the same run",
        )
        for name, told in peers.items()
    ]


def _cpu(engine: Engine) -> float:
    """Microseconds of CPU per decision."""
    done, began = 0, time.process_time()
    while (spent := time.process_time() - began) < SECONDS:
        for n in range(REQUESTS):
            engine(n)
        done += REQUESTS
    return spent / done * 1e6


# --- the rules and the requests -----------------------------------------------------------------


def rules(size: int) -> list[Row]:
    """Rules as shops write them, each a little different; the last one approves."""
    shapes: list[Callable[[int], Row]] = [
        lambda n: Row(
            (("category", "is", f"C{n}"), ("days_since_delivery", "at_least", 14 + n % 60)),
            "decline",
        ),
        lambda n: Row(
            (
                ("country", "is", COUNTRIES[n % len(COUNTRIES)]),
                ("unit_price_minor", "at_least", 60_000 + 100 * n),
            ),
            "review",
        ),
        lambda n: Row((("sku", "is", f"S{n}"), ("final_sale", "is", True)), "decline"),
        lambda n: Row((("unit_price_minor", "at_least", 90_000 + 10 * n),), "review"),
        lambda n: Row(
            (
                ("customer_return_rate_bps", "at_least", 7_000 + n),
                ("order_total_minor", "at_most", 100_000 - n),
            ),
            "review",
        ),
    ]
    return [*(shapes[n % len(shapes)](n) for n in range(size - 1)), Row((), "approve")]


def request(n: int) -> dict[str, Any]:
    """The facts of a request, as the two peers get them."""
    return {
        "category": f"C{5 * (n % 3)}",
        "days_since_delivery": n,
        "country": COUNTRIES[n % len(COUNTRIES)],
        "unit_price_minor": (n * 7_919) % 70_000,
        "sku": f"S{n}",
        "final_sale": n % 8 == 0,
        "customer_return_rate_bps": (n * 331) % 7_100,
        "order_total_minor": 75_000 + n,
    }


# --- the engines --------------------------------------------------------------------------------


def house(rows: list[Row], requests: list[dict[str, Any]]) -> Engine:
    """The policy of this project, with each rule's verdict and values."""
    policy = compile_policy(
        Policy.from_json({"version": 1, "rules": [_rule(n, row) for n, row in enumerate(rows)]})
    )
    known = [_facts(each) for each in requests]

    def decide(n: int) -> str:
        decision = policy.decide(known[n], NOW)
        if len(decision.trace) != len(rows):
            raise RuntimeError("A trace without every rule.")
        return decision.outcome.value

    return decide


def _rule(n: int, row: Row) -> dict[str, Any]:
    when = {"all": [{"fact": fact, operator: wanted} for fact, operator, wanted in row.when]}
    return {"id": f"r{n}", "kind": row.outcome, **({"when": when} if row.when else {})}


def _facts(given: Mapping[str, Any]) -> Facts:
    known = dict(given)
    delivered = NOW - timedelta(days=known.pop("days_since_delivery"))
    return Facts(ordered_at=delivered - timedelta(days=3), delivered_at=delivered, **known)


def decision_table(rows: list[Row], requests: list[dict[str, Any]]) -> Engine:
    """zen-engine: one decision table, first match."""
    columns = list(dict.fromkeys(fact for row in rows for fact, _, _ in row.when))
    table = {
        "hitPolicy": "first",
        "inputs": [{"id": fact, "name": fact, "field": fact} for fact in columns],
        "outputs": [{"id": "outcome", "name": "outcome", "field": "outcome"}],
        "rules": [
            {"_id": f"r{n}", **dict.fromkeys(columns, ""), **_cells(row)}
            for n, row in enumerate(rows)
        ],
    }
    nodes = [
        {"id": "in", "name": "in", "type": "inputNode"},
        {"id": "table", "name": "table", "type": "decisionTableNode", "content": table},
        {"id": "out", "name": "out", "type": "outputNode"},
    ]
    edges = [
        {"id": f"{a}-{b}", "type": "edge", "sourceId": a, "targetId": b}
        for a, b in (("in", "table"), ("table", "out"))
    ]
    decision = zen.ZenEngine().create_decision(json.dumps({"nodes": nodes, "edges": edges}))

    def decide(n: int) -> str:
        answer = decision.evaluate(requests[n], {"trace": True})
        if not answer["trace"]:
            raise RuntimeError("zen-engine gave no trace.")
        return str(answer["result"]["outcome"])

    return decide


def _cells(row: Row) -> dict[str, str]:
    cells = {
        fact: json.dumps(wanted) if operator == "is" else f"{SIGNS[operator]} {wanted}"
        for fact, operator, wanted in row.when
    }
    return cells | {"outcome": json.dumps(row.outcome)}


def expression(rows: list[Row], requests: list[dict[str, Any]]) -> Engine:
    """CEL: one program, every rule an element of the list it gives."""
    tests = [
        " && ".join(f"{fact} {SIGNS[op]} {json.dumps(wanted)}" for fact, op, wanted in row.when)
        for row in rows
    ]
    program = cel.compile(f"[{', '.join(test or 'true' for test in tests)}]")
    return lambda n: rows[program.execute(requests[n]).index(True)].outcome


if __name__ == "__main__":
    main()
