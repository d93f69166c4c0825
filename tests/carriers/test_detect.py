"""Numbers and names: candidates with reasons, never a silent guess."""

import random
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.detect import candidates, suggest
from carriers.names import BY_CODE, CARRIERS, HOSTS, canonical, tracking_url

DIGITS = "0123456789"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


# Check digits worked out here a second way, so that the code is not its own judge.


def weighed(body: str, weights: tuple[int, ...]) -> int:
    """Sum with `weights` repeated from the right."""
    return sum(int(c) * weights[i % len(weights)] for i, c in enumerate(body[::-1]))


def mod10(body: str, weights: tuple[int, ...]) -> str:
    return str(-weighed(body, weights) % 10)


def gs1(body: str) -> str:
    return body + mod10(body, (3, 1))


def fedex(body: str) -> str:
    return body + str(weighed(body, (1, 3, 7)) % 11 % 10)


def luhn(body: str) -> str:
    total = 0
    for i, c in enumerate(body[::-1]):
        twice = int(c) * (2 if i % 2 == 0 else 1)
        total += twice // 10 + twice % 10
    return body + str(-total % 10)


def mod7(body: str) -> str:
    return body + str(int(body) % 7)


def ups(body: str) -> str:
    values = "".join(
        c if c.isdigit() else str("23456789012345678901234567"[LETTERS.index(c)]) for c in body
    )
    return "1Z" + body + mod10(values, (1, 2))


def s10(letters: str, body: str, country: str) -> str:
    total = sum(int(c) * w for c, w in zip(body, (8, 6, 4, 2, 3, 5, 9, 7), strict=True))
    return letters + body + "50987654321"[total % 11] + country


def dpd(body: str) -> str:
    both = DIGITS + LETTERS
    product = 36
    for c in body:
        product = ((product + both.index(c)) % 36 or 36) * 2 % 37
    return body + both[(37 - product) % 36]


def some(rng: random.Random, count: int, of: str = DIGITS) -> str:
    return "".join(rng.choice(of) for _ in range(count))


