"""Runs in karrio's environment: its SDK normalises the tracker it is given, when it is told to.

The first line of the input is the tracker; each further line is answered with the microseconds of
CPU that one of them took.
"""

from __future__ import annotations

import contextlib
import io
import sys
import time
from typing import Any

import karrio.lib as lib
from karrio.mappers.easypost.settings import Settings
from karrio.providers.easypost.tracking import parse_tracking_response

SECONDS = 0.5


def main() -> None:
    """Answer every line."""
    body = sys.stdin.readline()
    settings = Settings(api_key="EZTK-for-benchmarks")
    for _ in sys.stdin:
        print(_microseconds(body, settings), flush=True)


def _microseconds(body: str, settings: Any) -> float:
    done, began = 0, time.process_time()
    while (spent := time.process_time() - began) < SECONDS:
        # It tells of every field it does not know.
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            _normalise(body, settings)
        done += 1
    return spent / done * 1e6


def _normalise(body: str, settings: Any) -> None:
    answer = lib.to_dict(body)
    wrapped = lib.Deserializable([(answer["tracking_code"], answer)], lambda answers: answers)
    [found], errors = parse_tracking_response(wrapped, settings)
    if errors or len(found.events) != len(answer["tracking_details"]):
        raise RuntimeError("The tracker was not read whole.")


if __name__ == "__main__":
    main()
