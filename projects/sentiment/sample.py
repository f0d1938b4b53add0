"""The embedded sample: reviews composed by a grammar in which single words say little.

The same praising and blaming words occur in good and in bad reviews: what counts is whether they are negated ('not
what I would call reliable') and which side of a 'but' they stand on. Every product has some reviews that contrast.
"""

import csv
import io
from pathlib import Path

import numpy as np

from shared.data.cache import sample_folder
from shared.files import write_text

PRODUCTS = {
    "Aurora kettle": ("lid", "handle", "base", "switch", "spout"),
    "Borealis headphones": ("sound", "cable", "headband", "microphone", "battery"),
    "Cirrus backpack": ("zip", "strap", "lining", "pocket", "fabric"),
    "Delta desk lamp": ("light", "arm", "dimmer", "stand", "bulb"),
    "Ember coffee grinder": ("motor", "blade", "hopper", "timer", "noise level"),
    "Fjord rain jacket": ("hood", "seam", "sleeve", "colour", "fit"),
    "Glide bicycle pump": ("gauge", "hose", "valve", "grip", "piston"),
    "Halo phone case": ("corner", "button", "finish", "clip", "edge"),
}
EXTRAS = ("delivery", "customer service", "price", "packaging", "manual")
GOOD = (
    "reliable", "sturdy", "comfortable", "pleasant", "excellent", "practical", "beautiful", "solid", "clever", "superb",
    "smooth", "generous", "neat", "precise", "well made", "easy to use",
)  # fmt: skip
BAD = (
    "flimsy", "useless", "annoying", "clumsy", "awful", "fragile", "disappointing", "ugly", "sloppy", "dreadful",
    "uneven", "stingy", "messy", "crooked", "badly made", "hard to use",
)  # fmt: skip
PLAIN = (
    "the {0} is {1}",
    "the {0} feels {1}",
    "I find the {0} {1}",
    "the {0} turned out to be {1}",
    "the {0} could not be more {1}",
)
NEGATED = (
    "the {0} is not at all {1}", "nobody would call the {0} {1}", "the {0} is anything but {1}",
    "I never found the {0} {1}", "the {0} is not what I would call {1}", "there is nothing {1} about the {0}",
)  # fmt: skip
OPENINGS = ("", "", "Bought it for my {0}. ", "My {0} gave it to me. ", "Ordered two weeks ago. ", "Second one I own. ")
PEOPLE = ("sister", "father", "office", "daughter", "neighbour", "wife", "husband", "brother")
CONTRASTS = ("{0}, but in the end {1}", "although {0}, {1}", "{0}; still, what counts for me is that {1}")
TURNED = ("{1}, although {0}", "what counts for me is that {1}, even if {0}")  # the verdict comes first


def compose_sample(folder: Path, reviews: int, seed: int) -> Path:
    """Write `reviews.csv` with that many reviews below `folder`, if it is not there yet, and return its path."""
    path = sample_folder(folder, "sentiment", (reviews, seed), Path(__file__)) / "reviews.csv"
    if not path.is_file():
        generator = np.random.default_rng(seed)
        rows: dict[str, tuple[str, ...]] = {}
        while len(rows) < reviews:
            text, *rest = compose(generator)
            rows[text] = (text, *rest)
        page = io.StringIO()
        writer = csv.writer(page, lineterminator="\n")
        writer.writerow(("text", "label", "stars", "product", "date"))
        writer.writerows(rows.values())
        write_text(path, page.getvalue())
    return path


def compose(generator: np.random.Generator) -> tuple[str, str, str, str, str]:
    """One review: text, label, stars, product, date."""

    def pick(options: tuple[str, ...]) -> str:
        return options[generator.integers(len(options))]

    def clause(positive: bool) -> str:
        """A statement about one part of the product; two of five say it by denying the opposite."""
        negate = generator.random() < 0.4
        words = GOOD if positive != negate else BAD
        return pick(NEGATED if negate else PLAIN).format(pick(parts), pick(words))

    names = tuple(PRODUCTS)
    product = pick(names)
    parts = PRODUCTS[product] + EXTRAS
    # some products are better than others, and the kettle was changed for the worse in summer
    month = int(generator.integers(1, 13))
    liked = 0.75 - 0.07 * names.index(product) - (0.3 if product == names[0] and month > 6 else 0.0)
    positive = bool(generator.random() < liked)
    kind = generator.random()
    if kind < 0.4:
        body = pick(CONTRASTS if generator.random() < 0.6 else TURNED).format(clause(not positive), clause(positive))
        stars = 4 if positive else 2
    else:
        body = f"{clause(positive)}, and {clause(positive)}" if kind < 0.7 else clause(positive)
        stars = 5 if positive else 1
    text = f"{pick(OPENINGS).format(pick(PEOPLE))}{body[0].upper()}{body[1:]}."
    if generator.random() < 0.25:  # typed in haste: a letter is missing somewhere
        at = int(generator.integers(1, len(text) - 1))
        text = text[:at] + text[at + 1 :]
    label = "positive" if positive else "negative"
    return text, label, str(stars), product, f"2025-{month:02d}-{int(generator.integers(1, 29)):02d}"