Maker = Callable[[random.Random], str]
PROVED: list[tuple[str, Maker]] = [
    ("UPS", lambda r: ups(some(r, 6, DIGITS + LETTERS) + "03" + some(r, 7))),
    ("UPS", lambda r: r.choice("AHJKTV") + (b := some(r, 9)) + mod10(b, (1, 2))),
    ("FedEx", lambda r: fedex(some(r, 11))),
    ("FedEx", lambda r: gs1(some(r, 14))),
    ("FedEx", lambda r: "96" + some(r, 5) + gs1(some(r, 14))),
    ("FedEx", lambda r: "96" + some(r, 18) + fedex(some(r, 13))),
    ("FedEx", lambda r: "1" + some(r, 19) + fedex(some(r, 13))),
    ("FedEx", lambda r: "3" + some(r, 15) + fedex(some(r, 11)) + some(r, 4)),
    ("FedEx", lambda r: r.choice(["00", "01", "02", "04"]) + gs1(some(r, 15))),
    ("FedexSmartPost", lambda r: gs1("92" + "61299" + some(r, 14))[2:]),
    ("FedexSmartPost", lambda r: gs1("926129" + some(r, 15))),
    ("USPS", lambda r: gs1(r.choice(["70", "03", "71", "73", "77", "81"]) + some(r, 17))),
    ("USPS", lambda r: gs1("91" + some(r, 19))[2:]),
    ("USPS", lambda r: gs1(r.choice(["91", "92", "93", "94", "95"]) + some(r, 19))),
    ("USPS", lambda r: gs1("94" + some(r, 23))),
    ("USPS", lambda r: "420" + some(r, 5) + gs1("94" + some(r, 19))),
    ("USPS", lambda r: "420" + some(r, 9) + gs1("92" + some(r, 19))),
    ("USPS", lambda r: "420" + some(r, 5) + gs1("92" + some(r, 23))),
    ("USPS", lambda r: "420" + some(r, 9) + gs1("92" + some(r, 23))),
    ("USPS", lambda r: "420" + some(r, 5) + gs1("70" + some(r, 17))),
    ("USPS", lambda r: s10("EC", some(r, 8), "US")),
    ("RoyalMail", lambda r: s10("RM", some(r, 8), "GB")),
    ("DHLPaket", lambda r: s10("CY", some(r, 8), "DE")),
    ("PostNord", lambda r: s10("RR", some(r, 8), "SE")),
    ("LaPoste", lambda r: s10("LX", some(r, 8), "FR")),
    ("AustraliaPost", lambda r: s10("EE", some(r, 8), "AU")),
    ("DHLExpress", lambda r: mod7(some(r, 9))),
    ("DHLExpress", lambda r: mod7(some(r, 10))),
    ("DHLPaket", lambda r: gs1("003404" + some(r, 13))),
    ("PostNord", lambda r: gs1("00373" + some(r, 14))),
    ("CanadaPost", lambda r: gs1(some(r, 15))),
    ("Purolator", lambda r: luhn(r.choice("012345") + some(r, 10))),
    ("OldDominion", lambda r: luhn(r.choice(["777", "778", "072", "780"]) + some(r, 7))),
    ("OnTrac", lambda r: "C" + (b := some(r, 13)) + mod10("4" + b, (2, 1))),
    ("OnTrac", lambda r: "D" + (b := some(r, 13)) + mod10("5" + b, (2, 1))),
    ("DPD", lambda r: dpd(some(r, 14))),
    ("DPD", lambda r: dpd(some(r, 27))),
]
SHAPED: list[tuple[str, Maker]] = [
    ("AmazonShipping", lambda r: "TB" + r.choice("ACM") + some(r, 12)),
    ("AmazonShipping", lambda r: r.choice("AFC") + some(r, 10)),
    ("DHLExpress", lambda r: "J" + some(r, 2, "ABCEFG") + some(r, 10)),
    ("DHLPaket", lambda r: r.choice(["JD", "JJD"]) + some(r, 18)),
    ("DhlEcs", lambda r: "GM" + some(r, 16)),
    ("DhlEcs", lambda r: "LX" + some(r, 8)),
    ("DhlEcs", lambda r: some(r, 14)),
    ("DPD", lambda r: some(r, 14)),
    ("Purolator", lambda r: some(r, 3, LETTERS) + some(r, 9)),
    ("Canpar", lambda r: r.choice("CDKLSUXZ") + some(r, 21)),
    ("LaserShipV2", lambda r: "L" + r.choice("AIEHNX") + r.choice("123") + some(r, 7)),
    ("LaserShipV2", lambda r: "1LS7" + r.choice("12") + some(r, 10)),
    ("LaserShipV2", lambda r: "1LS71" + some(r, 2) + "01" + r.choice("1234") + some(r, 6) + "-1"),
    ("LaserShipV2", lambda r: "1LSCX" + some(r, 10, DIGITS + LETTERS)),
    ("GOFO", lambda r: "GFUS" + some(r, 14)),
    ("LandmarkGlobal", lambda r: "LTN" + some(r, 8) + "N1"),
    ("SpeeDee", lambda r: "SP" + some(r, 18)),
    ("OldDominion", lambda r: "80" + some(r, 8)),
    ("UPSMailInnovations", lambda r: "80" + some(r, 16)),
    ("Yodel", lambda r: "JD" + some(r, 16)),
    ("YunExpress", lambda r: "YT" + some(r, 16)),
    ("GLS", lambda r: some(r, 11)),
    ("Evri", lambda r: "H00" + some(r, 13)),
    ("LaPoste", lambda r: some(r, 1) + some(r, 1, LETTERS) + some(r, 11)),
    ("AustraliaPost", lambda r: "33" + some(r, 3, LETTERS) + some(r, 18)),
    ("InPost", lambda r: "6" + some(r, 23)),
    ("Bpost", lambda r: "3" + some(r, 23)),
    ("PostNL", lambda r: "3S" + some(r, 4, LETTERS) + some(r, 9)),
    ("SwissPost", lambda r: "99" + some(r, 16)),
]


def codes(number: str) -> list[str]:
    return [one.carrier_code for one in candidates(number)]


