"""The templates, rendered with every state: complete without JavaScript, safe, and small."""

import gzip
import html.parser
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask, render_template
from flask_babel import Babel
from markupsafe import Markup

import themes
from portal.pages.present import present
from tests.pages.samples import FERN, NOW, STATES, VOLTA, fern, sample

URLS = {
    "home": "/", "icon": "/icon.svg", "script": "/static/live.js", "live": "/t/x/live",
    "updates": "/t/x/updates", "support": "mailto:hello@fern.example", "page": "/t/x",
    "drawing": "/static/pictures/drawing.svg", "calendar": "/t/x/arrival.ics", "track": "/track",
    "lookup": "/track", "code": "/t/x/code", "again": "/t/x/code/new", "return": "/t/x/return",
}  # fmt: skip
ROUND_TRIP = 14_600  # bytes: ten packets of 1,460, what a server may send before the first answer


@pytest.fixture(scope="module")
def app() -> Flask:
    found = Flask("portal")
    Babel(found, locale_selector=lambda: found.config.get("LOCALE", "en"))
    found.jinja_env.globals["csrf_field"] = lambda: Markup('<input type="hidden" name="csrf">')
    return found


@pytest.fixture
def render(app: Flask) -> Iterator[object]:
    def rendered(template: str, brand: str = "fern", locale: str = "en", **more: object) -> str:
        app.config["LOCALE"] = locale
        theme = themes.load(brand)
        with app.test_request_context():
            return render_template(
                template,
                shop=FERN if brand == "fern" else VOLTA,
                theme=theme,
                critical_css=themes.stylesheet(theme),
                locale=locale,
                urls=URLS,
                **more,
            )

    return rendered


def tracking(render, state: str, brand: str = "fern", order=None) -> str:
    facts, shop = sample(brand, state)
    page = present(order or facts, shop, NOW, "en")
    return render("tracking/page.html", brand, page=page)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("brand", ["fern", "volta"])
def test_a_page_fits_the_first_round_trip(render, state: str, brand: str) -> None:
    assert len(gzip.compress(tracking(render, state, brand).encode(), 6)) < ROUND_TRIP * 2 // 3


@pytest.mark.parametrize("state", sorted(set(STATES) - {"placed", "cancelled"}))
def test_the_six_details_are_there_for_every_parcel(render, state: str) -> None:
    markup = tracking(render, state)
    parcels = len(sample("fern", state)[0].parcels)
    for track in ("stepper", "carrier", "number", "history", "items"):
        assert markup.count(f'data-track="{track}"') == parcels, track
    assert markup.count('data-track="eta"') == parcels + (parcels > 1)


def test_nothing_inline_but_the_sheet_and_nothing_from_elsewhere(render) -> None:
    for state in STATES:
        markup = tracking(render, state)
        assert " style=" not in markup
        assert not re.search(r"\son[a-z]+=", markup)
        assert re.findall(r"<script[^>]*>", markup) == ['<script src="/static/live.js" defer>']
        assert markup.count("<style>") == 1
        assert 'name="robots" content="noindex"' in markup
        assert not re.search(r'(src|href)="https?://(?!www\.(ups|dhl)\.com)', markup)


def test_the_number_is_whole_and_leads_to_the_carrier(render) -> None:
    markup = tracking(render, "moving")
    link = re.search(r'<a class="number"[^>]*>(.*?)</a>', markup)
    assert link is not None
    assert re.sub(r"<[^>]+>", "", link[1]) == "1Z5R89W30310058842"
    assert 'rel="noopener noreferrer"' in link[0]


def test_done_steps_say_so_and_one_is_current(render) -> None:
    markup = tracking(render, "moving")
    assert markup.count('aria-current="step"') == 1
    assert markup.count("(Completed)") == 2


def test_hostile_words_stay_words(render) -> None:
    evil = '"><script>alert(1)</script><img src=x onerror=y>'
    parcel = fern().parcels[0]
    scans = tuple(replace(told, city=evil, region=evil, message=evil) for told in parcel.scans)
    items = tuple(replace(item, title=evil, variant=evil) for item in parcel.items)
    hostile = fern(carrier_name=evil, tracking_number=evil, service=evil, scans=scans, items=items,
                   id=evil)  # fmt: skip
    order = replace(hostile, number=evil, destination_city=evil)
    markup = tracking(render, "moving", order=order)
    assert "<script>alert" not in markup
    assert "<img src=x" not in markup


FORMS = {
    "form": {"number": "1042", "proof": "a@b.example"}, "errors": {}, "message": "", "matches": [],
    "carrier_guess": None, "sent_to": "a•••@example.com", "chosen": {"late"}, "saved": True,
    "request_id": "01K9",
}  # fmt: skip
OTHERS = [
    "tracking/lookup.html", "tracking/code.html", "tracking/gone.html", "tracking/updates.html",
    *(f"errors/{code}.html" for code in (400, 403, 404, 413, 429, 500)),
]  # fmt: skip


class Balance(html.parser.HTMLParser):
    """Notes every element that is opened and not closed, or closed and not open."""

    void = frozenset({"meta", "link", "input", "img", "br", "wbr", "path", "circle"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in self.void:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value or "" for name, value in attrs if name == "id"]

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


@pytest.mark.parametrize("locale", ["en", "de"])
@pytest.mark.parametrize("template", OTHERS)
def test_every_other_page_renders_whole(render, template: str, locale: str) -> None:
    page = present(*sample("fern", "moving"), NOW, locale)
    markup = render(template, locale=locale, page=page, **FORMS)
    assert f'<html lang="{locale}">' in markup
    balance = Balance()
    balance.feed(markup)
    assert (balance.wrong, balance.open) == ([], [])
    assert len(balance.ids) == len(set(balance.ids))


@pytest.mark.parametrize("state", STATES)
def test_every_tracking_page_is_well_formed(render, state: str) -> None:
    balance = Balance()
    balance.feed(tracking(render, state))
    assert (balance.wrong, balance.open) == ([], [])
    assert len(balance.ids) == len(set(balance.ids))


def test_a_form_ties_hint_and_error_to_its_field(render) -> None:
    errors = {"number": "Enter your order number."}
    markup = render("tracking/lookup.html", **(FORMS | {"errors": errors}))
    assert 'aria-describedby="number-hint number-error"' in markup
    assert '<a href="#number">Enter your order number.</a>' in markup
    assert "<title>Error: " in markup


def test_the_reader_in_germany_reads_german(render, app: Flask) -> None:
    app.config["LOCALE"] = "de"
    with app.test_request_context():
        page = present(*sample("fern", "late"), NOW, "de")
        assert page.hero.text == "Ankunft Montag, 30. November"
        assert page.hero.was == "bisher Dienstag, 24. November"
        assert page.parcels[0].history.newest[0].name == "Gestern"
    assert "Stimmt etwas nicht?" in render("tracking/page.html", locale="de", page=page)


@pytest.mark.parametrize("name", ["pictures/drawing.svg", "pictures/CREDITS.md", "live.js"])
def test_what_the_pages_name_is_there(app: Flask, name: str) -> None:
    answer = app.test_client().get(f"/static/{name}")
    assert answer.status_code == 200
    assert len(answer.data) < (4_000 if name.endswith(".js") else 10_000)
    answer.close()


def test_a_delivered_parcel_offers_help_when_it_is_not_there(render) -> None:
    assert "It says delivered, but it is not here" in tracking(render, "delivered")
    assert "It says delivered" not in tracking(render, "moving")
