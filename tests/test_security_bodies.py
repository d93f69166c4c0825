"""What is too large is refused before it is read, in whatever wrapping it comes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from portal.hooks.easypost import MOST_BYTES as HOOK_BYTES
from portal.security import BODY_BYTES, FORM_MEMORY_BYTES
from tests.conftest import bearer, running_app
from tests.pages.browser import Browser
from tests.served import say, serving

HOOK = {"EASYPOST_WEBHOOK_SECRET": "a-hook-secret"}


def multipart(about: str, content: bytes) -> dict[str, Any]:
    """One part, as a browser sends it."""
    head = f"--edge\r\nContent-Disposition: form-data; {about}\r\n\r\n".encode()
    return {
        "data": head + content + b"\r\n--edge--\r\n",
        "content_type": "multipart/form-data; boundary=edge",
    }


def test_forms_are_capped(app: Flask) -> None:
    browser = Browser(app)
    for size, status in ((FORM_MEMORY_BYTES - 200, 400), (FORM_MEMORY_BYTES + 1, 413)):
        answer = browser.open("/track", "POST", data={"number": "x" * size})
        assert answer.status_code == status
        answer = browser.open("/track", "POST", **multipart('name="number"', b"x" * size))
        assert answer.status_code == status


def test_files_and_the_number_of_fields_are_capped(app: Flask) -> None:
    browser = Browser(app)
    file = multipart('name="photo"; filename="a.jpg"', b"x" * (BODY_BYTES + 1))
    assert browser.open("/track", "POST", **file).status_code == 413
    many = {f"n{n}": "x" for n in range(201)}
    kind = "multipart/form-data"
    assert browser.open("/track", "POST", data=many, content_type=kind).status_code == 413


def test_json_is_capped(app: Flask) -> None:
    token = bearer()
    for size, status in ((BODY_BYTES - 100, 422), (BODY_BYTES + 1, 413)):
        body = b'{"number": "' + b"x" * size + b'"}'
        answer = Browser(app).open(
            "/api/v1/orders", "POST", data=body, content_type="application/json", headers=token
        )
        assert answer.status_code == status
        assert answer.mimetype == "application/problem+json"


def test_a_hook_is_capped(sqlite_url: str) -> None:
    for app in running_app(sqlite_url, **HOOK):
        for size, status in ((HOOK_BYTES, 401), (HOOK_BYTES + 1, 413)):
            answer = Browser(app).open("/hooks/easypost/fern", "POST", data=b"x" * size)
            assert answer.status_code == status


@pytest.fixture(scope="module")
def served(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    path = tmp_path_factory.mktemp("served") / "porchlight.db"
    shutil.copy(migrated_sqlite, path)
    for _ in running_app(f"sqlite:///{path}"):
        token = bearer()["Authorization"]
    with serving(f"sqlite:///{path}", **HOOK) as port:
        yield port, token


Served = tuple[int, str]


def chunked(size: int) -> bytes:
    chunk = b"%x\r\n%s\r\n" % (65536, b"x" * 65536)
    return chunk * (size // 65536) + b"0\r\n\r\n"


@pytest.mark.parametrize(
    ("path", "kind", "refused"),
    [
        ("/track", "application/x-www-form-urlencoded", b" 400 "),
        ("/track", "multipart/form-data; boundary=edge", b" 400 "),
        ("/hooks/easypost/fern", "application/json", b" 401 "),
        ("/api/v1/orders", "application/json", b" 422 "),
    ],
)
def test_a_body_in_chunks_is_capped_too(
    served: Served, path: str, kind: str, refused: bytes
) -> None:
    port, token = served
    head = (
        f"POST {path} HTTP/1.1\r\nHost: fern.localhost:8000\r\nConnection: close\r\n"
        f"Authorization: {token}\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n"
    ).encode()
    assert refused in say(port, head + chunked(65536)).split(b"\r\n")[0]
    assert b" 413 " in say(port, head + chunked(2 * BODY_BYTES)).split(b"\r\n")[0]


def test_a_length_that_is_a_lie_or_no_number_is_no_fault_of_ours(served: Served) -> None:
    for length in (b"-1", b"1e9", b"99999999999999999999", b"5, 6"):
        request = (
            b"POST /track HTTP/1.1\r\nHost: fern.localhost:8000\r\nConnection: close\r\n"
            b"Content-Length: %s\r\n\r\nabc" % length
        )
        said = say(served[0], request)
        assert said.split(b" ")[1] in {b"400", b"413"}, (length, said[:100])