@pytest.mark.parametrize("nth", range(len(PROVED)), ids=lambda n: f"{PROVED[n][0]}-{n}")
def test_a_good_check_digit_makes_a_candidate_and_a_bad_one_none(nth: int) -> None:
    code, make = PROVED[nth]
    rng = random.Random(nth)
    for _ in range(200):
        number = make(rng)
        found = {one.carrier_code: one for one in candidates(number)}
        assert found[code].certainty == "check_digit", number
    worse = 0
    for _ in range(200):
        number = make(rng)
        at = -3 if number[-2:].isalpha() else -5 if len(number) == 32 and number[0] == "3" else -1
        spoiled = "0123456789"[(int(number[at], 36) + 1) % 10]
        changed = number[:at] + spoiled + (number[at + 1 :] if at != -1 else "")
        found = {one.carrier_code: one for one in candidates(changed)}
        worse += code in found and found[code].certainty == "check_digit"
    assert worse < 60  # other forms of the same carrier may fit by chance, one in ten each


@pytest.mark.parametrize("nth", range(len(SHAPED)), ids=lambda n: f"{SHAPED[n][0]}-{n}")
def test_a_form_without_check_digit_is_a_candidate_by_shape(nth: int) -> None:
    code, make = SHAPED[nth]
    rng = random.Random(nth)
    for _ in range(200):
        number = make(rng)
        assert code in codes(number), number
        found = next(one for one in candidates(number) if one.carrier_code == code)
        assert found.reason


@pytest.mark.parametrize(
    ("number", "both"),
    [
        ("287809468872", {"FedEx", "Purolator"}),
        ("320610804900", {"FedEx", "Purolator"}),
        ("78045768393", {"OldDominion", "DHLExpress"}),
        ("JFV247545960", {"Purolator", "DHLExpress"}),
        ("LX 176 35035", {"LaserShipV2", "DhlEcs"}),
        ("4201028200009261290113185417468510", {"USPS", "FedEx"}),
    ],
)
def test_what_is_ambiguous_stays_so(number: str, both: set[str]) -> None:
    assert both <= set(codes(number))


@pytest.mark.parametrize(
    ("number", "first"),
    [
        ("1Z5R89390357567127", "UPS"),
        ("9400100110368068500408", "USPS"),
        ("EC207920162US", "USPS"),
        ("00340434161094042557", "DHLPaket"),
    ],
)
def test_real_numbers_written_any_way(number: str, first: str) -> None:
    spaced = " ".join(number[i : i + 4] for i in range(0, len(number), 4))
    for way in (number, number.lower(), f"  {number} ", spaced, spaced.replace(" ", "-")):
        assert codes(way)[0] == first


def test_the_zip_code_is_no_part_of_the_number_shown() -> None:
    number = "9400100110368068500408"
    for written in ("420" + "77063" + number, "420" + "770631234" + number):
        found = candidates(written)[0]
        assert found.tracking_url == tracking_url("USPS", number)
        assert found.tracking_url is not None


def test_a_post_we_cannot_name_is_still_told_as_one() -> None:
    (found,) = candidates(s10("RR", "12345678", "BR"))
    assert (found.carrier_code, found.name, found.tracking_url) == ("", "Post of BR", None)


@pytest.mark.parametrize(
    "number", ["", " ", "-", "1", "hello", "EZ1000000001", "x" * 5000, "１２３", "٣" * 12, "1Z\0"]
)
def test_what_fits_nobody_has_no_candidate(number: str) -> None:
    assert candidates(number) == []


