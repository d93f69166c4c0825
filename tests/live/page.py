"""An open page as the server sees it: a socket that asked for the stream, and what it was told."""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

EVENT = re.compile(rb"id: (\d+)\ndata: changed\n\n")


class OpenPage:
    """A raw connection to `/events/<token>`."""

    def __init__(self, port: int, token: str, since: int = 1) -> None:
        self.line = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.line.sendall(
            b"GET /events/%s?since=%d HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n"
            % (token.encode(), since, port)
        )
        self.said = b""
        while b"\r\n\r\n" not in self.said:
            assert self._read(), self.said
        self.status = int(self.said.split()[1])

    @property
    def told(self) -> list[int]:
        """The versions it was told of so far."""
        return [int(version) for version in EVENT.findall(self.said)]

    def hear(self, version: int) -> None:
        """Wait until it is told of this version or a later one."""
        while max(self.told, default=0) < version:
            assert self._read(), self.said

    def hear_out(self) -> bytes:
        """All that is said until the stream ends; the connection itself may stay."""
        while not self.said.endswith(b"\r\n0\r\n\r\n"):
            if not self._read():
                break
        return self.said

    def vanish(self) -> None:
        """Go away without a word."""
        self.line.close()

    def _read(self) -> bytes:
        part = self.line.recv(65536)
        self.said += part
        return part


@contextmanager
def opened(port: int, tokens: list[str]) -> Iterator[list[OpenPage]]:
    """Pages that listen, closed in the end."""
    pages: list[OpenPage] = []
    try:
        for token in tokens:
            pages.append(OpenPage(port, token))
        yield pages
    finally:
        for page in pages:
            page.vanish()


def until(is_so: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until something is so. Raises AssertionError when it does not come to pass."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@dataclass(frozen=True)
class Process:
    """What a process and its children hold, as the kernel says."""

    pid: int

    def threads(self) -> int:
        """How many threads run."""
        return sum(len(list(Path(f"/proc/{pid}/task").iterdir())) for pid in self._tree())

    def files(self) -> int:
        """How many files and sockets are open."""
        return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in self._tree())

    def _tree(self) -> list[int]:
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [self.pid, *(grand for child in children for grand in Process(int(child))._tree())]
