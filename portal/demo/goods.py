"""What the two demo brands sell. Pictures lie in static/pictures, credited there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Good:
    """One article: its picture is a file name in static/pictures."""

    sku: str
    title: str
    variant: str
    category: str
    price_minor: int
    picture: str
    weight_g: int


FERN = (
    Good("OLIVE-S", "Olive tree, small", "Terracotta pot", "Plants", 4200, "potted-plant", 2400),
    Good("TEAPOT-MOSS", "Stoneware teapot", "Moss", "Stoneware", 5800, "teapot", 1300),
    Good("MUG-SAND", "Stoneware mug", "Sand", "Stoneware", 1900, "mug", 400),
    Good("CACTUS-3", "Cactus trio", "Mixed", "Plants", 2600, "cactus", 900),
    Good("BASKET-L", "Seagrass basket", "Large", "Home", 3400, "basket", 800),
    Good("CANDLE-FIG", "Beeswax candle", "Fig leaf", "Home", 2200, "candle", 350),
    Good("HERBS-KIT", "Kitchen herb kit", "Basil, thyme, mint", "Plants", 2900, "herbs", 1100),
    Good("JUG-OAT", "Pouring jug", "Oat", "Stoneware", 3600, "pouring-jug", 900),
)
VOLTA = (
    Good("NINE-OVER", "Nine Over headphones", "Graphite", "Headphones", 24900, "headphones", 380),
    Good(
        "MIC-STUDIO", "Studio microphone", "Black", "Microphones", 18900, "studio-microphone", 900
    ),
    Good("SPK-40", "Monitor 40", "Pair", "Speakers", 32900, "speaker", 5200),
    Good("KEYS-49", "Keys 49", "White", "Instruments", 21900, "keyboard", 3100),
    Good("CABLE-XLR", "XLR cable", "3 m", "Accessories", 1900, "cable", 250),
    Good("RADIO-9", "Radio Nine", "Cream", "Speakers", 15900, "radio", 1400),
    Good("MIX-8", "Mixer 8", "Black", "Studio", 27900, "mixer", 2600),
    Good("BATT-2", "Battery pack", "2 pieces", "Accessories", 2900, "battery", 300),
)
