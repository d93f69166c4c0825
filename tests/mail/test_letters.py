"""Every mail in every look and language: short, whole, legible, with one button and a way out."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone
from html.parser import HTMLParser

import pytest
from flask import Flask

from portal.format import LOCALES
from portal.mail import ClaimFacts, Facts, Item, ReturnFacts, render
from portal.mail.claim_words import CLAIM_WORDS
from portal.mail.law_words import LAW_WORDS
from portal.mail.return_words import RETURN_WORDS
from portal.mail.words import NEEDS_ACT, WORDS, words_of
from themes import load, themes

LINK = "https://track.fern.example/t/kX3mVq9Lr2TzB7nWc5YpHdAf"
FACTS = Facts(
    "FF-1042",
    link=LINK,
    choose=f"{LINK}/updates",
    carrier="UPS",
    at=datetime(2026, 11, 26, 14, 20, tzinfo=timezone(timedelta(hours=-6))),
    eta=date(2026, 11, 28),
    items=(
        Item("Olive tree", "Terracotta pot", 1, "https://track.fern.example/media/pic_1"),
        Item("Stoneware teapot", "Moss", 2),
    ),
)
PAGE = "https://track.fern.example/r/Zk3mVq9Lr2TzB7nWc5YpHdAf"
RETURN = ReturnFacts(
    "FF-1042-R1",
    day="Thursday 31 December",
    reason="It was worn outside.",
    todo=("Pack everything that belongs to it.", "Print the label and stick it on."),
    amounts=(("Refund", "$1,942.00"), ("Store credit", "$18.50")),
    after="What you get for it is sent by Thursday 3 December.",
    label=f"{PAGE}/label",
    code=f"{PAGE}/label?as=code",
    accepted=1,
    judged=2,
    other="Shirt, large",
    order="FF-1042-X1",
    ends="Thursday 26 November 2027",
)


CLAIM = ClaimFacts(
    "FF-1042-C1",
    day="Thursday 31 December",
    reason="It is worth more than its cover, so a person decides.",
    amount="$1,942.00",
    wanted="Money back",
)


@dataclass
class House:
    name: str = "Fern & Fable"
    support_email: str = "hello@fern.example"
    origin: str = "https://track.fern.example"


class Seen(HTMLParser):
    """Links, pictures and words of a mail."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.pictures: list[dict[str, str | None]] = []
        self.buttons = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a":
            self.links.append(given["href"] or "")
            self.buttons += given.get("class") == "button"
        if tag == "img":
            self.pictures.append(given)
        assert tag not in {"script", "form", "link", "iframe", "video"}
        assert not any(name.startswith("on") for name in given)


def facts_of(kind: str) -> tuple[str, Facts]:
    if kind == "code":
        return kind, Facts("FF-1042", code="804213", purpose="lift")
    if kind in RETURN_WORDS:
        return kind, replace(FACTS, link=PAGE, rma=RETURN)
    if kind in CLAIM_WORDS:
        return kind, replace(FACTS, link=PAGE, claim=CLAIM)
    if kind in NEEDS_ACT:
        return "needs_act", replace(FACTS, status=kind)
    return kind, replace(FACTS, first_eta=date(2026, 11, 26) if kind == "late" else None)


SPEAK_OF_NO_CARRIER = {
    *("available_for_pickup", "question"),
    *(*RETURN_WORDS, *CLAIM_WORDS, *LAW_WORDS),
}
CASES = list(itertools.product(WORDS, themes(), LOCALES))


@pytest.mark.parametrize(("kind", "theme", "locale"), CASES)
def test_every_mail_is_whole(app: Flask, kind: str, theme: str, locale: str) -> None:
    named, facts = facts_of(kind)
    letter = render(named, facts, House(), load(theme), locale)
    seen = Seen(letter.html)
    assert len(letter.subject) <= 50
    assert "1042" in letter.subject
    hidden = re.search(r'<div style="display:none[^>]*>([^&]+)', letter.html)
    assert hidden
    assert 30 <= len(hidden[1]) <= 90
    assert hidden[1] not in letter.subject
    assert len(letter.html.encode()) < 40_000
    assert f'<html lang="{locale}" dir="ltr">' in letter.html
    for meta in ("color-scheme", "supported-color-schemes"):
        assert f'<meta name="{meta}" content="light dark">' in letter.html
    assert "@media (prefers-color-scheme: dark)" in letter.html
    assert seen.buttons == (0 if kind == "code" else 1)
    assert all(picture["width"] for picture in seen.pictures)
    # A picture of what is in the parcel says nothing that its title does not; a code does.
    for picture in seen.pictures:
        assert bool(picture["alt"]) == ("as=code" in (picture["src"] or ""))
    assert all(line == "-- " or len(line) <= 76 or "://" in line for line in lines(letter.text))
    for link in seen.links:
        assert link.removeprefix("mailto:") in letter.text or link == House.origin
    assert "None" not in letter.text + letter.html
    assert "%(" not in letter.text + letter.html


def lines(text: str) -> list[str]:
    return text.split("\n")


@pytest.mark.parametrize("kind", [kind for kind in WORDS if kind != "code"])
def test_every_mail_does_without_what_is_not_known(app: Flask, kind: str) -> None:
    named, facts = facts_of(kind)
    bare = Facts("7", status=facts.status, rma=ReturnFacts("7-R1" if facts.rma.number else ""))
    letter = render(named, bare, House(support_email=""), load("fern"), "en")
    assert Seen(letter.html).buttons == 0
    assert "The carrier" in letter.text or kind in SPEAK_OF_NO_CARRIER


def test_a_language_we_do_not_speak_is_english(app: Flask) -> None:
    for locale in ("fr", "", "xx-YY", "zh_Hant_TW"):
        letter = render("shipped", FACTS, House(), load("fern"), locale)
        assert letter.subject == "Order FF-1042 is on its way"
        assert '<html lang="en"' in letter.html


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}}{% raw %}",
    "%(number)s %s {0.__class__}",
    "a\r\nBcc: eve@example.com",
    "\u202eevil\u2066\x00",
    "x" * 900,
]


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_nothing_a_shop_sends_breaks_out_of_its_place(app: Flask, text: str) -> None:
    rma = replace(RETURN, reason=text, todo=(text,), after=text, other=text, amounts=((text, "1"),))
    items = (Item(text, text, 1, "", text),)
    facts = replace(FACTS, number=text, carrier=text, items=items, rma=rma)
    for kind in ("shipped", "late", "delivered", *RETURN_WORDS):
        letter = render(kind, facts, House(name=text), load("fern"), "en")
        Seen(letter.html)  # refuses scripts and handlers
        assert "49" not in letter.subject
        assert not set("\r\n") & set(letter.subject)
        assert len(letter.subject) <= 60
        assert "\u202e" not in letter.text


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    ("kind", "first", "when"),
    [
        ("shipped", date(2026, 11, 26), "Arrives Thursday 26 November to Saturday 28 November"),
        ("shipped", date(2026, 11, 28), "Arrives Saturday 28 November"),
        ("late", date(2026, 11, 27), "Arrives Friday 27 November to Saturday 28 November"),
    ],
)
def test_a_mail_names_the_days_of_the_window(kind: str, first: date, when: str) -> None:
    facts = replace(FACTS, eta_from=first, first_eta=date(2026, 11, 25))
    words = words_of(kind, facts, "en")
    assert words.when == when
    if kind == "late":
        assert words.subject == "New date for order FF-1042: by Sat 28 Nov"
