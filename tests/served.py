"""The site as `porchlight serve` runs it: a process of its own, spoken to by raw bytes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.conftest import SECRET

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Served:
    """A running process of the house."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    def stop(self) -> None:
        """Ask it to end."""
        self.process.terminate()

    def kill(self) -> None:
        """End it at once, as a failing machine would."""
        self.process.kill()
        self.process.wait(timeout=30)


@contextmanager
def running(url: str, *command: str, port: int = 0, **settings: str) -> Iterator[Served]:
    """Run a command of `porchlight` that serves on the migrated database `url`."""
    port = port or _free_port()
    environ = {
        **os.environ,
        "SECRET_KEY": SECRET,
        "BASE_URL": f"http://127.0.0.1:{port}",
        "DATABASE_URL": url,
        **settings,
    }
    line = [sys.executable, "-m", "portal.cli", *command, "--port", str(port)]
    with tempfile.TemporaryFile() as said:  # a pipe that nobody reads would stop it when full
        process = subprocess.Popen(line, cwd=ROOT, env=environ, stdout=said, stderr=said)
        try:
            _until_it_answers(port, process, said)
            yield Served(process, port)
        finally:
            process.terminate()
            process.wait(timeout=60)


@contextmanager
def serving(url: str, **settings: str) -> Iterator[int]:
    """Run `porchlight serve` on the migrated database `url`; gives its port."""
    with running(url, "serve", "--workers", "1", **settings) as served:
        yield served.port


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def say(port: int, request: bytes, *, until_closed: bool = True) -> bytes:
    """Send exactly these bytes and give back what came, header and body."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(request)
        said = b""
        while until_closed or b"\r\n\r\n" not in said:
            try:
                part = connection.recv(65536)
            except ConnectionResetError:
                break
            if not part:
                break
            said += part
    return said


def _until_it_answers(port: int, process: subprocess.Popen[bytes], said: IO[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            said.seek(0)
            raise RuntimeError(said.read().decode())
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("The site did not start.")
