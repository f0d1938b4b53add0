"""Texts about several things: where one of them stands, and what a linear model sees of the text around it."""

import re

from projects.sentiment.sources import Table

WORD = re.compile(r"\w+(?:['’]\w+)?|[!?]")
WINDOW = 5
"""Words on each side; chosen on the validation set of MAMS."""


def place_of(text: str, aspect: str) -> int:
    """Where an aspect first stands in a text, as whole words where it does; -1 if it is not in the text.

    >>> place_of("They barely fill the bar.", "bar"), place_of("Two waiters", "waiter"), place_of("Lovely", "decor")
    (21, 4, -1)
    """
    whole = re.search(rf"(?<!\w){re.escape(aspect)}(?!\w)", text, re.IGNORECASE)
    return whole.start() if whole else text.lower().find(aspect.lower())


def marked(text: str, aspect: str) -> str:
    """The text with an aspect in brackets, where it first stands; the text itself where it does not.

    >>> marked("The decor is lovely.", "decor")
    'The [ decor ] is lovely.'
    """
    start = place_of(text, aspect)
    end = start + len(aspect)
    return text if start < 0 or not aspect else f"{text[:start]}[ {text[start:end]} ]{text[end:]}"


def around(text: str, aspect: str, width: int = WINDOW) -> str:
    """The `width` words before and after the first place of an aspect, and the aspect; the whole text where it is not.

    >>> around("The decor is lovely but the very slow waiters spoiled it.", "waiters", 2)
    'very slow [aspect] spoiled it ; waiters'
    """
    at = place_of(text, aspect)
    if at < 0:
        return f"{text} ; {aspect}"
    before, after = WORD.findall(text[:at])[-width:], WORD.findall(text[at + len(aspect) :])[:width]
    return f"{' '.join([*before, '[aspect]', *after])} ; {aspect}"


def linear_inputs(table: Table) -> list[str]:
    """The texts for the linear baselines: with aspects only the words around each, which is what it is about."""
    if table.aspects is None:
        return table.texts
    return [around(text, aspect) for text, aspect in zip(table.texts, table.aspects)]
