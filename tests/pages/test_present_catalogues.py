"""German is complete, and what is compiled is what is written."""

import io
import re
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

import portal

ROOT = Path(portal.__file__).parent
FOLDER = ROOT / "translations" / "de" / "LC_MESSAGES"
KEYWORDS = {"_": None, "gettext": None, "N_": None, "ngettext": (1, 2), "plural": (1, 2)}
VALUE = re.compile(r"%\((\w+)\)[sd]")


def written() -> Catalog:
    with (FOLDER / "messages.po").open("rb") as file:
        return read_po(file, locale="de")


def test_every_text_is_there_in_german() -> None:
    methods = [("**/templates/**.html", "jinja2"), ("**.py", "python")]
    found = extract_from_dir(ROOT, methods, keywords=KEYWORDS)
    said = {message.id[0] if isinstance(message.id, tuple) else message.id: message
            for message in written() if message.id}  # fmt: skip
    missing, count = [], 0
    for _file, _line, text, _comments, _context in found:
        key = text[0] if isinstance(text, tuple) else text
        count += 1
        if key not in said or said[key].fuzzy or not all(_forms(said[key].string)):
            missing.append(key)
    assert missing == []
    assert count > 200


def test_translations_keep_every_value_of_their_text() -> None:
    for message in written():
        if not message.id:
            continue
        # One and many, in both languages: each form has the values of its own text.
        for text, form in zip(_forms(message.id), _forms(message.string), strict=True):
            assert set(VALUE.findall(form)) == set(VALUE.findall(text)), message.id


def test_the_compiled_catalogue_is_the_written_one() -> None:
    compiled = io.BytesIO()
    write_mo(compiled, written())
    assert (FOLDER / "messages.mo").read_bytes() == compiled.getvalue()


def _forms(text: object) -> tuple[str, ...]:
    return tuple(map(str, text)) if isinstance(text, tuple) else (str(text),)
