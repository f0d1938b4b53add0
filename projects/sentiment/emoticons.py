"""Emoji and emoticons as words, since no tokenizer here knows them: 👍 -> thumbs up, :( -> frowning face."""

import re

import emoji

PICTURE = re.compile("[\u2190-\u3299\U0001f000-\U0001faff]")
SIGNS = "©®™"  # have names in the library, too
SKIN = re.compile(r"_(?:medium-light|medium-dark|light|medium|dark)_skin_tone")
FACES = (
    ("smiling face", r"[:;=]['’]?[-o^]?[)\]D]+|\(:|\^_?\^"),
    ("frowning face", r"[:=]['’]?[-o^]?[(\[]+|(?<!\S)\):|D:(?!\s*\w)"),
    ("unamused face", r"[:=]-?[/|\\]|-_+-"),
    ("red heart", r"<3+(?!\s*[\w%])"),
    ("broken heart", r"</3+"),
)
"""What is said of a face, and the emoticons that show it, as regular expressions."""
EMOTICON = re.compile(r"(?<![\w/:;=<])(?:" + "|".join(f"({pattern})" for _, pattern in FACES) + r")(?![\w/:;=(<])")


def spelled_out(text: str) -> str:
    """The text with words in place of emoji and emoticons."""
    text = EMOTICON.sub(lambda found: f" {FACES[(found.lastindex or 1) - 1][0]} ", text)
    return emoji.replace_emoji(text, _named) if PICTURE.search(text) else text


def _named(characters: str, about: dict[str, str]) -> str:
    if characters[0] in SIGNS:
        return characters
    return f" {SKIN.sub('', about['en']).strip(':').replace('_', ' ')} "
