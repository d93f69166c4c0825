"""The way in by a link: whose it is, whether it still works, and what is said when it does not."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from flask import Response, abort, make_response, redirect, render_template, url_for
from flask import session as browser_session

from portal.pages.brand import site_urls, url_in
from portal.pages.load import Opened, open_link
from portal.security import is_same
from portal.sessions import BrowserSession


def browser() -> BrowserSession:
    """The session of the running request, with the digest the database knows it by."""
    return cast(BrowserSession, browser_session._get_current_object())  # type: ignore[attr-defined]


def enter(token: str, now: datetime) -> Opened:
    """The link with this token, if it works here and now.

    404 for a token that is unknown, another shop's or another browser's; 410 with the lookup form
    for one that has ended.
    """
    link = open_link(token)
    if link is None or (link.browser and not is_same(browser().digest, link.browser)):
        abort(404)
    if link.has_ended(now):
        abort(guard(make_response(_gone(), 410)))
    return link


def _gone() -> str:
    # The number is not filled in: the link may be in the wrong hands by now.
    return render_template("tracking/gone.html", form={}, errors={})


def guard(response: Response) -> Response:
    """Keep a page behind a link out of indexes, and apart by reader."""
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Vary"] = "Accept-Language, Cookie, Accept-Encoding"
    return response


def see(url: str) -> Response:
    """303: what was sent is done; look there now."""
    return make_response(redirect(url, 303))


def order_urls(token: str) -> dict[str, str | None]:
    """The URLs of an order's pages, beside those every page knows."""
    return site_urls() | {
        "page": url_in("tracking.page", token=token),
        "live": url_in("tracking.live", token=token),
        "events": url_for("events.listen", token=token),
        "calendar": url_in("tracking.arrival", token=token),
        "updates": url_in("updates.wishes", token=token),
        "return": url_in("returns.start", token=token),
        "claim": url_in("claims.form", token=token),
        "protection": url_in("protection.page", token=token),
        "code": url_in("codes.enter_code", token=token),
        "again": url_in("codes.enter_code", token=token),
    }
