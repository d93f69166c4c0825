"""Claiming five hundred due rows from a large table, against a small one, alone and by four.

Claimers are processes of their own. Each claim is what a worker does (`due.claim` in a writing
transaction); what was claimed is then planned again for later, so that the table keeps its size.
That no row is claimed twice is shown first: four claimers empty a table without ending a lease.
With `--million` the large table has five million rows.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

from sqlalchemy import create_engine, func, select, text, update

from bench import postgres
from bench.house import FILE, environ_at, opened
from bench.measure import compared, in_turns
from portal.db import every_shop, session, writing
from portal.models.due import Due, claim

AT_ONCE: Final = 500
CLAIMS: Final = 6  # of each claimer in a round
SMALL: Final = 10_000
BEGAN: Final = datetime(2026, 1, 1, tzinfo=UTC)
ALL_DUE: Final = BEGAN + timedelta(days=3_650)
FILLED: Final = {
    "sqlite": """
        INSERT INTO due (queue, subject, shop_id, at, leased, fence, attempts)
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :rows)
        SELECT 'poll', 'shp_' || printf('%026d', i), 1,
               strftime('%Y-%m-%d %H:%M:%S.000000', '2026-01-01', (i * 7 % :rows) || ' seconds'),
               0, 0, 0
        FROM n""",
    "postgresql": """
        INSERT INTO due (queue, subject, shop_id, at, leased, fence, attempts)
        SELECT 'poll', 'shp_' || lpad(i::text, 26, '0'), 1,
               '2026-01-01Z'::timestamptz + (i * 7 % :rows) * interval '1 second', false, 0, 0
        FROM generate_series(1, :rows) AS s(i)""",
}


def run() -> list[dict[str, Any]]:
    """Two hundred thousand rows against ten thousand."""
    return _lines(200_000)


def run_million() -> list[dict[str, Any]]:
    """Five million rows against ten thousand."""
    return _lines(5_000_000)


def _lines(large: int) -> list[dict[str, Any]]:
    lines = []
    with tempfile.TemporaryDirectory() as home, postgres.running() as running:
        for kind in ("sqlite", "postgresql"):
            urls = [_url(kind, Path(home), running, name) for name in ("small", "large", "once")]
            for url, rows in zip(urls, (SMALL, large, SMALL), strict=True):
                _fill(url, kind, rows)
            _never_twice(urls[2])
            lines += [_measured(kind, urls[:2], large, claimers) for claimers in (1, 4)]
    return lines


def _url(kind: str, home: Path, running: postgres.Postgres, name: str) -> str:
    if kind == "postgresql":
        return running.database(f"bench_{name}")
    (home / name).mkdir()
    return f"sqlite:///{home / name / FILE}"


def _fill(url: str, kind: str, rows: int) -> None:
    with opened(environ_at(url)), writing():
        session.execute(text(FILLED[kind]), {"rows": rows})
    if kind == "postgresql":
        engine = create_engine(
            url.replace("postgresql://", "postgresql+psycopg://", 1), isolation_level="AUTOCOMMIT"
        )
        with engine.connect() as raw:
            raw.execute(text("VACUUM ANALYZE due"))
        engine.dispose()


def _measured(kind: str, urls: list[str], large: int, claimers: int) -> dict[str, Any]:
    with ExitStack() as stack:
        few, many = (stack.enter_context(_claimers(url, claimers)) for url in urls)
        figures = in_turns(
            {
                "small": lambda: statistics.median(few(_claim_some)),
                "large": lambda: statistics.median(many(_claim_some)),
            },
            5,
        )
    told = f"the same among {SMALL} rows in the same run"
    name = f"claim_{AT_ONCE}_of_{large}_{kind}_{claimers}_claimers"
    return compared(name, figures, ("large", "small"), "ms_p50", told, goal=1.2, runs=5)


def _claim_some() -> list[float]:
    """Claim and plan again a few times; how many milliseconds each claim took."""
    took = []
    for _ in range(CLAIMS):
        began = time.perf_counter()
        leases = _claim()
        took.append((time.perf_counter() - began) * 1000)
        if len(leases) != AT_ONCE:
            raise RuntimeError(f"{len(leases)} rows were claimed, not {AT_ONCE}")
        _again([row for row, _ in leases])
    return took


def _claim() -> list[tuple[int, int]]:
    with writing():
        return [(each.id, each.fence) for each in claim("poll", AT_ONCE, ALL_DUE)]


def _again(ids: list[int]) -> None:
    """Plan rows again behind all others, in one statement."""
    with writing():
        last = (
            session.scalar(select(func.max(Due.at)).where(Due.queue == "poll", Due.at <= ALL_DUE))
            or BEGAN
        )
        session.execute(
            update(Due)
            .where(Due.id.in_(ids))
            .values(at=last + timedelta(seconds=1), leased=False, attempts=0)
            .execution_options(synchronize_session=False)
        )


# --- processes that claim -----------------------------------------------------------------------

Claiming = Callable[[], list[Any]]
_staying = ExitStack()  # of a claiming process: the house it is in
_others: list[Any] = []  # and the barrier at which it waits for the other ones


@contextmanager
def _claimers(url: str, count: int) -> Iterator[Callable[[Claiming], list[Any]]]:
    """Have so many processes do one thing at a time, together; all that they give, in one list."""
    spawn = get_context("spawn")  # a forked process would share its parent's connections
    with spawn.Pool(count, _enter, (url, spawn.Barrier(count))) as pool:
        yield lambda act: [
            each for given in pool.map(_together, [act] * count, 1) for each in given
        ]


def _enter(url: str, barrier: Any) -> None:
    _staying.enter_context(opened(environ_at(url)))
    _staying.enter_context(every_shop())
    _others.append(barrier)


def _together(act: Claiming) -> list[Any]:
    _others[0].wait()
    return act()


# --- no row twice -------------------------------------------------------------------------------


def _never_twice(url: str) -> None:
    """Empty a table with four claimers. Raises RuntimeError for a row that two of them got."""
    with _claimers(url, 4) as claimers:
        claimed = claimers(_claim_all)
    if len(claimed) != SMALL or len(set(claimed)) != SMALL:
        raise RuntimeError(f"{len(claimed)} claims of {len(set(claimed))} rows, not {SMALL} once")


def _claim_all() -> list[int]:
    """Claim until nothing is left; the rows that were claimed."""
    mine: list[int] = []
    while leases := _claim():
        mine += [row for row, _ in leases]
    return mine
