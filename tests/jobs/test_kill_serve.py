"""kill -9 in the middle of calls: the same call repeated has one effect and is answered."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import pytest
import requests
from flask import Flask
from sqlalchemy import select

from portal import clock
from portal.db import inside, session
from portal.models import Return
from tests.channels.conftest import free_port
from tests.conftest import SECRET, bearer, shop_id
from tests.models.bought import bought

ROOT: Final = Path(__file__).resolve().parents[2]
CALLS: Final = 12
ASKED: Final = {"lines": [{"sku": "TEE-M", "quantity": 1, "reason": "too_small"}]}


@pytest.fixture
def environ(database_url: str) -> dict[str, str]:
    """What the server is given."""
    return {
        "SECRET_KEY": SECRET,
        "BASE_URL": "http://fern.localhost:8000",
        "DATABASE_URL": database_url,
    }


@contextmanager
def serving(environ: dict[str, str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The server as a process group of its own, answering; it is killed, workers too."""
    process = subprocess.Popen(
        [sys.executable, "-m", "portal.cli", "serve", "--port", str(port), "--workers", "1"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environ},
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait_for(port, process)
        yield process
    finally:
        _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, 9)
    process.wait(timeout=30)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            requests.get(f"http://127.0.0.1:{port}/healthz", timeout=10)
        except requests.ConnectionError:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


def post(port: int, headers: dict[str, str], order_id: str) -> requests.Response | None:
    """Ask for the order's return under the order's own key; None where no answer came."""
    url = f"http://127.0.0.1:{port}/api/v1/orders/{order_id}/returns"
    keyed = headers | {"Idempotency-Key": f"return-of-{order_id}"}
    try:
        return requests.post(url, json=ASKED, headers=keyed, timeout=30)
    except requests.RequestException:
        return None


@pytest.mark.long
def test_a_call_cut_off_by_a_kill_can_be_repeated_and_has_one_effect(
    any_app: Flask, environ: dict[str, str]
) -> None:
    headers = bearer()
    orders = [bought(number=str(n), now=clock.now()) for n in range(CALLS)]
    port = free_port()
    with serving(environ, port) as process, ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(post, port, headers, order_id) for order_id in orders]
        asked[2].result()
        _kill(process)
        first = [each.result() for each in asked]
    assert None in first, "the kill came after the last answer"
    port = free_port()
    with serving(environ, port):
        again = [post(port, headers, order_id) for order_id in orders]
    for before, after in zip(first, again, strict=True):
        assert after is not None
        assert after.status_code == 201, after.text
        assert before is None or before.json()["id"] == after.json()["id"]
    with inside(shop_id("fern")):
        made = session.scalars(select(Return.order_id))
        assert sorted(made) == sorted(orders), "one return for each order"
