"""Files of text in any encoding, compressed or not -> text."""

import codecs
import re
from pathlib import Path

import charset_normalizer
from pandas.io.common import get_handle

from shared.console import note
from shared.files import size_in_words
from shared.names import one_line

LARGEST = 2 * 10**9  # bytes of a table when it is unpacked
MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32",
         codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}  # fmt: skip
"""Byte order marks, the longer ones first."""
SCRIPTS = ["cp1251", "koi8_r", "cp1253", "cp1255", "cp1256", "cp874", "cp932", "euc_jp", "gb18030", "big5", "cp949"]
"""Encodings of languages that are not written in Latin letters."""


def read_bytes(path: Path) -> bytes:
    """The content of a file that may be compressed. Raises FileNotFoundError, or ValueError with one sentence."""
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    if path.stat().st_size == 0:
        raise ValueError(f"{path} is empty (0 bytes)")
    try:
        with get_handle(path, "rb", compression="infer", is_text=False) as opened:
            content = opened.handle.read(LARGEST + 1)
    except Exception as error:  # what damaged and encrypted archives raise in the libraries is of many kinds
        raise unreadable(path, error) from None
    if len(content) > LARGEST:
        raise ValueError(f"{path} holds more than {size_in_words(LARGEST)} of text; divide it into several files")
    return content


def lines_of(text: str) -> list[str]:
    """The lines of a text. Only line feeds and carriage returns end one; other separators may be inside a sentence.

    >>> lines_of("It works\\u2028and is cheap.\\r\\nIt broke.\\n")
    ['It works\\u2028and is cheap.', 'It broke.']
    """
    lines = re.split(r"\r\n?|\n", text)
    return lines if lines[-1] else lines[:-1]


def unreadable(path: Path, error: object) -> ValueError:
    """The error of a file that is no table, with the reason."""
    return ValueError(f"{path} is not readable as a table: {one_line(error, 300)}")


def decode(content: bytes, path: Path, encoding: str | None = None) -> str:
    """Text in the given encoding, else by its byte order mark, as UTF-8, or in the encoding that is detected and said.

    Raises ValueError with one sentence.
    """
    mark = next((name for bom, name in MARKS.items() if content.startswith(bom)), None)
    detected = encoding or mark or "utf-8"
    try:
        text = content.decode(detected)
    except UnicodeError as error:
        if encoding or mark:
            raise ValueError(
                f"{path} is not text in {detected}; save it in UTF-8, or name its encoding with --data.encoding"
            ) from None
        detected = _detect(content, path, error)
        text = content.decode(detected)
        note(f"{path}: not UTF-8, read as {detected} (--data.encoding names another)")
    except LookupError:
        raise ValueError(f"encoding {encoding} is not known; utf-8, cp1252 and latin-1 are usual") from None
    text = text.removeprefix("\ufeff")
    if binary := re.search("[\0\ud800-\udfff]", text):
        line = text.count("\n", 0, binary.start()) + 1
        raise ValueError(f"{path} is not a table of text: it holds binary data in line {line}")
    return text


def _detect(content: bytes, path: Path, error: UnicodeError) -> str:
    """The likely encoding of text that is not UTF-8. Raises ValueError where it is UTF-8 but for a few bytes."""
    valid = len(re.findall(rb"[\xc3-\xf4][\x80-\xbf]+", content))
    broken = content.decode("utf-8", errors="replace").count("\ufffd")
    if valid > 4 * broken:
        line = content.count(b"\n", 0, getattr(error, "start", 0)) + 1
        raise ValueError(f"{path} is UTF-8, but {broken} characters are damaged, the first in line {line}")
    foreign, letters = len(re.findall(rb"[\x80-\xff]", content)), len(re.findall(rb"[A-Za-z]", content))
    if foreign > letters / 3:
        best = charset_normalizer.from_bytes(content[:100_000], cp_isolation=SCRIPTS).best()
        return best.encoding if best else "latin_1"
    try:  # an accent here and there
        content.decode("cp1252")
        return "cp1252"
    except UnicodeError:
        return "latin_1"
