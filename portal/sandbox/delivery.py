"""Webhooks going out: signed, at least once, to loopback addresses only, from one thread."""

import http.client
import ipaddress
import json
import threading
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from portal.sandbox.account import Account, Hook, Told

RETRIES: Final = (0.1, 0.3, 1.0, 2.0, 4.0)  # seconds before each further attempt; EasyPost: hours
PATIENCE: Final = 7.0  # seconds a receiver may take
GIVE_UP: Final = 12  # attempts failed in a row until an endpoint is disabled
AFTER: Final = 0.05  # seconds a held-back delivery follows the later one


@dataclass(order=True)
class Letter:
    """One delivery of one event to one hook."""

    due: float  # on the monotonic clock
    number: int
    event: Told = field(compare=False)
    hook: Hook = field(compare=False)
    body: bytes = field(compare=False)
    attempt: int = field(compare=False, default=0)
    held: bool = field(compare=False, default=False)


class Courier:
    """Sends what the account announces, once `start` was called and until `stop`."""

    def __init__(self, account: Account, retries: tuple[float, ...] = RETRIES) -> None:
        self._account = account
        self._retries = retries
        self._letters: list[Letter] = []
        self._numbers = count()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._busy = False
        self.outcomes: Counter[str] = Counter()

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="sandbox-courier", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(PATIENCE + 1)

    def waiting(self) -> int:
        """Deliveries not finished yet, the one under way included."""
        with self._changed:
            return len(self._letters) + self._busy

    def announce(self, event: Told, hooks: Sequence[Hook]) -> None:
        """Queue the event for each hook, as the fault script says."""
        body = json.dumps(event.posted(), separators=(",", ":")).encode()
        for hook in hooks:
            self._post(event, hook, body)

    def _post(self, event: Told, hook: Hook, body: bytes) -> None:
        fault = self._account.faults.for_delivery()
        kind = fault.fault if fault else ""
        if kind == "drop":
            self.outcomes["dropped"] += 1
            return
        wait = fault.seconds if fault and kind in ("delay", "reorder") else 0.0
        with self._changed:
            now = time.monotonic()
            for _ in range(2 if kind == "duplicate" else 1):
                letter = Letter(now + wait, next(self._numbers), event, hook, body)
                letter.held = kind == "reorder"
                heappush(self._letters, letter)
            if kind != "reorder":
                self._release(now + wait)
            self._changed.notify_all()

    def _release(self, now: float) -> None:
        """Let what was held back follow, the latest first."""
        held = sorted((each for each in self._letters if each.held), reverse=True)
        rest = [each for each in self._letters if not each.held]
        self._letters = []
        for place, letter in enumerate(held, start=1):
            letter.held, letter.due = False, now + AFTER * place
        for letter in rest + held:
            heappush(self._letters, letter)

    def _run(self) -> None:
        while (letter := self._next()) is not None:
            try:
                self._deliver(letter)
            finally:
                with self._changed:
                    self._busy = False
                    self._changed.notify_all()

    def _next(self) -> Letter | None:
        with self._changed:
            while not self._stopping:
                wait = self._letters[0].due - time.monotonic() if self._letters else None
                if wait is not None and wait <= 0:
                    self._busy = True
                    return heappop(self._letters)
                self._changed.wait(wait)
        return None

    def _deliver(self, letter: Letter) -> None:
        hook = letter.hook
        if hook.disabled_at is not None or hook.is_gone:
            return
        took = post(hook, letter.body, hook.secret or self._account.webhook_secret)
        self.outcomes["sent" if took else "refused"] += 1
        with self._account.lock:
            if took:
                self._taken(letter)
            else:
                self._refused(letter)

    def _taken(self, letter: Letter) -> None:
        event, url = letter.event, letter.hook.url
        letter.hook.failures = 0
        if url in event.pending:
            event.pending.remove(url)
            event.completed.append(url)
        if not event.pending and event.status == "pending":
            event.status = "completed"

    def _refused(self, letter: Letter) -> None:
        letter.hook.failures += 1
        if letter.hook.failures >= GIVE_UP:
            letter.hook.disabled_at = self._account.clock()
        if letter.attempt >= len(self._retries):
            letter.event.status = "failed"
            return
        with self._changed:
            letter.due = time.monotonic() + self._retries[letter.attempt]
            letter.attempt += 1
            heappush(self._letters, letter)


def post(hook: Hook, body: bytes, secret: str | None) -> bool:
    """Whether the receiver took it with a 2xx in time. Never leaves this machine."""
    try:
        target = urlsplit(hook.url)
        host = loopback_of(target)
        if host is None:
            return False
        connection = http.client.HTTPConnection(host, target.port or 80, timeout=PATIENCE)
        with closing(connection):
            path = (target.path or "/") + (f"?{target.query}" if target.query else "")
            connection.request("POST", path, body, _headers(hook, target, body, secret))
            return 200 <= connection.getresponse().status < 300
    except (OSError, ValueError, http.client.HTTPException):
        return False


def _headers(hook: Hook, target: SplitResult, body: bytes, secret: str | None) -> dict[str, str]:
    where, _, name = target.netloc.rpartition("@")
    headers = {"Host": name, "Content-Type": "application/json"}
    if where:
        headers["Authorization"] = "Basic " + b64encode(unquote(where).encode()).decode()
    headers |= {header["name"]: header["value"] for header in hook.headers}
    if secret:
        headers |= hook.signed(body, secret)
    return headers


def loopback_of(target: SplitResult) -> str | None:
    """Where to connect: 127.0.0.1 for every name under localhost, None for other machines."""
    host = target.hostname or ""
    if target.scheme != "http":
        return None
    if host == "localhost" or host.endswith(".localhost"):
        return "127.0.0.1"
    try:
        return host if ipaddress.ip_address(host).is_loopback else None
    except ValueError:
        return None
