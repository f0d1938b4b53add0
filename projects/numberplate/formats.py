"""The formats of number plates by country, to draw plates and to disambiguate look-alike characters.

In a pattern `A` is a letter and `9` a digit; everything else (space, dash, dot) is drawn but not part of the text.
"""

from collections.abc import Sequence

CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MAX_LENGTH = 12
"""Characters on one plate."""
LOOK_ALIKES = {a: b for pair in ("0O", "1I", "5S", "8B") for a, b in (pair, pair[::-1])}
CERTAIN = 0.9  # a character read with at least this probability is never changed

FORMATS: dict[str, tuple[str, ...]] = {
    "ar": ("AAA 999", "AA 999 AA"),
    "at": ("A 99999A", "AA 999AA", "AA 99AAA", "A 9999AA"),
    "ba": ("A99-A-999",),
    "be": ("9-AAA-999", "AAA-999", "999-AAA"),
    "bg": ("AA 9999 AA", "A 9999 AA"),
    "br": ("AAA-9999", "AAA9A99"),
    "ch": ("AA 999999", "AA 99999", "AA 9999"),
    "cz": ("9A9 9999", "9AA 9999"),
    "de": tuple(f"{town} {letters} {digits}" for town in ("A", "AA", "AAA") for letters in ("A", "AA")
                for digits in ("99", "999", "9999") if len(town + letters + digits) <= 8),
    "dk": ("AA 99 999",),
    "ee": ("999 AAA",),
    "es": ("9999 AAA", "A-9999-AA"),
    "fi": ("AAA-999",),
    "fr": ("AA-999-AA", "999 AA 99", "9999 AA 99"),
    "gb": ("AA99 AAA", "A999 AAA", "AAA 999A"),
    "gr": ("AAA-9999",),
    "hr": ("AA 999-AA", "AA 9999-AA", "AA 999-A"),
    "hu": ("AAA-999", "AA AA-999"),
    "ie": ("99-A-99999", "99-A-9999", "999-AA-9999"),
    "in": ("AA 99 AA 9999", "AA 9A 9999"),
    "is": ("AA A99", "AA 999"),
    "it": ("AA 999AA",),
    "lt": ("AAA 999",),
    "lu": ("AA 9999",),
    "lv": ("AA-9999",),
    "mk": ("AA 9999 AA",),
    "nl": ("99-AA-AA", "99-AAA-9", "9-AAA-99", "AA-999-A", "A-999-AA", "AA-99-99"),
    "no": ("AA 99999",),
    "pl": ("AA 99999", "AAA 9999", "AA 9999A", "AAA 99AA", "AA 999AA"),
    "pt": ("99-AA-99", "AA-99-99", "99-99-AA", "AA 99 AA"),
    "ro": ("AA 99 AAA", "A 99 AAA", "A 999 AAA"),
    "rs": ("AA 999-AA", "AA 9999-AA"),
    "ru": ("A999AA 99", "A999AA 999"),
    "se": ("AAA 999", "AAA 99A"),
    "si": ("AA AA-999", "AA 99-AAA"),
    "sk": ("AA-999AA",),
    "tr": ("99 AA 999", "99 AAA 99", "99 A 9999"),
    "ua": ("AA 9999 AA",),
    "us": ("AAA 9999", "AAA-999", "999 AAA", "9AAA999", "AA-9999", "999-AAA", "AA 99999", "AA9 99A", "A99 99A",
           "999 999"),
}  # fmt: skip


def known_country(country: str) -> str:
    """A country's two letters as in `FORMATS`. Raises ValueError if it is not among them."""
    if country.lower() not in FORMATS:
        raise ValueError(f"country {country} is not known; known countries: {', '.join(FORMATS)}")
    return country.lower()


def symbols(pattern: str) -> str:
    """The pattern without separators: `AA-999-AA` -> `AA999AA`."""
    return "".join(symbol for symbol in pattern if symbol in "A9")


def fits(character: str, symbol: str) -> bool:
    """Whether a character may stand where the pattern has this symbol."""
    return character.isdigit() if symbol == "9" else character.isalpha()


def disambiguate(text: str, confidences: Sequence[float], country: str | None) -> str:
    """Exchange 0/O, 1/I, 5/S and 8/B where the country's formats decide and the reader was uncertain.

    confidences: the reader's probability of each character, in 0..1. The text is returned unchanged for an unknown
    country, where it already fits a format, and where the formats allow several texts.
    """
    candidates = set()
    for pattern in FORMATS.get(country or "", ()):
        wanted = symbols(pattern)
        if len(wanted) != len(text):
            continue
        candidate = ""
        for character, confidence, symbol in zip(text, confidences, wanted):
            other = LOOK_ALIKES.get(character, "") if confidence < CERTAIN else ""
            candidate += character if fits(character, symbol) else other if other and fits(other, symbol) else "?"
        if "?" not in candidate:
            candidates.add(candidate)
    return candidates.pop() if len(candidates) == 1 and text not in candidates else text


def fold(text: str) -> str:
    """The text with O written 0 and I written 1, which most plates do not distinguish."""
    return text.replace("O", "0").replace("I", "1")
