"""Rendered bodies, kept compressed in this process until the next moment their words change."""

from __future__ import annotations

import gzip
import hashlib
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from threading import Lock

from flask import Response, request
from werkzeug.http import parse_accept_header

MOST_BYTES = 32 * 1024 * 1024
OVERHEAD = 600  # bytes an entry costs beside its body
LEVEL = 6  # of gzip: nearly as small as 9, in four fifths of the time


@dataclass(frozen=True, slots=True)
class Body:
    """One rendered body. `until` is when it must be made again; `etag` tells its content."""

    packed: bytes
    etag: str
    until: datetime
    is_final: bool

    @classmethod
    def of(cls, text: str, until: datetime, is_final: bool) -> Body:
        """Pack a rendered page."""
        raw = text.encode()
        # mtime 0: equal pages have equal bytes
        packed = gzip.compress(raw, compresslevel=LEVEL, mtime=0)
        return cls(packed, hashlib.sha256(raw).hexdigest()[:32], until, is_final)

    def response(self) -> Response:
        """The answer to this request: compressed if the reader takes that, 304 if it is known."""
        response = self._whole() if self._is_news() else Response(status=304)
        # Weak: the same words packed or not. A strong one would have to differ between the two.
        response.headers["ETag"] = f'W/"{self.etag}"'
        return response

    def _is_news(self) -> bool:
        known = "HTTP_IF_NONE_MATCH" in request.environ
        return not (known and request.if_none_match.contains_weak(self.etag))

    def _whole(self) -> Response:
        if not _takes_gzip(request.environ.get("HTTP_ACCEPT_ENCODING", "")[:500]):
            return Response(gzip.decompress(self.packed), mimetype="text/html")
        response = Response(self.packed, mimetype="text/html")
        response.headers["Content-Encoding"] = "gzip"
        return response


@lru_cache(maxsize=256)
def _takes_gzip(accepted: str) -> bool:
    return parse_accept_header(accepted)["gzip"] > 0


class Shelf:
    """A bounded store of bodies; the least recently asked for makes room."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._bytes = 0
        self._bodies: OrderedDict[Hashable, Body] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, now: datetime) -> Body | None:
        """The body under this key while its words still hold."""
        with self._lock:
            body = self._bodies.get(key)
            if body is None or body.until <= now:
                return None
            self._bodies.move_to_end(key)
            return body

    def put(self, key: Hashable, body: Body) -> Body:
        """Keep a body, in the place of what was there."""
        with self._lock:
            old = self._bodies.pop(key, None)
            self._bytes += _cost(body) - (_cost(old) if old else 0)
            self._bodies[key] = body
            while self._bytes > self._most and self._bodies:
                _, gone = self._bodies.popitem(last=False)
                self._bytes -= _cost(gone)
        return body

    def __len__(self) -> int:
        return len(self._bodies)


def _cost(body: Body) -> int:
    return len(body.packed) + OVERHEAD
