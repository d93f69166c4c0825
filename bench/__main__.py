"""`make bench`: run every benchmark, or those named, and end with one JSON line each.

`--million` runs the large forms of those that have one: minutes, and gigabytes of disk.
"""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import sys

import bench

# What is served to be measured, or needs what is not installed for the others.
ALONE = {
    *("__main__", "bare", "bare_house", "screenshots"),
    *("karrio_sdk", "karrio_seed", "peers", "peers_karrio", "table"),
}


def main(wanted: list[str], *, million: bool) -> None:
    """Run the benchmarks whose names are given; all of them without names."""
    names = [m.name for m in pkgutil.iter_modules(bench.__path__) if m.name not in ALONE]
    unknown = sorted(set(wanted) - set(names))
    if unknown:
        sys.exit(f"No such benchmark: {', '.join(unknown)}. There are: {', '.join(names)}")
    results = []
    for name in wanted or names:
        module = importlib.import_module(f"bench.{name}")
        measure = getattr(module, "run_million" if million else "run", None)
        if measure is not None:
            print(f"{name} …", file=sys.stderr, flush=True)
            results += measure()
    for result in results:
        print(json.dumps(result))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--million", action="store_true")
    asked = parser.parse_args()
    main(asked.names, million=asked.million)
