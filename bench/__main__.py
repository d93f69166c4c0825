"""`make bench`: run every benchmark, or those named, and end with one JSON line each."""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys

import bench

SUPPORT = {"__main__", "bare", "bare_house", "measure", "peers", "screenshots"}


def main(wanted: list[str]) -> None:
    """Run the benchmarks whose names are given; all of them without names."""
    names = [m.name for m in pkgutil.iter_modules(bench.__path__) if m.name not in SUPPORT]
    unknown = sorted(set(wanted) - set(names))
    if unknown:
        sys.exit(f"No such benchmark: {', '.join(unknown)}. There are: {', '.join(names)}")
    results = []
    for name in names:
        if not wanted or name in wanted:
            print(f"{name} …", file=sys.stderr, flush=True)
            results += importlib.import_module(f"bench.{name}").run()
    for result in results:
        print(json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1:])
