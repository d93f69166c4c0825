"""Mails in the brand's look: the words of each kind, and one letter they are set in."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple, Protocol

from flask import render_template
from flask_babel import force_locale

from portal.format import LOCALES
from portal.mail.facts import ClaimFacts, Facts, Item, ReturnFacts, plain
from portal.mail.words import words_of
from themes import Theme

__all__ = [
    "ClaimFacts",
    "Facts",
    "Item",
    "Letter",
    "ReturnFacts",
    "Sender",
    "look",
    "plain",
    "reading",
    "render",
]

TEXT_COLUMNS = 76
COLOUR = re.compile(r"^#[0-9a-fA-F]{3,8}$")
COLOURS = {  # used where a theme sets no plain colour
    "canvas": ("#f7f7f5", "#121413"),
    "surface": ("#fdfdfc", "#1b1e1c"),
    "ink": ("#1b1d1c", "#ecefed"),
    "muted": ("#5c615e", "#a6ada8"),
    "line": ("#e0e1dd", "#313632"),
    "brand": ("#1f4f8a", "#9cc3f2"),
    "on-brand": ("#fdfdfc", "#0d1c2e"),
}


class Sender(Protocol):
    """What a mail needs of a shop."""

    name: str
    support_email: str
    origin: str


class Letter(NamedTuple):
    """A mail ready to be sent."""

    subject: str
    text: str
    html: str


def render(kind: str, facts: Facts, shop: Sender, theme: Theme, locale: str) -> Letter:
    """The mail of `kind` in the language of `locale`; English where we do not speak it.

    Needs an app context. Raises LookupError for a kind there is none of.
    """
    language, dates = reading(locale)
    facts = replace(facts, number=plain(facts.number), carrier=plain(facts.carrier))
    with force_locale(language):
        said = words_of(kind, facts, dates)
        context = {
            "kind": kind,
            "said": said,
            "facts": facts,
            "shop": shop,
            "voice": theme.voice_in(language),
            "language": language,
            "look": look(theme),
            "fonts": _fonts(theme),
            "wrapped": _wrapped,
            "one_line": plain,
        }
        text = render_template("mail/letter.txt", **context)
        html = render_template("mail/letter.html", **context)
    return Letter(said.subject, re.sub(r"\n{3,}", "\n\n", text).strip() + "\n", html)


def reading(locale: str) -> tuple[str, str]:
    """The language a mail is in for a reader of `locale`, and the locale its dates follow."""
    found = re.split("[_-]", locale)[0]
    language = found if found in LOCALES else "en"
    return language, locale if found == language else language


def look(theme: Theme) -> dict[str, tuple[str, str]]:
    """The colours of a mail, each as light and dark; only plain ones, so that clients know them."""
    return {
        name: (
            _colour(theme.tokens["light"], name, light),
            _colour(theme.tokens["dark"], name, dark),
        )
        for name, (light, dark) in COLOURS.items()
    }


def _colour(tokens: Mapping[str, str], name: str, default: str) -> str:
    value = tokens.get(f"--{name}", default)
    return value if COLOUR.match(value) else default


def _fonts(theme: Theme) -> tuple[str, str]:
    tokens = theme.tokens["light"]
    text = tokens.get("--text", "-apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif")
    return tokens.get("--display", text).replace('"', "'"), text.replace('"', "'")


def _wrapped(text: str) -> str:
    return textwrap.fill(text, TEXT_COLUMNS, break_long_words=False, break_on_hyphens=False)
