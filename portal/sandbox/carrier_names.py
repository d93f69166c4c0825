"""The carriers EasyPost can follow, by the names its API takes. Any other name is refused."""

from typing import Final

_WORDS: Final = """
    AmazonShipping APC AsendiaUsa AustraliaPost AxlehireV3 BetterTrucks CanadaPost Canpar Chronopost
    ColumbusLastMile CouriersPlease DaiPost DeutschePost DeutschePostUK DHLEcommerceAsia DhlEcs
    DHLExpress DHLPaket DPD DPDUK ePostGlobal Estafeta Evri Fastway FedEx FedExSameDayCity
    FedexSmartPost FirstMile Globegistics GLS GSO Hermes InPost InterlinkExpress JPPost
    KuronekoYamato LaPoste LaserShipV2 LSO Maergo Newgistics OmniParcel OnTracV3 OsmWorldwide
    Parcelforce PassportGlobal PostNL PostNord Purolator RoyalMail RRDonnelley Seko Sendle SpeeDee
    StarTrack TForce Toll UDS UPS UPSIparcel UPSMailInnovations USPS Veho Yanwen Yodel YunExpress
"""
NAMES: Final = frozenset(_WORDS.split())
