"""What shops write for a carrier, and the carrier that is meant.

Codes are EasyPost's words for carriers, as a tracker takes them. Not every account may follow every
one; a refusal is EasyPost's to tell, and is shown to staff. Addresses are the carriers' own
pages, always https; `{number}` stands for the number, escaped.
"""

import re
import unicodedata
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Final
from urllib.parse import quote, urlsplit


@dataclass(frozen=True, slots=True)
class CarrierName:
    """A carrier: EasyPost's `code`, the `name` people read, and where it shows parcels."""

    code: str
    name: str
    page: str | None = None
    also: tuple[str, ...] = ()  # further names, in small letters without blanks

    def url(self, number: str) -> str | None:
        """The carrier's page for `number`, which may be anything a customer typed."""
        return self.page.replace("{number}", quote(number, safe="")) if self.page else None


_DHL: Final = "https://www.dhl.com/global-en/home/tracking.html?tracking-id={number}"
_FEDEX: Final = "https://www.fedex.com/fedextrack/?trknbr={number}"
_UPS: Final = "https://www.ups.com/track?tracknum={number}"
_USPS: Final = "https://tools.usps.com/go/TrackConfirmAction?tLabels={number}"
_DE: Final = "https://www.dhl.de/de/privatkunden/dhl-sendungsverfolgung.html?piececode={number}"
_ONTRAC: Final = "https://www.ontrac.com/tracking/?number={number}"

