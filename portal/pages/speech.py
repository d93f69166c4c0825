"""The one door to gettext: typed, and the same outside a request, where texts stay English."""

from flask_babel import ngettext

from portal.format import translated

__all__ = ["N_", "_", "plural"]


def _(text: str, **values: object) -> str:
    """`text` in the language of the request, its %(name)s filled in."""
    said = translated(text)
    return said % values if values else said


def plural(one: str, many: str, num: int, **values: object) -> str:
    """The right form for `num`, which texts name %(num)d."""
    return str(ngettext(one, many, num, **values))


def N_(text: str) -> str:  # noqa: N802 - the name gettext tools know
    """Mark `text` for translation without translating it yet."""
    return text
