"""Countries, and which clock a destination lives by. From the IANA zone tables in `tzdata`."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

# Countries with several zones of which nearly everybody lives in one, or which keep one time.
MAIN_ZONES: Final = {
    "AR": "America/Argentina/Buenos_Aires",
    "CL": "America/Santiago",
    "CN": "Asia/Shanghai",
    "CY": "Asia/Nicosia",
    "DE": "Europe/Berlin",
    "EC": "America/Guayaquil",
    "ES": "Europe/Madrid",
    "KZ": "Asia/Almaty",
    "MY": "Asia/Kuala_Lumpur",
    "NZ": "Pacific/Auckland",
    "PT": "Europe/Lisbon",
    "UA": "Europe/Kyiv",
    "UZ": "Asia/Tashkent",
}
# Islands that a country's postcodes set apart from its main zone.
BY_POSTCODE: Final = {
    "ES": {"35": "Atlantic/Canary", "38": "Atlantic/Canary"},
    "PT": dict.fromkeys(("90", "91", "92", "93", "94"), "Atlantic/Madeira")
    | dict.fromkeys(("95", "96", "97", "98", "99"), "Atlantic/Azores"),
}
# States and provinces. Where one has two zones, the one where most of its people live.
REGIONS: Final = {
    "US": {
        "America/New_York": "CT DC DE FL GA IN KY MA MD ME MI NC NH NJ NY OH PA RI SC VA VT WV",
        "America/Chicago": "AL AR IA IL KS LA MN MO MS ND NE OK SD TN TX WI",
        "America/Denver": "CO ID MT NM UT WY",
        "America/Phoenix": "AZ",
        "America/Los_Angeles": "CA NV OR WA",
        "America/Anchorage": "AK",
        "Pacific/Honolulu": "HI",
    },
    "CA": {
        "America/St_Johns": "NL",
        "America/Halifax": "NB NS PE",
        "America/Toronto": "ON QC",
        "America/Winnipeg": "MB",
        "America/Regina": "SK",
        "America/Edmonton": "AB NT",
        "America/Vancouver": "BC",
        "America/Whitehorse": "YT",
        "America/Iqaluit": "NU",
    },
    "AU": {
        "Australia/Sydney": "ACT NSW",
        "Australia/Melbourne": "VIC",
        "Australia/Brisbane": "QLD",
        "Australia/Adelaide": "SA",
        "Australia/Darwin": "NT",
        "Australia/Perth": "WA",
        "Australia/Hobart": "TAS",
    },
    "BR": {
        "America/Sao_Paulo": "AL AP BA CE DF ES GO MA MG PA PB PE PI PR RJ RN RS SC SE SP TO",
        "America/Manaus": "AM RO RR",
        "America/Cuiaba": "MS MT",
        "America/Rio_Branco": "AC",
    },
    "MX": {
        "America/Mexico_City": (
            "AGU CAM CHP CMX COA COL DUR GRO GUA HID JAL MEX MIC MOR NLE OAX PUE QUE SLP TAB TAM "
            "TLA VER YUC ZAC CHH"
        ),
        "America/Cancun": "ROO",
        "America/Mazatlan": "BCS NAY SIN",
        "America/Hermosillo": "SON",
        "America/Tijuana": "BCN",
    },
    "ID": {
        "Asia/Jakarta": "AC BB BE BT JA JB JI JK JT KB KR KT LA RI SB SS SU YO",
        "Asia/Makassar": "BA GO KI KS KU NB NT SA SG SN SR ST",
        "Asia/Jayapura": "MA MU PA PB",
    },
}


@cache
def countries() -> frozenset[str]:
    """Every ISO 3166-1 alpha-2 code."""
    return frozenset(line[0] for line in _table("iso3166.tab"))


def zone_of(country: str, region: str = "", postcode: str = "") -> str:
    """The time zone of a destination; '' where country and region do not tell. Never a guess
    across a country: an order to Russia without more has no known zone.

    >>> zone_of("US", "CA"), zone_of("FR"), zone_of("RU")
    ('America/Los_Angeles', 'Europe/Paris', '')
    """
    country = country.upper()
    island = BY_POSTCODE.get(country, {}).get(postcode.strip()[:2])
    if island:
        return island
    if country in REGIONS:
        return _states(country).get(_state(country, region), "")
    return MAIN_ZONES.get(country) or _only_zones().get(country, "")


def _state(country: str, region: str) -> str:
    return region.strip().upper().removeprefix(f"{country}-")


@cache
def _states(country: str) -> dict[str, str]:
    return {state: zone for zone, states in REGIONS[country].items() for state in states.split()}


@cache
def _only_zones() -> dict[str, str]:
    """The zone of every country that has one."""
    zones: dict[str, list[str]] = {}
    for code, _, zone, *_ in _table("zone.tab"):
        zones.setdefault(code, []).append(zone)
    return {code: found[0] for code, found in zones.items() if len(found) == 1}


def _table(name: str) -> list[list[str]]:
    text = (files("tzdata") / "zoneinfo" / name).read_text("utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
