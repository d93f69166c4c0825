"""A return's label as a file of ours; until it is kept, at the provider's."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from flask import Response, abort, make_response, redirect

from portal.config import is_loopback
from portal.keys import settings
from portal.label_files import TYPES, path_of
from portal.models import Label, Return
from portal.models.label import labels_of
from portal.pages.speech import _

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-store",
}


def label_file(rma: Return, form: str) -> Response:
    """The newest label that can be used, as `pdf` or `png`; 404 while there is none.

    As `code` it is what stands for it at a counter, where the provider has one.
    """
    bought = [each for each in labels_of(rma.id) if each.status == "done"]
    if not bought:
        abort(404, _("The label is not here yet. It follows within the hour."))
    label = bought[-1]
    try:
        content = path_of(label.shop_id, label.id, form).read_bytes()
    except FileNotFoundError:
        return _at_the_provider(label, form)
    answer = make_response(content)
    answer.headers["Content-Type"] = TYPES[form]
    name = f"code-{rma.number}.png" if form == "code" else f"label-{rma.number}.{form}"
    answer.headers["Content-Disposition"] = f'inline; filename="{name}"'
    answer.headers.update(HEADERS)
    return answer


def _at_the_provider(label: Label, form: str) -> Response:
    """The provider's own file, in whatever form there is one."""
    urls = {"pdf": label.pdf_url or label.png_url, "png": label.png_url, "code": label.qr_url}
    wanted = urls[form]
    parts = urlsplit(wanted)
    rehearsal = is_loopback(urlsplit(settings().easypost_api_base).hostname)
    if parts.scheme != "https" and not (rehearsal and is_loopback(parts.hostname)):
        abort(404, _("The label is not here yet. It follows within the hour."))
    return make_response(redirect(wanted, 302))
