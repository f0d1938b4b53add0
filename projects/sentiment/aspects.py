"""Texts about several things: what a linear model sees of the text around one of them."""

import re

from projects.sentiment.sources import Table

WORD = re.compile(r"\w+(?:['’]\w+)?|[!?]")
WINDOW = 5
"""Words on each side; chosen on the validation set of MAMS."""


def around(text: str, aspect: str, width: int = WINDOW) -> str:
    """The `width` words before and after the first place of an aspect, and the aspect; the whole text where it is not.

    >>> around("The decor is lovely but the very slow waiters spoiled it.", "waiters", 2)
    'very slow [aspect] spoiled it ; waiters'
    """
    at = text.lower().find(aspect.lower())
    if at < 0:
        return f"{text} ; {aspect}"
    before, after = WORD.findall(text[:at])[-width:], WORD.findall(text[at + len(aspect) :])[:width]
    return f"{' '.join([*before, '[aspect]', *after])} ; {aspect}"


def linear_inputs(table: Table) -> list[str]:
    """The texts for the linear baselines: with aspects only the words around each, which is what it is about."""
    if table.aspects is None:
        return table.texts
    return [around(text, aspect) for text, aspect in zip(table.texts, table.aspects)]
