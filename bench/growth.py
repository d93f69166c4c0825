"""What a tracking page costs in a large shop, against a small one, on both kinds of database.

The two shops hold copies of the same orders, so that their pages are alike, and every page is asked
for once. On PostgreSQL the work of its own processes counts as well. With `--million` the large
shop has a million orders; both are kept in `instance/bench`, where a later run finds them.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from bench import postgres
from bench.data import NotEmpty, fill_alike, token_of
from bench.house import ASK, FILE, environ_at
from bench.measure import Server, compared, cpu_per_request, in_turns, serving
from bench.tracking import COLD, bare_like

KEPT: Final = Path("instance/bench")
STORIES: Final = 200
GOALS: Final = {"sqlite": 1.3, "postgresql": 1.1}


def run() -> list[dict[str, Any]]:
    """Fifty thousand orders against five thousand, made for this run."""
    with tempfile.TemporaryDirectory() as home:
        return _lines(Path(home), None, (5_000, 50_000), STORIES // 4)


def run_million() -> list[dict[str, Any]]:
    """A million orders against ten thousand."""
    return _lines(KEPT, KEPT.resolve(), (10_000, 1_000_000), STORIES)


def _lines(
    home: Path, server: Path | None, sizes: tuple[int, int], stories: int
) -> list[dict[str, Any]]:
    with postgres.running(server) as running:
        databases = {
            "sqlite": [f"sqlite:///{home.resolve() / str(size) / FILE}" for size in sizes],
            "postgresql": [running.database(f"bench_{size}") for size in sizes],
        }
        lines = []
        for kind, urls in databases.items():
            _fill(dict(zip(urls, sizes, strict=True)), stories)
            pid = running.pid if kind == "postgresql" else None
            lines += _measured(kind, urls, sizes, pid)
        return lines


def _fill(databases: dict[str, int], stories: int) -> None:
    for url in databases:
        if url.startswith("sqlite:///"):
            Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    try:
        fill_alike(databases, stories)
    except NotEmpty:
        return  # kept from an earlier run


def _measured(
    kind: str, urls: list[str], sizes: tuple[int, int], database_pid: int | None
) -> list[dict[str, Any]]:
    with ExitStack() as stack:
        small, large = (
            stack.enter_context(serving("wsgi:app", environ_at(url), database_pid=database_pid))
            for url in urls
        )
        few, many = _pages(sizes)
        bare = stack.enter_context(bare_like(large, [next(many) for _ in range(40)]))
        figures = in_turns(
            {
                "bare": lambda: cpu_per_request(bare, ["/t/bare"] * COLD, ASK),
                "small": lambda: _asked(small, few),
                "large": lambda: _asked(large, many),
            }
        )
    told = f"the page among {sizes[0]} orders in the same run"
    const = "a bare Flask page of equal size on the same server in the same run"
    unit, goal = "us_cpu_per_request", GOALS[kind]
    lines = [
        compared(f"tracking_growth_{kind}", figures, ("large", "small"), unit, told, goal=goal)
    ]
    if kind == "sqlite":
        name = f"tracking_page_cold_of_{sizes[1]}"
        lines.append(compared(name, figures, ("large", "bare"), unit, const, goal=3.0))
    return lines


def _asked(house: Server, pages: Iterator[str]) -> float:
    return cpu_per_request(house, [next(pages) for _ in range(COLD)], ASK)


def _pages(sizes: tuple[int, int]) -> tuple[Iterator[str], Iterator[str]]:
    """Pages of both shops in the same order of stories, each once."""
    draw, (small, large) = random.Random(7), sizes
    places = draw.sample(range(small), small)
    scale = large // small
    many = (f"/t/{token_of(n * scale + draw.randrange(scale))}" for n in places)
    return (f"/t/{token_of(n)}" for n in places), many
