"""Names as carriers write them, made fit for reading: towns in capitals, services in code."""

import re

INSIDE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
SHORT = 3  # letters: "TX" and "NSW" are written in capitals by everybody


def town(name: str) -> str:
    """The name of a place, not shouted; short codes stay.

    >>> town("SAN ANTONIO"), town("TX"), town("Bad Homburg v.d.H.")
    ('San Antonio', 'TX', 'Bad Homburg v.d.H.')
    """
    return name.title() if name.isupper() and len(name) > SHORT else name


def service(name: str, carrier: str) -> str:
    """A carrier's service in words, without the carrier's own name in front.

    >>> service("GroundAdvantage", "USPS"), service("FEDEX_2_DAY", "FedEx")
    ('Ground Advantage', '2 Day')
    >>> service("UPS Ground", "UPS"), service("UPSStandard", "UPS"), service("DHL Paket", "DHL")
    ('Ground', 'Standard', 'Paket')
    >>> service("ExpressWorldwide", "DHL Express"), service("Express", "DHL Express")
    ('Worldwide', '')
    """
    plain = name.replace("_", " ").strip()
    if carrier and plain.lower().startswith(carrier.lower()):
        plain = plain[len(carrier) :].strip()
    words = INSIDE.sub(" ", plain)
    first, _, rest = words.partition(" ")
    if first.lower() == carrier.lower().rpartition(" ")[2]:  # "DHL Express" needs no second one
        words = rest
    return words.title() if words.isupper() and len(words) > SHORT else words
