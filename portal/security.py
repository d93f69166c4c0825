"""What every request passes and every response carries: hosts, sizes, headers, CSP, CSRF."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
from functools import lru_cache
from typing import IO, Any, cast
from urllib.parse import urlsplit

from flask import Flask, Request, Response, abort, current_app, g, request, session
from markupsafe import Markup
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.utils import cached_property
from werkzeug.wsgi import LimitedStream

from portal.keys import is_signed, settings, sign
from portal.models import ShopFront
from portal.sessions import BrowserSession
from portal.tenancy import scoped

BODY_BYTES = 1024 * 1024
FORM_MEMORY_BYTES = 256 * 1024
FORM_PARTS = 200
# Forms that photos come with: five of ten megabytes, and some room.
PHOTO_FORMS = frozenset({"returns.answer", "staff.rma_receipt", "staff.receiving_count"})
PHOTO_FORM_BYTES = 52 * 1024 * 1024
FORM_HOURS = 12  # how long a form that stays open can still be sent
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
STRIPE_CHECKOUT = "https://checkout.stripe.com"
HOST = re.compile(
    r"(?:(?P<name>[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)|\[(?P<v6>[0-9a-f:.]+)\])(?::\d{1,5})?",
    re.ASCII,
)


class Capped(LimitedStream):
    """A body that does not tell its length: refused where it passes the limit, never cut there."""

    def __init__(self, stream: IO[bytes], most: int) -> None:
        super().__init__(stream, most + 1, is_max=True)
        self._most = most

    def readinto(self, buffer: Any) -> int | None:
        """Read on. Raises RequestEntityTooLarge past the limit."""
        count = super().readinto(buffer)
        if self._pos > self._most:
            raise RequestEntityTooLarge
        return count


class Incoming(Request):
    """A request whose limits hold for bodies sent in chunks, too."""

    @cached_property
    def stream(self) -> IO[bytes]:
        """The body, bounded by `max_content_length`."""
        most = self.max_content_length
        if most is None or self.content_length is not None:
            return super().stream
        if "wsgi.input_terminated" not in self.environ:
            return super().stream
        return cast(IO[bytes], Capped(self.environ["wsgi.input"], most))


def init_security(app: Flask) -> None:
    """Install the gates in the order a request meets them."""
    app.config |= {
        "MAX_CONTENT_LENGTH": BODY_BYTES,
        "MAX_FORM_MEMORY_SIZE": FORM_MEMORY_BYTES,
        "MAX_FORM_PARTS": FORM_PARTS,
    }
    proxies = app.extensions["porchlight"].trusted_proxies
    if proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=0
        )
    app.request_class = Incoming
    app.before_request(enter_shop)
    app.after_request(add_headers)
    app.teardown_request(leave_shop)


def init_forms(app: Flask) -> None:
    """Install the gate of forms. After the brand is taken: what it refuses is said on a page."""
    app.before_request(check_csrf)
    app.jinja_env.globals.update(csrf_field=csrf_field)


# --- the shop -----------------------------------------------------------------------------------


def enter_shop() -> None:
    """Find the shop from the Host header, once. An unknown host is told so and sees nothing."""
    g.shop_id = 0
    g.shop = None
    if request.endpoint in current_app.config["WITHOUT_SHOP"]:
        return
    shop = _shop_of(request)
    if shop is None:
        abort(421)
    g.shop = shop
    g.shop_id = shop.id
    g.scope = scoped(shop.id)
    g.scope.__enter__()


def leave_shop(_error: BaseException | None) -> None:
    """Close the scope that `enter_shop` opened."""
    scope = g.pop("scope", None)
    if scope is not None:
        scope.__exit__(None, None, None)


def _shop_of(incoming: Request) -> ShopFront | None:
    host = hostname(incoming)
    if not host:
        return None
    return ShopFront.at(host) or (ShopFront.default() if host in bare_hosts() else None)


def hostname(incoming: Request) -> str:
    """The host name a request was sent to, lower case, without port; '' when it is malformed."""
    found = HOST.fullmatch(incoming.environ.get("HTTP_HOST", "").lower())
    return (found["name"] or found["v6"]) if found else ""


def bare_hosts() -> frozenset[str]:
    """The house's own names: BASE_URL's, and on one machine every way to say "here"."""
    host = urlsplit(settings().base_url).hostname or ""
    if settings().is_https:
        return frozenset({host})
    return frozenset({host, "localhost", "127.0.0.1", "::1"})


# --- forms --------------------------------------------------------------------------------------


def csrf_token() -> str:
    """A token for one form: bound to the browser, to the shop and to the hour it was made."""
    g.needs_session = True
    stamp = f"{int(time.time()):x}"
    return f"{stamp}.{sign('form', _form_subject(stamp))}"


def csrf_field() -> Markup:
    """The hidden field every form carries."""
    return Markup('<input type="hidden" name="csrf_token" value="{}">').format(csrf_token())


def check_csrf() -> None:
    """Refuse an unsafe request that does not come from one of our own pages."""
    if request.method in SAFE_METHODS or request.blueprint in current_app.config["CSRF_EXEMPT"]:
        return
    if request.endpoint is None:
        return
    if request.endpoint in PHOTO_FORMS:
        request.max_content_length = PHOTO_FORM_BYTES
    if request.mimetype == "application/x-www-form-urlencoded":
        # Read in one piece, so that the limit on what a form may take up does not bind it.
        request.max_content_length = FORM_MEMORY_BYTES
    if _is_from_elsewhere(request):
        abort(403, "This form was sent from another site. Open the page again and send it there.")
    if not _is_ours(request.form.get("csrf_token", "")):
        abort(400, "This form is too old. Go back, load the page again and send it once more.")


def _is_from_elsewhere(incoming: Request) -> bool:
    """Whether the browser says that another site sent this.

    Our pages send no referrer, for which browsers also hide the origin: a form of our own comes
    with `Origin: null`. So does a stranger's, but the browser tells the two apart in
    Sec-Fetch-Site, and without that word the form's token decides.
    """
    if incoming.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}:
        return True
    origin = incoming.headers.get("Origin", "null")
    host = incoming.environ.get("HTTP_HOST", "").lower()
    return origin != "null" and origin.lower() not in {f"http://{host}", f"https://{host}"}


def _is_ours(token: str) -> bool:
    stamp, _, signature = token.partition(".")
    if not re.fullmatch(r"[0-9a-f]{1,12}", stamp):
        return False
    age = time.time() - int(stamp, 16)
    return -60 <= age <= FORM_HOURS * 3600 and is_signed("form", _form_subject(stamp), signature)


def _form_subject(stamp: str) -> str:
    browser: BrowserSession = session._get_current_object()  # type: ignore[attr-defined]
    return f"{g.shop_id}:{browser.sid}:{stamp}"


# --- headers ------------------------------------------------------------------------------------


def content_hash(text: str) -> str:
    """The CSP source that allows exactly this inline style."""
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


STRICT = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(self), geolocation=(), microphone=()"),
    ("Cache-Control", "no-store"),
)
STRICT_HTTPS = (*STRICT, ("Strict-Transport-Security", "max-age=63072000; includeSubDomains"))


def add_headers(response: Response) -> Response:
    """Give every response the strict set. A view may only tighten it, or name its inline style."""
    headers = response.headers
    policy = _policy((*g.get("inline_styles", ()),), (*current_app.config["CHECKOUT_ORIGINS"],))
    strict = STRICT_HTTPS if settings().is_https else STRICT
    given = {name.lower() for name in headers.keys()}  # noqa: SIM118 - iterating gives pairs
    for name, value in (("Content-Security-Policy", policy), *strict):
        if name.lower() not in given:
            headers.add(name, value)
    return response


@lru_cache(maxsize=256)
def _policy(styles: tuple[str, ...], checkouts: tuple[str, ...]) -> str:
    style = " ".join(["'self'", *styles])
    pay = " ".join(dict.fromkeys([STRIPE_CHECKOUT, *checkouts]))
    return (
        "default-src 'none'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
        f"script-src 'self'; style-src {style}; form-action 'self' {pay}; "
        "base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
    )


def is_same(given: str, expected: str) -> bool:
    """Compare two secrets in constant time, whatever characters came in."""
    return hmac.compare_digest(
        given.encode("utf-8", "surrogatepass"), expected.encode("utf-8", "surrogatepass")
    )
