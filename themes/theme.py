"""A brand's look and voice, read from its folder."""

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path

HERE = Path(__file__).parent
TOKENS = HERE / "base" / "tokens.css"
LAYERS = "@layer reset,base,components,theme,utilities;"
TOKEN = re.compile(r"(--[a-z-]+):\s*([^;]+);")
DARK = "@media (prefers-color-scheme: dark)"
ICON_SCHEMES = (
    "<style>svg{{color:{light}}}@media(prefers-color-scheme:dark){{svg{{color:{dark}}}}}</style>"
)


@dataclass(frozen=True)
class Voice:
    """How a brand speaks in one language; every field is a whole sentence or a heading."""

    help_title: str
    reply_time: str
    unshipped: str
    delivered: str
    lookup_title: str
    lookup_line: str


@dataclass(frozen=True, eq=False)  # one object a theme: load() keeps it
class Theme:
    """One brand. `tokens` holds "light" and "dark"; `version` changes with anything in the look."""

    name: str
    label: str
    picture: str
    tokens: Mapping[str, Mapping[str, str]]
    css: str
    logo: Path
    logo_svg: str
    voice: Mapping[str, Voice]
    version: str

    def voice_in(self, locale: str) -> Voice:
        """The voice in the language of `locale`, English where it has none."""
        return self.voice.get(re.split("[_-]", locale)[0], self.voice["en"])

    @property
    def icon_svg(self) -> str:
        """The logo as a file of its own, in the brand's colour for either scheme."""
        style = ICON_SCHEMES.format(
            light=self.tokens["light"]["--brand"], dark=self.tokens["dark"]["--brand"]
        )
        return self.logo_svg.replace(">", f">{style}", 1)


@lru_cache(maxsize=32)
def load(name: str) -> Theme:
    """The theme in the folder `name`. Raises LookupError, naming the themes there are."""
    if name not in themes():
        raise LookupError(f"there is no theme {name!r}; there are: {', '.join(themes())}")
    folder = HERE / name
    about = tomllib.loads((folder / "theme.toml").read_text("utf-8"))
    css = (folder / "theme.css").read_text("utf-8")
    logo = folder / "logo.svg"
    markup = logo.read_text("utf-8").strip()
    seen = (
        TOKENS.read_text("utf-8")
        + _base()
        + css
        + markup
        + (folder / "theme.toml").read_text("utf-8")
    )
    return Theme(
        name=name,
        label=about["name"],
        picture=about["picture"],
        tokens=tokens(css),
        css=css,
        logo=logo,
        logo_svg=markup,
        voice={language: _voice(name, said) for language, said in about["voice"].items()},
        version=hashlib.sha256(seen.encode()).hexdigest()[:12],
    )


@lru_cache(maxsize=1)
def themes() -> tuple[str, ...]:
    """The names of all themes: the folders that hold a theme.toml."""
    return tuple(sorted(path.parent.name for path in HERE.glob("*/theme.toml")))


@lru_cache(maxsize=32)
def stylesheet(theme: Theme) -> str:
    """Base and theme as one small sheet, made to stand inside the page's `<style>`."""
    return LAYERS + minified(_base() + _values(theme))


def _values(theme: Theme) -> str:
    """Every token once, with the theme's value where it sets one: shorter than both sheets."""
    known = tokens(TOKENS.read_text("utf-8"))
    light = {**known["light"], **theme.tokens["light"]}
    dark = {**known["dark"], **theme.tokens["dark"]}
    darker = {name: value for name, value in dark.items() if value != light[name]}
    return f"@layer theme{{:root{{{_set(light)}}}{DARK}{{:root{{{_set(darker)}}}}}}}"


def _set(values: Mapping[str, str]) -> str:
    return "".join(f"{name}:{value};" for name, value in values.items())


def tokens(css: str) -> dict[str, dict[str, str]]:
    """The token values set in `css` for light and for dark; dark inherits what it does not set."""
    bare = re.sub(r"/\*.*?\*/", "", css, flags=re.S)
    light, _found, dark = bare.partition(DARK)
    plain = {name: value.strip() for name, value in TOKEN.findall(light)}
    return {
        "light": plain,
        "dark": plain | {name: value.strip() for name, value in TOKEN.findall(dark)},
    }


def minified(css: str) -> str:
    """`css` without comments and needless blanks. Knows the plain CSS of this folder, no more."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.S)
    css = re.sub(r"\s+", " ", css)
    css = re.sub(r" ?([{};,>]) ?", r"\1", css)
    return css.replace(": ", ":").replace(";}", "}").strip()


@lru_cache(maxsize=1)
def _base() -> str:
    sheets = sorted(set((HERE / "base").glob("*.css")) - {TOKENS})
    return "".join(path.read_text("utf-8") for path in sheets)


def _voice(name: str, said: Mapping[str, str]) -> Voice:
    known = {field.name for field in fields(Voice)}
    if set(said) != known:
        odd = ", ".join(sorted(known ^ set(said)))
        raise ValueError(f"the voice of theme {name!r} lacks or does not know: {odd}")
    return Voice(**said)
