"""The carriers EasyPost can follow, by the names its API takes. Any other name is refused."""

from typing import Final

_WORDS: Final = """
    AmazonShipping APC Asendia AsendiaUsa AustraliaPost AustrianPost AxlehireV3 BetterTrucks Bpost
    CanadaPost Canpar ChinaEMS Chronopost ColumbusLastMile Correos CouriersPlease DaiPost
    DeutschePost DeutschePostUK DHLEcommerceAsia DhlEcs DHLExpress DHLPaket DPD DPDUK
    ePostGlobal Estafeta Evri Fastway FedEx FedExSameDayCity FedexSmartPost FirstMile
    Globegistics GLS GOFO GSO Hermes HongKongPost InPost InterlinkExpress JPPost KuronekoYamato
    LandmarkGlobal LaPoste LaserShip LaserShipV2 LSO Maergo Newgistics OldDominion OmniParcel
    OnTrac OnTracV3 OsmWorldwide Parcelforce PassportGlobal PosteItaliane PostNL PostNord
    Purolator RoyalMail RRDonnelley Seko Sendle SFExpress SingaporePost SpeeDee StarTrack
    SwissPost TForce Toll UDS UPS UPSIparcel UPSMailInnovations USPS Veho Yanwen Yodel YunExpress
"""
NAMES: Final = frozenset(_WORDS.split())