CARRIERS: Final = (
    CarrierName("UPS", "UPS", _UPS, ("unitedparcelservice", "upsground", "upsi")),
    CarrierName("UPSMailInnovations", "UPS Mail Innovations", _UPS, ("upsmi",)),
    CarrierName("USPS", "USPS", _USPS, ("unitedstatespostalservice", "uspostalservice", "uspost")),
    CarrierName(
        "FedEx", "FedEx", _FEDEX, ("federalexpress", "fedexground", "fedexhome", "fedexexpress")
    ),
    CarrierName("FedexSmartPost", "FedEx SmartPost", _FEDEX, ("smartpost", "fedexgroundeconomy")),
    CarrierName("DHLExpress", "DHL Express", _DHL, ("dhl", "dhlworldwide", "dhlexpressworldwide")),
    CarrierName(
        "DhlEcs", "DHL eCommerce", _DHL, ("dhlecs", "dhlglobalmail", "dhlecommercesolutions")
    ),
    CarrierName("DHLPaket", "DHL Paket", _DE, ("dhlgermany", "dhlde", "deutschepostdhl")),
    CarrierName("DeutschePost", "Deutsche Post", _DE),
    CarrierName("OnTrac", "OnTrac", _ONTRAC, ("ontracv3", "ontracground")),
    CarrierName("LaserShipV2", "LaserShip", _ONTRAC),
    CarrierName(
        "AmazonShipping",
        "Amazon Shipping",
        "https://track.amazon.com/tracking/{number}",
        ("amazon", "amazonlogistics", "amzl", "amazonmws", "swiship"),
    ),
    CarrierName(
        "CanadaPost",
        "Canada Post",
        "https://www.canadapost-postescanada.ca/track-reperage/en#/search?searchFor={number}",
        ("postescanada", "canadapostcorporation"),
    ),
    CarrierName(
        "Purolator",
        "Purolator",
        "https://www.purolator.com/en/shipping/tracker?pin={number}",
        ("purolatorexpress", "purolatorground"),
    ),
    CarrierName(
        "Canpar",
        "Canpar",
        "https://www.canpar.com/en/tracking/track.htm?barcode={number}",
        ("canparexpress",),
    ),
    CarrierName(
        "RoyalMail",
        "Royal Mail",
        "https://www.royalmail.com/track-your-item#/tracking-results/{number}",
        ("royalmailtracked", "rm"),
    ),
    CarrierName(
        "Parcelforce",
        "Parcelforce",
        "https://www.parcelforce.com/track-trace?trackNumber={number}",
        ("parcelforceworldwide",),
    ),
    CarrierName("Evri", "Evri", "https://www.evri.com/track/parcel/{number}", ("myhermes",)),
    CarrierName("Hermes", "Hermes", "https://www.myhermes.de/empfangen/sendungsverfolgung/"),
    CarrierName("Yodel", "Yodel", "https://www.yodel.co.uk/tracking/{number}", ("yodeldirect",)),
    CarrierName("DPDUK", "DPD UK", "https://track.dpd.co.uk/parcels/{number}", ("dpdlocal",)),
    CarrierName(
        "DPD", "DPD", "https://tracking.dpd.de/status/en_US/parcel/{number}", ("dpdgroup",)
    ),
    CarrierName(
        "GLS", "GLS", "https://gls-group.com/GROUP/en/parcel-tracking?match={number}", ("glsgroup",)
    ),
    CarrierName(
        "AustraliaPost",
        "Australia Post",
        "https://auspost.com.au/mypost/track/#/details/{number}",
        ("auspost", "auspostecommerce", "eparcel"),
    ),
    CarrierName(
        "PostNL", "PostNL", "https://www.internationalparceltracking.com/#/search?barcode={number}"
    ),
    CarrierName(
        "PostNord", "PostNord", "https://tracking.postnord.com/en/?id={number}", ("postdanmark",)
    ),
    CarrierName(
        "LaPoste",
        "La Poste",
        "https://www.laposte.fr/outils/suivre-vos-envois?code={number}",
        ("colissimo", "lapostecolissimo", "postefrancaise"),
    ),
    CarrierName(
        "Chronopost",
        "Chronopost",
        "https://www.chronopost.fr/tracking-no-cms/suivi-page?listeNumerosLT={number}",
    ),
    CarrierName("Bpost", "bpost", "https://track.bpost.cloud/btr/web/#/search?itemCode={number}"),
    CarrierName(
        "SwissPost",
        "Swiss Post",
        "https://service.post.ch/ekp-web/ui/entry/search/{number}",
        ("postch", "dieschweizerischepost", "schweizerpost"),
    ),
    CarrierName(
        "AustrianPost",
        "Austrian Post",
        "https://www.post.at/sv/sendungssuche?snr={number}",
        ("oesterreichischepost", "osterreichischepost", "postat"),
    ),
    CarrierName("InPost", "InPost", "https://inpost.pl/sledzenie-przesylek?number={number}"),
    CarrierName(
        "Correos",
        "Correos",
        "https://www.correos.es/es/en/tools/tracker/items/details?tracking-number={number}",
    ),
    CarrierName(
        "PosteItaliane",
        "Poste Italiane",
        "https://www.poste.it/cerca/#/risultati-spedizioni/{number}",
    ),
    CarrierName(
        "JPPost",
        "Japan Post",
        "https://trackings.post.japanpost.jp/services/srv/search/direct?reqCodeNo1={number}",
    ),
    CarrierName(
        "ChinaEMS", "China Post", "https://t.17track.net/en#nums={number}", ("ems", "chinapostems")
    ),
    CarrierName(
        "SingaporePost",
        "Singapore Post",
        "https://www.singpost.com/track-items?trackid={number}",
        ("singpost",),
    ),
    CarrierName(
        "HongKongPost",
        "Hongkong Post",
        "https://www.hongkongpost.hk/en/mail_tracking/index.html?trackcode={number}",
    ),
    CarrierName("YunExpress", "YunExpress", "https://www.yuntrack.com/parcelTracking?id={number}"),
    CarrierName(
        "GOFO", "GOFO Express", "https://www.gofoexpress.com/tracking.html?searchID={number}"
    ),
    CarrierName(
        "LandmarkGlobal", "Landmark Global", "https://track.landmarkglobal.com/?search={number}"
    ),
    CarrierName("SpeeDee", "Spee-Dee", "https://speedeedelivery.com/track-a-shipment/?v={number}"),
    CarrierName(
        "OldDominion",
        "Old Dominion",
        "https://www.odfl.com/us/en/tools/trace-track-ltl-freight/trace.html?proNumbers={number}",
        ("odfl",),
    ),
    CarrierName("AsendiaUsa", "Asendia USA"),
    CarrierName("Asendia", "Asendia"),
    CarrierName("BetterTrucks", "Better Trucks"),
    CarrierName("CouriersPlease", "CouriersPlease"),
    CarrierName("Estafeta", "Estafeta"),
    CarrierName("Fastway", "Fastway"),
    CarrierName("FirstMile", "FirstMile"),
    CarrierName("GSO", "GSO"),
    CarrierName("InterlinkExpress", "Interlink Express"),
    CarrierName("KuronekoYamato", "Kuroneko Yamato", None, ("yamato", "yamatotransport")),
    CarrierName("LSO", "LSO", None, ("lonestarovernight",)),
    CarrierName("OsmWorldwide", "OSM Worldwide", None, ("osm",)),
    CarrierName("PassportGlobal", "Passport"),
    CarrierName("SFExpress", "SF Express"),
    CarrierName("Sendle", "Sendle"),
    CarrierName("StarTrack", "StarTrack"),
    CarrierName("TForce", "TForce Logistics"),
    CarrierName("UDS", "UDS", None, ("uniteddeliveryservice",)),
    CarrierName("UPSIparcel", "UPS i-parcel"),
    CarrierName("Yanwen", "Yanwen"),
    CarrierName("Veho", "Veho", "https://track.shipveho.com/#/trackingId/{number}"),
)

