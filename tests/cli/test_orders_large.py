"""A hundred thousand rows: memory stays where it was."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import SECRET

pytestmark = pytest.mark.long
ROWS = 100_000
LINES = 4  # rows of an order
GROWTH_MB = 60  # with twelve times the rows: the numbers that were seen, and little else

# The peak of a process's memory in KiB, asked of the system at its end.
MEASURED = (
    "import resource, sys; from portal.cli import porchlight\n"
    "try: porchlight(sys.argv[1:])\n"
    "finally: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
)


def run(folder: Path, *words: str) -> tuple[str, float]:
    """What a command said, and its peak of memory in MB."""
    names = ("PATH", "PYTHONPATH", "HOME")
    environ = {name: os.environ[name] for name in names if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *words],
        cwd=folder,
        env=environ | {"SECRET_KEY": SECRET},
        capture_output=True,
        text=True,
        timeout=3600,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    *said, peak = done.stdout.splitlines()
    return "\n".join(said), int(peak) / 1024


def write(path: Path, rows: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write("number,email,placed_at,currency,sku,title,quantity,unit_price\n")
        for row in range(rows):
            order = row // LINES
            file.write(
                f"N{order},a{order}@example.com,2026-05-04T09:30:00Z,EUR,S{row % LINES},"
                f"A thing with a name of usual length,1,19.90\n"
            )


def test_a_hundred_thousand_rows_take_hardly_more_memory_than_eight(tmp_path: Path) -> None:
    run(tmp_path, "migrate")
    run(tmp_path, "shop", "create", "fern")
    small, large = tmp_path / "small.csv", tmp_path / "large.csv"
    write(small, 8_000)
    write(large, ROWS)
    words = ("--shop", "fern")
    _, first = run(tmp_path, "orders", "import", str(small), *words)
    said, dry = run(tmp_path, "orders", "import", str(large), *words, "--dry-run")
    assert f"Dry run: {ROWS // LINES - 2000} new, 0 changed, 2000 the same" in said
    assert dry - first < GROWTH_MB
    said, peak = run(tmp_path, "orders", "import", str(large), *words)
    assert f"Imported: {ROWS // LINES - 2000} new, 0 changed, 2000 the same" in said
    assert peak - first < GROWTH_MB
