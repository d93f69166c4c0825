"""A theme sets known tokens and nothing else, and is legible in both schemes."""

import re

import pytest

import themes
from themes.theme import HERE, minified, tokens

BASE = tokens((HERE / "base" / "tokens.css").read_text("utf-8"))
TEXT_ON = [
    ("--ink", "--canvas"), ("--ink", "--surface"), ("--ink", "--sunken"),
    ("--muted", "--canvas"), ("--muted", "--surface"),
    ("--brand", "--canvas"), ("--brand", "--surface"), ("--brand", "--brand-soft"),
    ("--on-brand", "--brand"), ("--on-bar", "--bar"), ("--bar-mark", "--bar"),
    ("--ok", "--surface"), ("--warn", "--surface"), ("--bad", "--surface"),
    *((ink, soft) for soft in ("--brand-soft", "--ok-soft", "--warn-soft", "--bad-soft")
      for ink in ("--ink", "--muted")),
    ("--ok", "--ok-soft"), ("--warn", "--warn-soft"), ("--bad", "--bad-soft"),
]  # fmt: skip
PARTS_ON = [("--edge", "--surface"), ("--edge", "--canvas"), ("--brand", "--surface")]
SHAPE = re.compile(
    r"@layer theme\{:root\{(--[a-z-]+:[^;{}]+;?)+\}"
    r"@media \(prefers-color-scheme:dark\)\{:root\{(--[a-z-]+:[^;{}]+;?)+\}\}\}"
)


def luminance(colour: str) -> float:
    """Relative luminance of "#rrggbb" as WCAG 2 defines it."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def full(short: str) -> str:
    return short if len(short) == 7 else "#" + "".join(c * 2 for c in short[1:])


def test_the_measure_itself() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", [*themes.themes(), "base"])
def test_every_pair_is_legible(name: str, scheme: str) -> None:
    set_here = {} if name == "base" else themes.load(name).tokens[scheme]
    values = {token: full(v) for token, v in (BASE[scheme] | set_here).items() if v[0] == "#"}
    poor = [
        f"{ink} on {ground}: {contrast(values[ink], values[ground]):.2f}"
        for least, pairs in ((4.5, TEXT_ON), (3.0, PARTS_ON))
        for ink, ground in pairs
        if contrast(values[ink], values[ground]) < least
    ]
    assert poor == []


@pytest.mark.parametrize("name", themes.themes())
def test_a_theme_sets_known_tokens_and_nothing_else(name: str) -> None:
    theme = themes.load(name)
    assert SHAPE.fullmatch(minified(theme.css))
    assert set(theme.tokens["dark"]) <= set(BASE["light"])


@pytest.mark.parametrize("name", themes.themes())
def test_the_sheet_is_small_and_stands_inside_a_style_element(name: str) -> None:
    sheet = themes.stylesheet(themes.load(name))
    assert len(sheet.encode()) < 12_000
    assert "<" not in sheet
    assert "url(" not in sheet
    assert sheet.count("{") == sheet.count("}")
    assert sheet.startswith("@layer reset,base,components,theme,utilities;")


def test_only_known_tokens_are_used() -> None:
    sheet = "".join(themes.stylesheet(themes.load(name)) for name in themes.themes())
    knobs = {"--tone", "--soft", "--dot", "--dash", "--button-ground", "--button-ink",
             "--button-line"}  # fmt: skip
    assert set(re.findall(r"var\((--[a-z-]+)", sheet)) <= set(BASE["light"]) | knobs


@pytest.mark.parametrize("name", themes.themes())
def test_a_logo_is_ours_and_harmless(name: str) -> None:
    theme = themes.load(name)
    assert theme.logo_svg.startswith("<svg ")
    assert "currentColor" in theme.logo_svg
    assert not re.search(r"script|href|<image|on\w+=", theme.logo_svg)
    assert theme.tokens["light"]["--brand"] in theme.icon_svg


def test_two_brands_look_and_sound_like_two_companies() -> None:
    fern, volta = themes.load("fern"), themes.load("volta")
    for token in ("--brand", "--canvas", "--display", "--radius"):
        assert fern.tokens["light"][token] != volta.tokens["light"][token]
    assert fern.voice["en"] != volta.voice["en"]
    assert fern.version != volta.version


@pytest.mark.parametrize("name", themes.themes())
def test_a_brand_speaks_every_language(name: str) -> None:
    theme = themes.load(name)
    assert set(theme.voice) == {"en", "de"}
    assert theme.voice_in("de_AT") == theme.voice["de"]
    assert theme.voice_in("pt-BR") == theme.voice["en"]


@pytest.mark.parametrize("name", ["", "base", "../fern", "nothing"])
def test_an_unknown_theme_names_those_there_are(name: str) -> None:
    with pytest.raises(LookupError, match="fern, volta"):
        themes.load(name)
