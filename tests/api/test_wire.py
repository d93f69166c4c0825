"""Bodies as they travel: in chunks, too long, compressed; against the server that shops run."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator

import pytest
from flask import Flask

from portal.db import db, session
from tests.conftest import bearer
from tests.served import say, serving

MIB = 1024 * 1024


@pytest.fixture
def port(app: Flask, sqlite_url: str) -> Iterator[int]:
    """The port of the site with fern's database."""
    with serving(sqlite_url) as found:
        yield found


def chunked(body: bytes, size: int = 7000) -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def post(port: int, token: dict[str, str], body: bytes, *headers: str) -> tuple[int, dict]:  # type: ignore[type-arg]
    """POST these bytes as an order; gives (status, reply)."""
    head = [
        "POST /api/v1/orders HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        f"Authorization: {token['Authorization']}",
        "Content-Type: application/json",
        "Connection: close",
        *headers,
    ]
    said = say(port, "\r\n".join(head).encode() + b"\r\n\r\n" + body)
    top, _, rest = said.partition(b"\r\n\r\n")
    return int(top.split(b" ")[1]), json.loads(rest)


def test_bodies_as_they_travel(port: int) -> None:
    token = bearer()
    session.remove()
    db.engine.dispose()
    in_chunks = "Transfer-Encoding: chunked"

    status, reply = post(port, token, chunked(b'{"number": "chunked"}', 3), in_chunks)
    assert (status, reply["number"]) == (201, "chunked")

    body = b'{"number": "1"' + b" " * MIB + b"}"
    for sent, header in (
        (chunked(body), in_chunks),
        (body, f"Content-Length: {len(body)}"),
    ):
        status, reply = post(port, token, sent, header)
        assert (status, reply["status"]) == (413, 413)
        assert "1 MiB" in reply["detail"]

    bomb = gzip.compress(b" " * 50 * MIB)
    for coding, sent in (("gzip", bomb), ("deflate", zlib.compress(b" " * MIB)), ("br", b"x")):
        length = f"Content-Length: {len(sent)}"
        status, reply = post(port, token, sent, length, f"Content-Encoding: {coding}")
        assert status == 415, coding

    status, reply = post(port, token, b"", "Content-Length: 0")
    assert status == 422
