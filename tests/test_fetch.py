"""Fetching from addresses that strangers give: the open internet alone, whatever they try."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal import fetch as fetching
from portal.fetch import FetchError, fetch, is_open

V4_INSIDE = [
    *("127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    *("0.0.0.0", "169.254.169.254", "169.254.170.2", "100.64.0.1", "100.100.100.200"),  # noqa: S104
    *("192.0.0.192", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.51.100.7", "203.0.113.9"),
    *("224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
]
V6_INSIDE = [
    *("::", "::1", "fe80::1", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "100::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1"),
    *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1"),
    *("2002:7f00:1::", "2002:a9fe:a9fe::", "2001:0:7f00:1::", "2001:db8::1", "3fff::1", "5f00::1"),
]
OUTSIDE = ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]


class Sink(BaseHTTPRequestHandler):
    """Answers as its server's `answer` says, and counts who came."""

    def do_GET(self) -> None:
        self.server.seen.append((self.path, dict(self.headers)))  # type: ignore[attr-defined]
        self.server.answer(self)  # type: ignore[attr-defined]

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def sink() -> Iterator[ThreadingHTTPServer]:
    """A web server on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    server.seen, server.answer = [], reply(b"hello")  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.fixture
def allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let 127.0.0.1 alone stand for the open internet."""
    monkeypatch.setattr(fetching, "EXCEPTIONS", (ip_network("127.0.0.1/32"),))


def reply(body: bytes, status: int = 200, **headers: str) -> Callable[[Sink], None]:
    def answer(request: Sink) -> None:
        request.send_response(status)
        for name, value in ({"Content_Length": str(len(body))} | headers).items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(body)

    return answer


def url_of(server: ThreadingHTTPServer, host: str = "127.0.0.1", path: str = "/a.png") -> str:
    return f"http://{host}:{server.server_port}{path}"


@pytest.mark.parametrize("address", [*V4_INSIDE, *V6_INSIDE])
def test_an_address_inside_is_not_open(address: str) -> None:
    assert not is_open(ip_address(address))


@pytest.mark.parametrize("address", OUTSIDE)
def test_an_address_outside_is(address: str) -> None:
    assert is_open(ip_address(address))


@given(st.ip_addresses(v=4))
def test_a_coat_changes_nothing(address: object) -> None:
    for coat in ("::ffff:", "64:ff9b::"):
        assert is_open(ip_address(f"{coat}{address}")) == is_open(address)  # type: ignore[arg-type]
    assert not is_open(ip_address(f"::{address}"))


WAYS_HOME = [
    "127.0.0.1",
    "localhost",
    "LOCALHOST.",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "0",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::]",
    "１２７.０.０.１",
    "①②⑦.0.0.1",
]


@pytest.mark.parametrize("host", WAYS_HOME)
def test_no_spelling_of_this_machine_is_reached(sink: ThreadingHTTPServer, host: str) -> None:
    with pytest.raises(FetchError):
        fetch(url_of(sink, host), 1000)
    assert sink.seen == []  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "pictures/a.png",
        "//example.com/a.png",
        "ftp://example.com/a.png",
        "file:///etc/passwd",
        "gopher://127.0.0.1:25/x",
        "data:image/png;base64,AAAA",
        "javascript:alert(1)",
        "http://",
        "http:///a.png",
        "https://user:password@example.com/a.png",
        "http://example.com:0/",
        "http://example.com:99999/",
        "http://[::1/",
        "http://" + "a" * 300 + ".com/",
        "http://exa mple.com/",
        "http://\ud800.com/",
    ],
    ids=ascii,
)
def test_what_is_no_web_address_is_refused_for_good(url: str) -> None:
    with pytest.raises(FetchError) as caught:
        fetch(url, 1000)
    if "exa mple" not in url:
        assert caught.value.permanent


def test_what_is_there_is_fetched(sink: ThreadingHTTPServer, allowed: None) -> None:
    assert (
        fetch(url_of(sink, path="/über uns/a b.png?x=ü&y=%20#frag"), 1000, "image/png") == b"hello"
    )
    [(path, headers)] = sink.seen  # type: ignore[attr-defined]
    assert path == "/%C3%BCber%20uns/a%20b.png?x=%C3%BC&y=%20"
    assert headers["Host"] == f"127.0.0.1:{sink.server_port}"
    assert headers["Accept"] == "image/png"
    assert not {"Cookie", "Authorization", "Referer"} & set(headers)


