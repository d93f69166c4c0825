"""Fetch the files of labels from where the provider keeps them, and keep them ourselves."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Final
from urllib.parse import urlsplit

from carriers.easypost_labels import LabelDesk
from portal import clock, label_files
from portal.config import is_loopback
from portal.db import session, writing
from portal.fetch import FetchError, fetch
from portal.jobs.work import wait_after
from portal.keys import settings
from portal.models import Label, Return
from portal.models.due import Lease, finish, holds
from portal.models.rma_news import label_ready

HERE: Final = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
TRIES: Final = 6  # then the page leads to the provider's own file


def keep_files(lease: Lease, desk: LabelDesk | None) -> None:
    """Keep a bought label as PDF and picture. Until then the provider's own files are shown."""
    label = session.get(Label, lease.subject)
    *urls, code = (label.png_url, label.pdf_url, label.qr_url) if label else ("", "", "")
    session.rollback()
    problem, again = "", False
    place = (lease.shop_id, lease.subject)
    if desk is not None and not label_files.is_kept(*place, code=bool(code)):
        try:
            png, pdf = (_fetch(desk, url) if url else b"" for url in urls)
            label_files.keep(*place, png, pdf)
            if code:
                label_files.keep_code(*place, _fetch(desk, code))
        except FetchError as error:
            problem, again = f"Its file could not be fetched: {error}", not error.permanent
        except label_files.Unusable as error:
            problem = str(error)
    _end(lease, problem, again=again)


def _fetch(desk: LabelDesk, url: str) -> bytes:
    if not desk.is_label_file(url):
        raise FetchError("It does not lie with the provider.")
    rehearsal = is_loopback(urlsplit(settings().easypost_api_base).hostname)
    return fetch(url, label_files.MOST_BYTES, also=HERE if rehearsal else ())


def _end(lease: Lease, problem: str, *, again: bool) -> None:
    with writing(synchronous="NORMAL"):
        known = session.get(Label, lease.subject)
        # The order first, as everybody does: a message to be planned holds on to it too.
        rma = Return.locked(known.rma_id) if known is not None else None
        label = Label.locked(lease.subject)
        if not holds(lease):
            return
        if label is not None and label.status == "done":
            label.problem = problem
        retry = again and lease.attempts < TRIES
        if label is not None and rma is not None and label.status == "done" and not retry:
            label_ready(rma, label.id, clock.now())
        again_at = clock.now() + wait_after(lease.attempts) if retry else None
        finish(lease, again_at=again_at, failed=retry)