@given(st.text(max_size=60) | st.from_regex(r"[0-9A-Z]{1,40}", fullmatch=True))
def test_any_text_has_candidates_with_reasons_proved_ones_first(number: str) -> None:
    found = candidates(number)
    assert [one.certainty for one in found] == sorted(one.certainty for one in found)
    assert len({one.carrier_code for one in found}) == len(found)
    for one in found:
        assert one.reason
        assert one.tracking_url is None or urlsplit(one.tracking_url).hostname in HOSTS


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("ups", "UPS"),
        ("U.P.S.", "UPS"),
        ("UPS Ground", "UPS"),
        ("UPS® 2nd Day Air", "UPS"),
        ("UPS Mail Innovations", "UPSMailInnovations"),
        ("usps", "USPS"),
        ("USPS Priority Mail", "USPS"),
        ("United States Postal Service", "USPS"),
        ("FedEx Home Delivery", "FedEx"),
        ("Fed Ex", "FedEx"),
        ("FEDEX_GROUND", "FedEx"),
        ("FedEx SmartPost", "FedexSmartPost"),
        ("DHL Express", "DHLExpress"),
        ("DhlExpress", "DHLExpress"),
        ("dhl", "DHLExpress"),
        ("DHL eCommerce", "DhlEcs"),
        ("DHL Paket", "DHLPaket"),
        ("Deutsche Post", "DeutschePost"),
        ("the Royal Mail", "RoyalMail"),
        ("royal-mail tracked 24", "RoyalMail"),
        ("On Trac", "OnTrac"),
        ("Österreichische Post", "AustrianPost"),
        ("postnord", "PostNord"),
        ("DPD UK", "DPDUK"),
        ("DPD", "DPD"),
        ("Amazon Logistics", "AmazonShipping"),
        ("Colissimo", "LaPoste"),
        ("LaserShip", "LaserShipV2"),
        ("FedEx Ground Economy", "FedexSmartPost"),
        ("UPS i-parcel", "UPSIparcel"),
        ("Pigeon", None),
        ("upss", None),
        ("", None),
        ("®™", None),
    ],
)
def test_what_shops_write(written: str, code: str | None) -> None:
    found = canonical(written)
    assert (found.code if found else None) == code


@pytest.mark.parametrize("carrier", CARRIERS, ids=lambda carrier: carrier.code)
def test_a_carrier_knows_itself(carrier: object) -> None:
    assert canonical(carrier.code) == carrier  # type: ignore[attr-defined]
    assert canonical(carrier.name) == carrier  # type: ignore[attr-defined]
    assert canonical(carrier.name.upper()) == carrier  # type: ignore[attr-defined]


@given(number=st.text(min_size=1, max_size=40), code=st.sampled_from(sorted(BY_CODE)))
def test_a_link_leads_only_to_the_carrier(number: str, code: str) -> None:
    try:
        number.encode()
    except UnicodeEncodeError:
        return
    url = tracking_url(code, number)
    if url is None:
        return
    assert url.isascii()
    assert not set(url) & set(" \"'<>\\\n\r\t`")
    parts = urlsplit(url)
    assert (parts.scheme, parts.username) == ("https", None)
    assert parts.hostname in HOSTS


def test_a_number_cannot_change_the_link() -> None:
    assert (
        tracking_url("UPS", "1Z&x=1#y/../")
        == "https://www.ups.com/track?tracknum=1Z%26x%3D1%23y%2F..%2F"
    )
    assert tracking_url("ups ground", "1") == tracking_url("UPS", "1")
    assert tracking_url("Pigeon", "1") is None
    assert tracking_url("UPS", "") is None


UPS_NUMBER = "1Z5R89390357567127"


@pytest.mark.parametrize(
    ("name", "number", "fix"),
    [
        ("UPS", UPS_NUMBER, None),
        ("UPS", "", None),
        ("UPS", "hello", None),
        ("upss", "", "UPS"),
        ("Fedx", "", "FedEx"),
        ("Purolater", "320610804900", "Purolator"),
        ("Roayl Mail", "", "Royal Mail"),
        ("USPS", UPS_NUMBER, "UPS"),
        ("Pigeon", UPS_NUMBER, "UPS"),
        ("Other", "9400100110368068500408", "USPS"),
        ("Pigeon", "287809468872", None),
        ("UPS", "287809468872", None),
        ("Pigeon", "", None),
        ("", UPS_NUMBER, "UPS"),
    ],
)
def test_a_wrong_name_gets_a_suggestion_only_where_it_is_sure(
    name: str, number: str, fix: str | None
) -> None:
    assert suggest(name, number) == fix


@given(st.text(max_size=30), st.sampled_from(["", UPS_NUMBER, "287809468872"]))
def test_a_suggestion_is_a_name_we_know(name: str, number: str) -> None:
    fix = suggest(name, number)
    assert fix is None or canonical(fix) is not None