@pytest.mark.parametrize("onward", ["127.0.0.2", "localhost.localdomain", "[::1]", "127.2"])
def test_a_redirect_inside_is_not_followed(
    sink: ThreadingHTTPServer, allowed: None, onward: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "STEP_SECONDS", 2.0)
    sink.answer = reply(b"", 302, Location=url_of(sink, onward, "/secret"))  # type: ignore[attr-defined]
    with pytest.raises(FetchError):
        fetch(url_of(sink), 1000)
    assert [path for path, _ in sink.seen] == ["/a.png"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("onward", ["file:///etc/passwd", "gopher://x/", "//[", "http://u:p@x/"])
def test_a_redirect_out_of_the_web_is_not_followed(
    sink: ThreadingHTTPServer, allowed: None, onward: str
) -> None:
    sink.answer = reply(b"", 302, Location=onward)  # type: ignore[attr-defined]
    with pytest.raises(FetchError) as caught:
        fetch(url_of(sink), 1000)
    assert caught.value.permanent


def test_three_redirects_are_followed_and_no_more(sink: ThreadingHTTPServer, allowed: None) -> None:
    def answer(request: Sink) -> None:
        left = int(request.path.rpartition("/")[2])
        there = reply(b"", 302, Location=f"/{left - 1}") if left else reply(b"there")
        there(request)

    sink.answer = answer  # type: ignore[attr-defined]
    assert fetch(url_of(sink, path="/3"), 1000) == b"there"
    with pytest.raises(FetchError, match="leads on"):
        fetch(url_of(sink, path="/4"), 1000)


def test_a_name_that_changes_its_mind_gains_nothing(
    sink: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first answer of the resolver is checked; nobody asks it again."""
    answers = [["93.184.216.34"], ["127.0.0.1"]]
    asked = []

    def resolve(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [(0, 0, 0, "", (each, port)) for each in answers[min(len(asked), 2) - 1]]

    def connect(address: tuple[str, int], *_: object) -> socket.socket:
        assert address[0] == "93.184.216.34"
        reached = socket.socket()
        reached.connect(("127.0.0.1", sink.server_port))
        return reached

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)
    assert fetch("http://changing.example/a.png", 1000) == b"hello"
    assert asked == ["changing.example"]
    assert sink.seen[0][1]["Host"] == "changing.example"  # type: ignore[attr-defined]


def test_one_address_inside_spoils_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        return [(0, 0, 0, "", (each, port)) for each in ("93.184.216.34", "10.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(FetchError, match="not on the open internet"):
        fetch("http://mixed.example/a.png", 1000)


@pytest.mark.parametrize(
    ("status", "permanent"), [(404, True), (403, True), (204, True), (500, False), (429, False)]
)
def test_only_what_may_pass_is_tried_again(
    sink: ThreadingHTTPServer, allowed: None, status: int, permanent: bool
) -> None:
    sink.answer = reply(b"", status)  # type: ignore[attr-defined]
    with pytest.raises(FetchError) as caught:
        fetch(url_of(sink), 1000)
    assert caught.value.permanent is permanent
    assert str(status) in str(caught.value)


def test_what_is_too_large_is_not_read(sink: ThreadingHTTPServer, allowed: None) -> None:
    for headers in ({}, {"Content_Length": "99999999999"}):
        sink.answer = reply(b"x" * 1001, **headers)  # type: ignore[attr-defined]
        with pytest.raises(FetchError, match="larger"):
            fetch(url_of(sink), 1000)

    def endless(request: Sink) -> None:
        request.send_response(200)
        request.end_headers()
        try:
            while True:
                request.wfile.write(b"x" * 100)
        except OSError:
            return

    sink.answer = endless  # type: ignore[attr-defined]
    with pytest.raises(FetchError, match="larger"):
        fetch(url_of(sink), 1000)


def test_what_ends_early_is_tried_again(sink: ThreadingHTTPServer, allowed: None) -> None:
    sink.answer = reply(b"half", Content_Length="8")  # type: ignore[attr-defined]
    with pytest.raises(FetchError) as caught:
        fetch(url_of(sink), 1000)
    assert not caught.value.permanent


def test_a_server_that_drips_is_cut_off(
    sink: ThreadingHTTPServer, allowed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "TOTAL_SECONDS", 0.6)

    def drip(request: Sink) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        try:
            for _ in range(200):
                request.wfile.write(b"x")
                time.sleep(0.05)
        except OSError:
            return

    sink.answer = drip  # type: ignore[attr-defined]
    with pytest.raises(FetchError) as caught:
        fetch(url_of(sink), 1000)
    assert not caught.value.permanent


def test_nobody_there_is_tried_again(allowed: None) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(FetchError) as caught:
        fetch(f"http://127.0.0.1:{port}/", 1000)
    assert not caught.value.permanent
