"""Amounts as Stripe counts them: its currencies, its least and largest amounts."""

from typing import Final

from portal.sandbox.stripe_refusals import misasked

# The presentment currencies Stripe lists.
LISTED: Final = """
    usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bhd bif bmd bnd bob brl bsd bwp byn bzd
    cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq
    gyd hkd hnl htg huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd
    lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk
    php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std szl thb tjs tnd top
    try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xof xpf yer zar zmw
"""
CURRENCIES: Final = frozenset(LISTED.split())
IN_TENS: Final = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})  # three decimals, the last one 0
IN_HUNDREDS: Final = frozenset({"isk", "ugx"})  # no decimals, yet counted with two that are 0
FIFTY: Final = ("usd", "eur", "chf", "cad", "aud", "nzd", "sgd", "brl", "jpy", "inr")
LEAST: Final = dict.fromkeys(FIFTY, 50) | {
    "aed": 200,
    "czk": 1500,
    "dkk": 250,
    "gbp": 30,
    "hkd": 400,
    "huf": 17_500,
    "mxn": 1000,
    "nok": 300,
    "pln": 200,
    "ron": 200,
    "sek": 300,
    "thb": 1000,
}
LARGEST: Final = 99_999_999


def check_currency(currency: str) -> str:
    """The currency in small letters. Raises StripeRefusal 400 for one that is not taken."""
    if currency.lower() not in CURRENCIES:
        message = f"Invalid currency: {currency[:20]}. It is none of those Stripe supports."
        raise misasked(message, None, "currency")
    return currency.lower()


def check_amount(amount: int, currency: str, param: str = "amount") -> int:
    """An amount that could be charged. Raises StripeRefusal 400."""
    check_grain(amount, currency, param)
    if amount < LEAST.get(currency, 1):
        message = f"Amount must be at least {LEAST[currency]} {currency}"
        raise misasked(message, "amount_too_small", param)
    if amount > LARGEST:
        raise misasked(f"Amount must be no more than {LARGEST}", "amount_too_large", param)
    return amount


def check_grain(amount: int, currency: str, param: str = "amount") -> None:
    """At least one, and with the zeros at its end that the currency asks for."""
    if amount < 1:
        message = "This value must be greater than or equal to 1."
        raise misasked(message, "parameter_invalid_integer", param)
    grain = 10 if currency in IN_TENS else 100 if currency in IN_HUNDREDS else 1
    if amount % grain:
        message = f"Invalid integer: amounts in {currency} must be divisible by {grain}."
        raise misasked(message, "parameter_invalid_integer", param)