BY_CODE: Final = {carrier.code: carrier for carrier in CARRIERS}
# Where links may lead; a page checks against it before it shows one.
HOSTS: Final = frozenset(
    host for carrier in CARRIERS if carrier.page and (host := urlsplit(carrier.page).hostname)
)


def _words(name: str) -> list[str]:
    """Small plain words: "U.P.S. Ground" is ["ups", "ground"], "Österreichische" has no dots."""
    plain = unicodedata.normalize("NFKD", name[:100]).casefold()
    plain = "".join(c for c in plain if not unicodedata.combining(c) and c not in ".'’®™")
    words = re.findall(r"[a-z0-9]+", plain)
    return words[1:] if len(words) > 1 and words[0] in ("the", "via", "by") else words


_SPELLINGS: Final = {
    spelling: carrier
    for carrier in reversed(CARRIERS)  # where two share a spelling, the first in the list has it
    for spelling in (*carrier.also, "".join(_words(carrier.code)), "".join(_words(carrier.name)))
}


@lru_cache(maxsize=2048)
def canonical(name: str) -> CarrierName | None:
    """The carrier meant by `name`, also with a service behind it ("FedEx Home Delivery").

    Only exact spellings count; a near miss is None, see `carriers.detect.suggest`. Plain "DHL" is
    read as DHL Express, its oldest meaning at EasyPost.
    """
    words = _words(name)
    for length in range(len(words), 0, -1):
        found = _SPELLINGS.get("".join(words[:length]))
        if found:
            return found
    return None


def tracking_url(carrier: str, number: str) -> str | None:
    """The page of `carrier` (code or any name of it) for `number`; None where we know none."""
    found = BY_CODE.get(carrier) or canonical(carrier)
    return found.url(number) if found and number else None


def close_to(name: str) -> list[CarrierName]:
    """Carriers whose spelling is near `name`, nearest first."""
    spelling = "".join(_words(name))
    near = get_close_matches(spelling, _SPELLINGS, n=5, cutoff=0.75) if len(spelling) > 2 else []
    return list(dict.fromkeys(_SPELLINGS[one] for one in near))
