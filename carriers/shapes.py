"""The forms of parcel numbers, carrier by carrier: by length, or by the first letter."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from carriers.check_digits import dpd, fedex, gs1, luhn, mod7, mod10_twice, ups
from carriers.names import BY_CODE, CarrierName


@dataclass(frozen=True, slots=True)
class Shape:
    carrier: CarrierName
    pattern: re.Pattern[str]
    reason: str
    check: Callable[[str], bool] | None


def _shape(
    code: str, pattern: str, reason: str, check: Callable[[str], bool] | None = None
) -> Shape:
    return Shape(BY_CODE[code], re.compile(pattern), reason, check)


def bare(number: str) -> str:
    """A USPS number without the zip code (420 and 5 or 9 digits) in front, "" where it is none."""
    for begin in (8, 12) if number.startswith("420") and len(number) >= 28 else (0,):
        rest = number[begin:]
        long = len(rest) in (22, 26) and rest[0] == "9" and rest[1] in "12345"
        if (long and gs1(rest)) or (len(rest) == 20 and _usps_20(rest)):
            return rest
    return ""


def _usps(number: str) -> bool:
    return bare(number) != ""


def _usps_20(number: str) -> bool:
    """Old forms: 20 digits by themselves, or 22 whose leading 91 is not written."""
    known = number[:2] in _USPS_20 or (number[0] == "9" and number[1] in "12345")
    return gs1("91" + number) or (known and gs1(number))


def _ontrac_c(number: str) -> bool:
    """C counts as 4, except where a 4 follows, which some labels count instead."""
    return mod10_twice("4" + number[1:]) or (number[1] == "4" and mod10_twice(number[1:]))


_USPS_20: Final = frozenset({"01", "02", "03", "23", "70", "71", "73", "77", "80", "81", "82"})

# By length: numbers of digits only.
DIGITS: Final[dict[int, tuple[Shape, ...]]] = {
    10: (
        _shape("DHLExpress", r"\d{10}", "10 digits, the last is the rest by 7", mod7),
        _shape("OldDominion", r"80\d{8}", "10 digits beginning 80"),
    ),
    11: (
        _shape("DHLExpress", r"\d{11}", "11 digits, the last is the rest by 7", mod7),
        _shape("OldDominion", r"(?:77[78]|072|780|80)\d{8,9}", "a PRO number", luhn),
        _shape("GLS", r"\d{11}", "11 digits"),
    ),
    12: (
        _shape("FedEx", r"\d{12}", "12 digits with FedEx's check digit", fedex),
        _shape("Purolator", r"[0-5]\d{11}", "12 digits with Purolator's check digit", luhn),
        _shape("GLS", r"\d{12}", "12 digits"),
        _shape("DHLPaket", r"\d{12}", "12 digits"),
    ),
    14: (
        _shape("DPD", r"\d{14}", "14 digits"),
        _shape("DhlEcs", r"\d{14}", "14 digits"),
        _shape("Hermes", r"\d{14}", "14 digits"),
    ),
    15: (
        _shape("FedEx", r"\d{15}", "15 digits with FedEx Ground's check digit", gs1),
        _shape("DPD", r"\d{15}", "14 digits and DPD's check character", dpd),
    ),
    16: (
        _shape("CanadaPost", r"\d{16}", "16 digits with Canada Post's check digit", gs1),
        _shape("Evri", r"\d{16}", "16 digits"),
    ),
    18: (
        _shape(
            "FedEx", r"0[0124]\d{16}", "18 digits, a FedEx Ground container", lambda n: gs1(n[2:])
        ),
        _shape("UPSMailInnovations", r"80\d{16}", "18 digits beginning 80"),
        _shape("SwissPost", r"99\d{16}", "18 digits beginning 99"),
    ),
    20: (
        _shape("DHLPaket", r"003404\d{14}", "20 digits beginning 003404", gs1),
        _shape("PostNord", r"0037[03]\d{15}", "20 digits beginning 00370 or 00373", gs1),
        _shape("USPS", r"\d{20}", "20 digits with USPS's check digit", _usps_20),
        _shape(
            "FedexSmartPost",
            r"\d{20}",
            "20 digits, a 92 in front is left out",
            lambda n: gs1("92" + n),
        ),
    ),
    22: (
        _shape("USPS", r"9[1-5]\d{20}", "22 digits beginning 91 to 95, with check digit", gs1),
        _shape(
            "FedEx", r"96\d{20}", "22 digits beginning 96, with check digit", lambda n: gs1(n[7:])
        ),
        _shape("FedexSmartPost", r"926129\d{16}", "22 digits beginning 926129", gs1),
    ),
    24: (
        _shape("InPost", r"6\d{23}", "24 digits beginning 6"),
        _shape("Bpost", r"3\d{23}", "24 digits beginning 3"),
    ),
    26: (_shape("USPS", r"9[1-5]\d{24}", "26 digits beginning 91 to 95, with check digit", gs1),),
    28: (
        _shape("USPS", r"420\d{25}", "a zip code and 20 digits", _usps),
        _shape("DPD", r"\d{28}", "28 digits, the last is DPD's check character", dpd),
    ),
    30: (_shape("USPS", r"420\d{5}9[1-5]\d{20}", "a zip code and 22 digits", _usps),),
    32: (
        _shape("USPS", r"420\d{29}", "a zip code and 20 digits", _usps),
        _shape("FedEx", r"3\d{31}", "32 digits, a FedEx label's code", lambda n: fedex(n[16:28])),
    ),
    34: (
        _shape(
            "USPS",
            r"420(?:\d{9}9[1-5]\d{20}|\d{5}9[1-5]\d{24})",
            "a zip code and 22 or 26 digits",
            _usps,
        ),
        _shape(
            "FedEx", r"[0-8]\d{33}", "34 digits, a FedEx label's code", lambda n: fedex(n[-14:])
        ),
        _shape("FedEx", r"96\d{32}", "34 digits beginning 96", lambda n: fedex(n[-14:])),
    ),
    38: (_shape("USPS", r"420\d{9}9[1-5]\d{24}", "a zip code and 26 digits", _usps),),
}

_AMAZON: Final = _shape("AmazonShipping", r"(?:TB[ACM]\d{12}|[AFC]\d{10})", "Amazon's own form")
_LASERSHIP: Final = _shape(
    "LaserShipV2",
    r"L[AIEHNX][1-3]\d{7}|1LS7[12]\d{10}|1LS7[12]\d{2}01[1-4]\d{6}1|1LSCX[0-9A-Z]{10}",
    "LaserShip's form",
)
_WAYBILL: Final = _shape("UPS", r"[AHJKTV]\d{10}", "a UPS waybill", lambda n: mod10_twice(n[1:]))
_CANPAR: Final = _shape("Canpar", r"[CDKLSUXZ]\d{21}", "a letter and 21 digits")
_PUROLATOR: Final = _shape("Purolator", r"[A-Z]{3}\d{9}", "three letters and nine digits")
_DPD_28: Final = _shape("DPD", r"\d{27}[A-Z]|\d{14}[A-Z]", "digits and DPD's check character", dpd)
_PIECE: Final = _shape("DHLExpress", r"J[A-Z]{2,3}\d{9,18}", "a DHL piece number")
_GLOBAL_MAIL: Final = _shape(
    "DhlEcs",
    r"(?:GM|LX|RX|UV|CN|SG|TH|IN|HK|MY)(?=[A-Z]*\d)[0-9A-Z]{8,39}",
    "DHL eCommerce's form",
)
_EVRI: Final = _shape("Evri", r"[HTCE]\d{2}[A-Z0-9]{3}\d{10}|[HT]00\d{13}", "Evri's form")

# By first character: numbers with letters.
LETTERS: Final[dict[str, tuple[Shape, ...]]] = {
    "1": (
        _shape("UPS", r"1Z[0-9A-Z]{16}", "1Z and 16 characters with UPS's check digit", ups),
        _LASERSHIP,
    ),
    "3": (_shape("PostNL", r"3S[A-Z]{2,4}\d{7,11}", "3S and the sender's letters"),),
    "A": (_AMAZON, _WAYBILL),
    "C": (
        _shape(
            "OnTrac",
            r"C\d{14}",
            "C and 14 digits with check digit",
            _ontrac_c,
        ),
        _AMAZON,
        _GLOBAL_MAIL,
    ),
    "D": (
        _shape(
            "OnTrac",
            r"D\d{14}",
            "D and 14 digits with check digit",
            lambda n: mod10_twice("5" + n[1:]),
        ),
    ),
    "F": (_AMAZON,),
    "G": (_shape("GOFO", r"GFUS\d{14}", "GFUS and 14 digits"), _GLOBAL_MAIL),
    "H": (_WAYBILL, _GLOBAL_MAIL, _EVRI),
    "I": (_GLOBAL_MAIL,),
    "J": (
        _shape("DHLPaket", r"J(?:J?D)\d{14,18}", "JD or JJD, a parcel of DHL"),
        _shape("Yodel", r"J(?:J?D)\d{16}", "JD or JJD and 16 digits"),
        _PIECE,
        _WAYBILL,
    ),
    "K": (_WAYBILL,),
    "L": (
        _shape("LandmarkGlobal", r"LTN\d{8}N1", "LTN, eight digits, N1"),
        _LASERSHIP,
        _GLOBAL_MAIL,
    ),
    "M": (_GLOBAL_MAIL,),
    "R": (_GLOBAL_MAIL,),
    "S": (_shape("SpeeDee", r"SP\d{18}", "SP and 18 digits"), _GLOBAL_MAIL),
    "T": (_AMAZON, _WAYBILL, _GLOBAL_MAIL, _EVRI),
    "U": (_GLOBAL_MAIL,),
    "V": (_WAYBILL,),
    "Y": (_shape("YunExpress", r"YT\d{16}", "YT and 16 digits"),),
}
_COLISSIMO: Final = _shape("LaPoste", r"\d[A-Z]\d{11}", "13 characters in the form of Colissimo")
_AUSPOST: Final = _shape("AustraliaPost", r"\d{2}[0-9A-Z]{3}\d{15,18}", "Australia Post's form")

# By length: numbers with letters that may begin with any.
ANY_LETTERS: Final[dict[int, tuple[Shape, ...]]] = {
    12: (_PUROLATOR,),
    13: (_COLISSIMO,),
    15: (_DPD_28,),
    20: (_AUSPOST,),
    21: (_AUSPOST,),
    22: (_CANPAR, _AUSPOST),
    23: (_AUSPOST,),
    28: (_DPD_28,),
}

# The post of each country, as the last two letters of an international number name it.
POSTS: Final = {
    "US": "USPS",
    "CA": "CanadaPost",
    "GB": "RoyalMail",
    "DE": "DHLPaket",
    "FR": "LaPoste",
    "AU": "AustraliaPost",
    "NL": "PostNL",
    "SE": "PostNord",
    "DK": "PostNord",
    "BE": "Bpost",
    "CH": "SwissPost",
    "AT": "AustrianPost",
    "ES": "Correos",
    "IT": "PosteItaliane",
    "JP": "JPPost",
    "CN": "ChinaEMS",
    "SG": "SingaporePost",
    "HK": "HongKongPost",
}
