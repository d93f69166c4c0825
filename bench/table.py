"""The rows of docs/performance.md: `make bench | .venv/bin/python -m bench.table`."""

from __future__ import annotations

import json
import sys
from typing import Any


def main() -> None:
    """Print a row of Markdown for each benchmark's line."""
    print("| benchmark | value | ratio | goal | met | against |\n|---|---|---|---|---|---|")
    for line in sys.stdin:
        if line.startswith("{"):
            print(row(json.loads(line)))


def row(told: dict[str, Any]) -> str:
    """One benchmark: the spread is that of the case itself."""
    spread = told.get("spread", [])[:2]
    between = f" ({spread[0]:g} to {spread[1]:g})" if spread else ""
    goal, met = told.get("goal", ""), {True: "yes", False: "no"}.get(told.get("met"), "")
    cells = (
        f"`{told['bench']}`",
        f"{told['value']:g}{between} {told['unit']}".strip(),
        f"{told['ratio']:g}",
        str(goal),
        met,
        told["reference"],
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
