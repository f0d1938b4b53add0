"""How the names of files and addresses are shown, and what a file is called that is named after one."""

import re
import unicodedata
from pathlib import Path

JOINERS = "\u200c\u200d"  # parts of words in Persian and of emoji
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)  # devices of Windows, in any folder


def shown(name: object) -> str:
    r"""A name as one line of text that can be printed and written as UTF-8, whatever bytes it is made of.

    Control characters, line breaks, marks that turn the direction of writing, and bytes that are no UTF-8 are escaped.

    >>> shown("leaf 1.jpg"), shown("two\nlines.jpg")
    ('leaf 1.jpg', 'two\\nlines.jpg')
    """
    return "".join(c if _is_printable(c) else c.encode("unicode_escape").decode() for c in str(name))


def one_line(error: object, length: int = 200) -> str:
    r"""What an error says as one line that can be printed, its middle left out where it is long; its type where it says
    nothing.

    >>> one_line(ValueError("two\nlines")), one_line(EOFError())
    ('two lines', 'EOFError')
    """
    return cut(shown(" ".join(str(error).split())) or type(error).__name__, length)


def cut(text: str, length: int = 100) -> str:
    """A text, its middle left out where it is long."""
    return text if len(text) <= length else f"{text[: length // 2]} ... {text[-length // 4 :]}"


def _is_printable(c: str) -> bool:
    return c.isprintable() or c in JOINERS or unicodedata.category(c) == "Zs"


def require_utf8(path: Path) -> Path:
    """The path itself. Raises ValueError with one sentence where it is not UTF-8: libraries in C++ and Rust refuse such
    names, or crash."""
    if any("\ud800" <= c <= "\udfff" for c in str(path)):
        raise ValueError(f"{shown(path)} is not UTF-8: rename it")
    return path


def safe_file_name(name: str, longest: int = 100) -> str:
    """A file name for any system made of a name: at most `longest` bytes of UTF-8, no separators or reserved names.

    >>> safe_file_name("a/b?.jpg"), safe_file_name("aux"), safe_file_name("..")
    ('a_b_.jpg', '_aux', 'photo')
    """
    kept = re.sub(r'[<>:"/\\|?*]', "_", "".join(c if _is_printable(c) else "_" for c in name))
    kept = kept.encode()[:longest].decode(errors="ignore").strip(". ")
    return f"_{kept}" if RESERVED.match(kept) else kept or "photo"
