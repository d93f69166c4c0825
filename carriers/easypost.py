"""The EasyPost adapter, on the real `easypost` client.

The client brings the key, the addresses and the session. What we take out of its hands: it would
repeat a GET that timed out four times, sleep through Retry-After for hours, follow redirects, read
bodies without end, and let foreign exceptions through. Here a call is one request on the wire, and
ends in an answer or in one CarrierError.
"""

import os
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final
from urllib.parse import urlsplit

import easypost
from easypost.errors import EasyPostError
from easypost.requestor import RequestMethod, Requestor

from carriers.contract import BadPayload, CarrierError, Rejected, Tracking
from carriers.easypost_facts import STATUSES, normalise, read_time
from carriers.easypost_hooks import Event, read_event, sign, verify_signature
from carriers.easypost_wire import LARGEST_ANSWER, OneTry, refusal, transport_failure
from carriers.reading import read_object

__all__ = [
    "STATUSES",
    "EasyPost",
    "Event",
    "Webhook",
    "normalise",
    "read_event",
    "sign",
    "verify_signature",
]

API_BASE: Final = "https://api.easypost.com/v2"
MOST_AT_ONCE: Final = 100
_TRACKER_ID: Final = re.compile(r"trk_[0-9a-f]{32}")
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Webhook:
    """A hook as EasyPost keeps it; `disabled_at` is set once it has given up on our address."""

    id: str
    url: str
    mode: str
    disabled_at: datetime | None


class EasyPost:
    """Ask EasyPost about parcels. Threads may share one; a forked process builds its own session.

    `timeout` is (connect, read) in seconds, `deadline` the most one whole answer may take.
    Raises ValueError for a key or base that cannot be meant.
    """

    code = "easypost"
    name = "EasyPost"

    def __init__(
        self,
        api_key: str,
        api_base: str = API_BASE,
        timeout: tuple[float, float] = (3.0, 15.0),
        deadline: float = 30.0,
    ) -> None:
        if not re.fullmatch(r"[!-~]+", api_key):
            raise ValueError("The EasyPost API key is empty or holds blanks; copy it again.")
        parts = urlsplit(api_base)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise ValueError("The EasyPost address must be https, except on this machine itself.")
        self._key = api_key
        self._base = api_base.rstrip("/")
        self._timeout = timeout
        self._deadline = deadline
        self._lock = threading.Lock()
        self._told = threading.local()  # headers of the last answer to this thread
        self._built: tuple[int, Any] | None = None

    def open_tracker(self, carrier: str | None, number: str) -> Tracking:
        """Follow a parcel. Safe to repeat: within three months the same tracker comes back."""
        wanted = {"tracking_code": number} | ({"carrier": carrier} if carrier else {})
        return normalise(self._call(RequestMethod.POST, "/trackers", {"tracker": wanted}))

    def open_trackers(self, numbers: Sequence[str]) -> list[Tracking]:
        """Follow up to 100 parcels in one call; EasyPost finds the carriers itself."""
        if len(numbers) > MOST_AT_ONCE:
            raise Rejected("EasyPost takes at most 100 numbers at once; nothing was sent.")
        if not numbers:
            return []
        sent = {"tracking_codes": list(numbers)}
        return _each(self._call(RequestMethod.POST, "/trackers/batch", sent))

    def read_tracker(self, provider_id: str) -> Tracking:
        """Ask about a parcel that is being followed. Its carrier is not asked anew."""
        if not _TRACKER_ID.fullmatch(provider_id):
            # The client puts ids into the address as they are.
            raise Rejected("This is not the id of an EasyPost tracker; nothing was sent.")
        found = normalise(self._call(RequestMethod.GET, f"/trackers/{provider_id}"))
        if found.provider_id != provider_id:
            raise BadPayload("EasyPost answered about another parcel; nothing of it was used.")
        return found

    def find(
        self, number: str, carrier: str | None = None, *, since: datetime | None = None
    ) -> list[Tracking]:
        """Trackers of `number`, newest first. EasyPost looks back one month unless `since` says."""
        asked: dict[str, Any] = {"tracking_codes[]": [number], "page_size": 100}
        if carrier:
            asked["carrier"] = carrier
        if since:
            asked["start_datetime"] = since.isoformat()
        return _each(self._call(RequestMethod.GET, "/trackers", asked))

    def webhooks(self) -> list[Webhook]:
        """The hooks of this account, for the check that they still arrive."""
        rows = _rows(self._call(RequestMethod.GET, "/webhooks"), "webhooks")
        return [
            Webhook(
                id=str(row.get("id")),
                url=str(row.get("url")),
                mode=str(row.get("mode")),
                disabled_at=read_time(row.get("disabled_at"))[0],
            )
            for row in rows
        ]

    def sent_about_trackers(self) -> dict[str, datetime]:
        """The newest events about parcels, up to 100 of all kinds: id, and when it was sent.

        They are there whether or not a hook took them, so what never came can be told.
        """
        rows = _rows(self._call(RequestMethod.GET, "/events", {"page_size": 100}), "events")
        found = {}
        for row in rows:
            at = read_time(row.get("created_at"))[0]
            if at is not None and str(row.get("description")).startswith("tracker."):
                found[str(row.get("id"))] = at
        return found

    def told_at(self) -> datetime | None:
        """The other side's clock in its last answer to this thread, in whole seconds."""
        said = getattr(self._told, "headers", {}).get("Date")
        try:
            return parsedate_to_datetime(said) if said else None
        except ValueError:
            return None

    def _call(
        self, method: RequestMethod, path: str, params: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """One request; its answer as an object. Raises CarrierError and nothing else.

        Every call we make may be repeated, so a lost answer is Transient, not OutcomeUnknown.
        """
        failure: CarrierError
        body, status = "", 0
        try:
            requestor = Requestor(self._client())
            body, status = requestor.request_raw(method=method, url=path, params=params)
        except EasyPostError as error:
            failure = transport_failure(error)
        else:
            headers: Mapping[str, str] = getattr(self._told, "headers", {})
            if not 200 <= status < 300:
                failure = refusal(status, headers, body, secret=self._key)
            else:
                answer = _answer(body)
                if "error" not in answer or "id" in answer:
                    return answer
                failure = refusal(422, headers, body, secret=self._key)
        # Outside the handler: the client's exception can quote the Authorization header.
        raise failure

    def _client(self) -> Any:
        with self._lock:
            if self._built is None or self._built[0] != os.getpid():
                self._built = (os.getpid(), self._build())
            return self._built[1]

    def _build(self) -> Any:
        client = easypost.EasyPostClient(self._key, api_base=self._base, timeout=self._timeout)
        session = client._requests_session
        for prefix in tuple(session.adapters):
            session.mount(prefix, OneTry(self._deadline))
        session.auth = lambda request: request  # else a netrc file may replace our key
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        client.subscribe_to_response_hook(self._hear)
        return client

    def _hear(self, *, headers: Mapping[str, str], **_: object) -> None:
        self._told.headers = headers


def _answer(body: str) -> dict[str, Any]:
    return read_object(body.encode("utf-8"), at_most=LARGEST_ANSWER, sender="EasyPost")


def _each(answer: Mapping[str, Any]) -> list[Tracking]:
    return [normalise(row) for row in _rows(answer, "trackers")]


def _rows(answer: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    rows = answer.get(name)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BadPayload(f"EasyPost sent no list of {name}; nothing of it was used.")
    return rows
