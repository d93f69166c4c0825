"""Fetch a file from an address somebody else gave: from the open internet alone, within limits.

A name is resolved here, every address it has is looked at, and the connection goes to an address
that was looked at: a name that changes its mind in between gains nothing. So does no redirect.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from portal.deadline import cut_after

REDIRECTS = 3
TOTAL_SECONDS = 20.0  # of one hop, however slowly it drips
STEP_SECONDS = 5.0
PORTS = {"http": 80, "https": 443}
TRY_AGAIN = frozenset({408, 425, 429})
OPEN_V6 = ip_network("2000::/3")
NAT64 = ip_network("64:ff9b::/96")
# What Python calls global, or forgets, and leads inside, nowhere or through somebody's tunnel.
CLOSED = tuple(
    ip_network(each)
    for each in (
        *("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "224.0.0.0/3"),
        *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
    )
)
Address = IPv4Address | IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
EXCEPTIONS: tuple[Network, ...] = ()  # inside, yet allowed


class FetchError(Exception):
    """Nothing was fetched. `str()` says why; `permanent`: trying again is hopeless."""

    def __init__(self, text: str, *, permanent: bool = True) -> None:
        super().__init__(text)
        self.permanent = permanent


def fetch(url: str, most_bytes: int, accept: str = "*/*", also: Sequence[Network] = ()) -> bytes:
    """The content at `url` (http or https), at most `most_bytes` of it. Raises FetchError.

    `also` are networks inside that may be asked for this one: a rehearsal's stand-in.
    """
    for _ in range(REDIRECTS + 1):
        parts = check_url(url)
        answer = _ask(parts, most_bytes, accept, also)
        if isinstance(answer, bytes):
            return answer
        url = _onward(parts, answer)
    raise FetchError(f"It leads on to other places more than {REDIRECTS} times.")


def post(url: str, body: bytes, headers: Mapping[str, str], also: Sequence[Network] = ()) -> int:
    """Send `body` and give the status of the answer; no redirect is followed. Raises FetchError.

    `also` as for `fetch`.
    """
    parts = check_url(url)
    connection = _connection(parts, also)
    told = {"User-Agent": "Porchlight", "Connection": "close", **headers}
    with _answered(connection), cut_after(TOTAL_SECONDS, lambda: connection.open_socket):
        connection.request("POST", _target(parts), body, told)
        with connection.getresponse() as response:
            return response.status


def is_open(address: Address, also: Sequence[Network] = ()) -> bool:
    """Whether an address lies on the open internet: not this machine, a network of ours, a tunnel.

    An IPv4 address in an IPv6 coat (mapped, or behind NAT64) is judged by what it is.
    """
    if any(address in network for network in (*EXCEPTIONS, *also)):
        return True
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped
        if inner is None and address in NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_open(inner, also)
        if address not in OPEN_V6:
            return False
    return address.is_global and not any(address in network for network in CLOSED)


def _onward(parts: SplitResult, location: str) -> str:
    try:
        return urljoin(parts.geturl(), location)
    except ValueError as error:
        raise FetchError("It leads on to an address that cannot be read.") from error


def check_url(url: str) -> SplitResult:
    """The parts of a URL we may ask. Raises FetchError."""
    try:
        parts = urlsplit(url.strip())
        _ = parts.port
        host = (parts.hostname or "").encode("idna").decode()
    except ValueError as error:  # UnicodeError is one
        raise FetchError("The address cannot be read.") from error
    if parts.scheme not in PORTS or not host:
        raise FetchError("The address does not begin with https:// or http://.")
    if parts.username is not None or parts.port == 0:
        raise FetchError("The address holds a name, a password or a port that none has.")
    return parts


def _ask(parts: SplitResult, most_bytes: int, accept: str, also: Sequence[Network]) -> bytes | str:
    """One request: the content, or where it leads on to."""
    connection = _connection(parts, also)
    told = {
        "Accept": accept,
        "Accept-Encoding": "identity",
        "User-Agent": "Porchlight",
        "Connection": "close",
    }
    with _answered(connection), cut_after(TOTAL_SECONDS, lambda: connection.open_socket):
        connection.request("GET", _target(parts), headers=told)
        with connection.getresponse() as response:
            return _read(response, most_bytes)


def _connection(parts: SplitResult, also: Sequence[Network]) -> _Pinned:
    host = (parts.hostname or "").encode("idna").decode()
    port = parts.port or PORTS[parts.scheme]
    return _Pinned(host, port, _addresses(host, port, also), parts.scheme == "https")


def _target(parts: SplitResult) -> str:
    path = quote(parts.path or "/", safe="/%:=&~+!$,;@'()*")
    return f"{path}?{quote(parts.query, safe='/%:=&?~+!$,;@()*')}" if parts.query else path


@contextmanager
def _answered(connection: HTTPConnection) -> Iterator[None]:
    """What goes wrong on the way becomes a FetchError; the connection is closed."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise FetchError("Its certificate is not valid.") from error
    except (OSError, HTTPException, ValueError) as error:
        text = f"It did not answer as a web server does ({type(error).__name__})."
        raise FetchError(text, permanent=False) from error
    finally:
        connection.close()


def _addresses(host: str, port: int, also: Sequence[Network]) -> list[str]:
    """The addresses of a host, all of them open. Raises FetchError."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise FetchError("Its name is not known.", permanent=False) from error
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    if not addresses or not all(is_open(ip_address(each), also) for each in addresses):
        raise FetchError("It lies on a machine that is not on the open internet.")
    return addresses


def _read(response: HTTPResponse, most_bytes: int) -> bytes | str:
    status, onward = response.status, response.getheader("Location")
    if status in (301, 302, 303, 307, 308) and onward:
        return onward
    if status != 200:
        raise FetchError(
            f"The server answered {status}.", permanent=status < 500 and status not in TRY_AGAIN
        )
    too_large = FetchError(f"It is larger than {most_bytes // 1_000_000} MB.")
    if (response.length or 0) > most_bytes:
        raise too_large
    content = response.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise too_large
    if response.length:
        raise FetchError("It ended early.", permanent=False)
    return content


class _Pinned(HTTPConnection):
    """A connection to addresses that were looked at; the name is for the other side and TLS."""

    def __init__(self, host: str, port: int, addresses: Sequence[str], is_tls: bool) -> None:
        super().__init__(host, port, timeout=STEP_SECONDS)
        self.default_port = PORTS["https" if is_tls else "http"]
        self.open_socket: socket.socket | None = None
        self._addresses = addresses
        self._is_tls = is_tls

    def connect(self) -> None:
        """Connect to the first address that takes the call. Raises OSError."""
        for n, address in enumerate(self._addresses, 1):
            try:
                reached = socket.create_connection((address, self.port), STEP_SECONDS)
                break
            except OSError:
                if n == len(self._addresses):
                    raise
        if self._is_tls:
            trust = ssl.create_default_context()
            reached = trust.wrap_socket(reached, server_hostname=self.host)
        self.sock = self.open_socket = reached
