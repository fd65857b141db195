"""Makes up a catalogue: the same one each time, shaped like a real shop's, with words of our own.

A few departments hold most products and some hold a handful; prices spread over four powers of ten around a median of
80 and mostly end in .99; stocks are small, and a few products are sold out.
"""

import math
import random

SEED = 20260101
PRODUCT_COUNT = 2500

# Department: share of the catalogue, median price, kinds of goods.
DEPARTMENTS = {
    "accessories": (92, 75, "backpack belt glasses handbag watch tote"),
    "apparel": (93, 60, "jacket scarf shirt socks cardigan"),
    "beauty": (24, 18, "bathing grooming candle"),
    "books": (14, 22, "cooking travel"),
    "cold dispensed": (2, 3, "lemonade"),
    "electronics": (42, 190, "camera speaker headphones keyboard television"),
    "floral": (51, 45, "bouquet plant wreath arrangement"),
    "food service": (3, 9, "sandwich soup"),
    "footwear": (76, 95, "boot sneaker sandals formal"),
    "furniture": (99, 420, "table chair sofa dresser"),
    "groceries": (79, 8, "bakery vegetables fruits meat seafood dairy"),
    "homedecor": (78, 48, "lighting cushion clock decorative"),
    "hot dispensed": (1, 4, "coffee"),
    "housewares": (88, 30, "kitchen bowls linen"),
    "instruments": (67, 380, "strings percussion keys wind microphone"),
    "jewelry": (36, 160, "bracelet necklace earrings ring"),
    "outdoors": (37, 85, "fishing camping kayaking pet"),
    "salty snacks": (2, 3, "crisps"),
    "seasonal": (88, 26, "christmas easter halloween valentine"),
    "tools": (24, 40, "wrench saw plier hammer drill"),
}

CHARACTERS = ("Harbour Meadow Northern Quiet Copper Juniper Slate Marigold Weathered Foxglove Alder Sunday Lantern "
              "Pebble Orchard Winter Bramble Saffron Tidal Hazel Ember Larkspur Rowan Thistle Cobalt Willow").split()
MATERIALS = ("Oak Linen Wool Walnut Leather Brass Cotton Enamel Birch Canvas Glass Clay Steel Cork Felt Ash").split()
VIRTUES = ["made to be mended", "light enough to take anywhere", "at home in any room", "better with every year",
           "made in small numbers", "easy to clean and hard to break", "warm to the touch", "quietly handsome"]
USES = ["for long weekends", "for people who use things daily", "for a gift that stays", "for small homes",
        "for early mornings", "for those who have tried the others", "for rainy seasons", "for the table of friends"]
CLOSINGS = ["Comes in a plain box without plastic.", "We have used one ourselves for years.",
            "Spare parts are kept for a decade.", "No two are quite the same.", "Guaranteed for five years."]


def price(random_source: random.Random, median: float) -> str:
    """Log-normal, as prices are; put together from whole dollars and cents, so that nothing is rounded."""
    amount = min(max(1.3 * median * math.exp(random_source.gauss(0, 0.9)), 1.99), 24999.99)
    whole = int(amount)
    cents = random_source.choices([99, 0, 49, random_source.randrange(100)], [80, 8, 8, 4])[0]
    return f"{max(whole, 1)}.{cents:02d}"


def stock(random_source: random.Random) -> str:
    return str(random_source.choices([0, random_source.randint(1, 5), random_source.randint(6, 19),
                                      random_source.randint(20, 400)], [2, 10, 78, 10])[0])


def describe(random_source: random.Random, name: str, material: str) -> str:
    virtue, other = random_source.sample(VIRTUES, 2)
    return (f"The {name} is {virtue}, and {other}. It is made of {material.lower()}, and meant "
            f"{random_source.choice(USES)}. {random_source.choice(CLOSINGS)}")


def product(random_source: random.Random, number: int, category_id: int, kinds: str, median: float) -> list[str]:
    kind = random_source.choice(kinds.split())
    material = random_source.choice(MATERIALS)
    name = f"{random_source.choice(CHARACTERS)} {material} {kind.capitalize()}"
    return [str(number), str(category_id), kind, name, describe(random_source, name, material),
            price(random_source, median), stock(random_source), f"{kind}-{number}.svg"]


def department_sizes() -> list[int]:
    """Rounding is made good in the largest department, so that the sum is PRODUCT_COUNT."""
    shares = [share for share, _, _ in DEPARTMENTS.values()]
    sizes = [max(1, PRODUCT_COUNT * share // sum(shares)) for share in shares]
    sizes[shares.index(max(shares))] += PRODUCT_COUNT - sum(sizes)
    return sizes


def catalogue() -> tuple[dict[str, str], list[list[str]]]:
    """Departments (number by name) and products, as columns of text."""
    random_source = random.Random(SEED)
    categories = {name: str(number) for number, name in enumerate(DEPARTMENTS, 1)}
    products: list[list[str]] = []
    for (category_id, size) in enumerate(department_sizes(), 1):
        _, median, kinds = list(DEPARTMENTS.values())[category_id - 1]
        for _ in range(size):
            products.append(product(random_source, len(products) + 1, category_id, kinds, median))
    return categories, products
