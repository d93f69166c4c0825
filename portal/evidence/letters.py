"""Any text as what a PDF can show, with fonts that come along or that every reader has.

Latin is set in Vera, which is inside the file; Chinese, Japanese, Korean, Greek and Russian in the
fonts that PDF readers bring. Whatever neither has is named in brackets, never dropped in silence:
the facts beside the summary have every text as it was written.
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from html import escape
from itertools import groupby
from typing import Final

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont

PLAIN: Final = "Vera"
BOLD: Final = "VeraBd"
HAN, KANA, HANGUL = "STSong-Light", "HeiseiMin-W3", "HYSMyeongJo-Medium"
UNSEEN: Final = ("Cc", "Cf", "Cs", "Co", "Cn", "Mn", "Me", "Zl", "Zp")
# Letters that neither font has, as passports write them.
LIKE: Final = dict(
    zip("іІїЇєЄґҐўЎ", ("i", "I", "i", "I", "ie", "Ie", "g", "G", "u", "U"), strict=True)
)
_lock = threading.Lock()


def load_fonts() -> None:
    """Make the fonts known, once a process."""
    with _lock:
        if PLAIN in pdfmetrics.getRegisteredFontNames():
            return
        for name in (HAN, KANA, HANGUL):
            pdfmetrics.registerFont(UnicodeCIDFont(name))
        for name in (BOLD, PLAIN):
            pdfmetrics.registerFont(TTFont(name, f"{name}.ttf"))
        pdfmetrics.registerFontFamily(PLAIN, normal=PLAIN, bold=BOLD, italic=PLAIN, boldItalic=BOLD)


def markup(text: str, at_most: int = 6_000) -> str:
    """A text as a paragraph's markup: what looks like markup in it is text.

    >>> markup("a <b>\\u202ebold</b> move")
    'a &lt;b&gt;bold&lt;/b&gt; move'
    """
    load_fonts()
    whole = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
    cut = whole if len(whole) <= at_most else whole[:at_most] + " … (the rest is in facts.json)"
    east = KANA if any("\u3040" <= each <= "\u30ff" for each in cut) else HAN
    runs = groupby(_placed(cut, east), key=lambda pair: pair[0])
    return "".join(_run(font, "".join(shown for _, shown in pairs)) for font, pairs in runs)


def _run(font: str, words: str) -> str:
    safe = escape(words, quote=False).replace("\n", "<br/>")
    return f'<font name="{font}">{safe}</font>' if font else safe


def _placed(text: str, east: str) -> Iterator[tuple[str, str]]:
    """Each letter with the font that has it, "" for the paragraph's own; a script named once."""
    named, gap = "", ""
    for letter in text:
        font, shown = ("", letter) if letter in "\n\t " else _place(letter, east)
        if named and letter == " ":
            gap += letter
            continue
        if font == "?":
            if shown != named:
                yield "", f"{gap}[{shown}]"
        elif shown:
            yield font, gap + shown
        if shown:
            named, gap = shown if font == "?" else "", ""
    yield "", gap


@lru_cache(maxsize=4096)
def _place(letter: str, east: str) -> tuple[str, str]:
    """The font of a letter and how it is written; "?" with a name where no font has it."""
    kind = unicodedata.category(letter)
    if kind in UNSEEN:
        return "", ""
    if _has(letter):
        return "", letter
    if font := _eastern(letter, east):
        return font, letter
    if letter in LIKE:
        return "", LIKE[letter]
    plain = "".join(each for each in unicodedata.normalize("NFKD", letter) if _has(each))
    if plain:
        return "", plain
    name = unicodedata.name(letter, "unknown sign").lower()
    return "?", f"{name.split()[0]} letters" if kind[0] in "LN" or kind == "Mc" else name


def _has(letter: str) -> bool:
    return ord(letter) in pdfmetrics.getFont(PLAIN).face.charToGlyph


def _eastern(letter: str, east: str) -> str:
    """The reader's font that has a letter: the sets of GB 2312, JIS X 0208 and KS X 1001."""
    if "\uac00" <= letter <= "\ud7a3":
        font, charset = HANGUL, "euc_kr"
    elif east == KANA:
        font, charset = KANA, "euc_jp"
    else:
        font, charset = HAN, "gbk"
    try:
        letter.encode(charset)
    except UnicodeEncodeError:
        return ""
    return font
