"""One request to Stripe on the wire, with the real client.

What we take out of its hands: it would wait 80 seconds, follow redirects, read bodies without end
and let foreign exceptions through.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final, TypeVar

import requests
import stripe

from carriers.easypost_wire import OneTry
from carriers.reading import read_object
from portal.config import STRIPE_API
from portal.payments.contract import Kind, PaymentError
from portal.payments.stripe_facts import rows
from portal.payments.stripe_failures import failure_of

FILES: Final = "https://files.stripe.com"
LARGEST_ANSWER: Final = 4 * 1024 * 1024
PAGE: Final = 100
MOST_PAGES: Final = 20

Object = dict[str, Any]
Found = TypeVar("Found")


class Wire:
    """The line to Stripe. Threads may share it; a forked process builds its own session.

    `timeout` is (connect, read) in seconds, `deadline` the most one whole answer may take.
    """

    def __init__(self, key: str, base: str, timeout: tuple[float, float], deadline: float) -> None:
        self._key = key
        self._base = base
        self._timeout = timeout
        self._deadline = deadline
        self._lock = threading.Lock()
        self._built: tuple[int, Any] | None = None
        self._session = requests.Session()

    def ask(self, act: Callable[[Any], Any], read: Callable[[Object], Found]) -> Found:
        """A call that only reads. Raises PaymentError."""
        return self._guarded(lambda: read(self._body(act)), changes=False)

    def change(self, act: Callable[[Any], Any], read: Callable[[Object], Found]) -> Found:
        """A call that moves or makes something. Raises PaymentError."""
        return self._guarded(lambda: read(self._body(act)), changes=True)

    def each(
        self, resource: str, wanted: Mapping[str, Any], read: Callable[[Object], Found]
    ) -> Iterator[Found]:
        """Everything in a list, newest first, page by page. Raises PaymentError."""
        asked: Object = {**wanted, "limit": PAGE}
        for _ in range(MOST_PAGES):
            found, has_more, last = self.ask(
                lambda v1: getattr(v1, resource).list(asked), lambda page: _page(page, read)
            )
            yield from found
            if not has_more or not last:
                return
            asked["starting_after"] = last
        raise PaymentError(Kind.BUSY, "Stripe's list has no end. Nothing was changed.")

    def close(self) -> None:
        """End the session of this process; the next call begins another."""
        with self._lock:
            if self._built is not None and self._built[0] == os.getpid():
                self._session.close()
            self._built = None

    def _body(self, act: Callable[[Any], Any]) -> Object:
        """What Stripe sent, read strictly and as it is."""
        answer = act(self._client().v1)
        body = answer.last_response.body.encode()
        return read_object(body, at_most=LARGEST_ANSWER, sender="Stripe")

    def _guarded(self, act: Callable[[], Found], *, changes: bool) -> Found:
        try:
            return act()
        except Exception as error:  # the client lets AttributeError and others through
            failure = failure_of(error, changes=changes, secret=self._key)
        # Outside the handler: the client's exception can quote the Authorization header.
        raise failure

    def _client(self) -> Any:
        with self._lock:
            if self._built is None or self._built[0] != os.getpid():
                self._built = (os.getpid(), self._build())
            return self._built[1]

    def _build(self) -> Any:
        session = requests.Session()
        for prefix in tuple(session.adapters):
            session.mount(prefix, OneTry(self._deadline))
        session.auth = lambda request: request  # else a netrc file may replace our key
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session = session
        return stripe.StripeClient(
            self._key,
            base_addresses={"api": self._base, "files": files_of(self._base)},
            max_network_retries=0,
            http_client=stripe.RequestsClient(timeout=self._timeout, session=session),
        )


def files_of(base: str) -> str:
    """Where files go: Stripe takes them at an address of their own, a stand-in at its only one."""
    return FILES if base == STRIPE_API else base


def _page(page: Object, read: Callable[[Object], Found]) -> tuple[list[Found], bool, str]:
    """What is read of a page, whether there is more, and the id it ends with."""
    listed = rows(page)
    last = str(listed[-1].get("id") or "") if listed else ""
    return [read(row) for row in listed], page.get("has_more") is True, last
