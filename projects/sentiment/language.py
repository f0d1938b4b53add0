"""The language that texts are in (py3langid, part of the extra `text`)."""

from collections import Counter
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from typing import Any

NAMES = {
    "ar": "Arabic", "bg": "Bulgarian", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "en": "English",
    "es": "Spanish", "et": "Estonian", "fa": "Persian", "fi": "Finnish", "fr": "French", "he": "Hebrew", "hi": "Hindi",
    "hr": "Croatian", "hu": "Hungarian", "id": "Indonesian", "it": "Italian", "ja": "Japanese", "ko": "Korean",
    "no": "Norwegian", "nl": "Dutch", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian",
    "sk": "Slovak", "sv": "Swedish", "th": "Thai", "tr": "Turkish", "uk": "Ukrainian", "vi": "Vietnamese",
    "zh": "Chinese",
}  # fmt: skip
CERTAIN = 0.95  # probability; what is less certain, as in a text of one word, is not said
MOST_READ = 2000  # texts of a table


def language(text: str) -> str:
    """The name of the language of a text; '' where it is not certain, or the package is not installed."""
    identifier = _identifier()
    if identifier is None or not any(c.isalpha() for c in text):
        return ""
    code, probability = identifier.classify(text)
    return NAMES[code] if probability >= CERTAIN else ""


def languages(texts: Sequence[str]) -> Counter[str]:
    """How many texts are in each language, without those whose language is not certain; of many texts, a sample."""
    step = max(1, len(texts) // MOST_READ)
    return Counter(filter(None, map(language, texts[::step])))


def common_language(texts: Sequence[str]) -> str:
    """The language of more than half of those texts whose language is certain; '' where there is none."""
    found = languages(texts)
    name, count = found.most_common(1)[0] if found else ("", 0)
    return name if 2 * count > found.total() else ""


@cache
def _identifier() -> Any:
    if not find_spec("py3langid"):
        return None
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages([code for code in NAMES if code in identifier.labels])
    return identifier
