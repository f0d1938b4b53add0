"""A shop's reviews in another language than the run's: refused where they are most, said where they are some."""

from pathlib import Path

import pytest

from tests.conftest import CommandLine

pytest.importorskip("py3langid")
REPORT = "projects.sentiment.customer_report"
GERMAN = [
    "Leider ist der Kocher nach zwei Wochen kaputt gegangen, ich bin sehr enttäuscht von diesem Gerät.",
    "Die Lieferung kam schnell und die Qualität der Tasche ist wirklich ausgezeichnet, gerne wieder.",
    "Der Akku hält nicht lange und der Kundendienst antwortet auf keine einzige Nachricht von mir.",
    "Ich benutze diese Lampe jeden Abend zum Lesen und würde sie sofort noch einmal kaufen.",
]
ENGLISH = [
    "The kettle broke after two weeks and nobody at the service desk answered my messages.",
    "Delivery was fast and the quality of this bag is really excellent, I would buy it again.",
    "The battery does not last long, but they sent a new one within three days of my complaint.",
    "I use this lamp every evening for reading and it has been worth every penny so far.",
]


def write(path: Path, german: int, english: int) -> None:
    texts = [f"{text} {i}" for i in range(12) for text in GERMAN][:german]
    texts += [f"{text} {i}" for i in range(12) for text in ENGLISH][:english]
    path.write_text("text\n" + "".join(f'"{text}"\n' for text in texts), encoding="utf-8")


def test_reviews_in_another_language_are_refused_unless_trusted(tmp_path: Path, command: CommandLine) -> None:
    write(tmp_path / "shop.csv", 40, 0)
    answer = command(REPORT, "shop.csv", "--run", "shipped")
    assert answer.returncode == 2
    (sentence,) = answer.stderr.strip().splitlines()[-1:]
    assert "100% of the reviews are not in English, the language of run shipped, but mostly in German" in sentence
    assert "--trust" in sentence
    trusted = command(REPORT, "shop.csv", "--run", "shipped", "--trust", "--output", "page.html")
    assert trusted.returncode == 0, trusted.stderr
    assert "Use these predictions with care: 100% of the reviews are not in English" in trusted.stdout


def test_some_reviews_in_another_language_are_said(tmp_path: Path, command: CommandLine) -> None:
    write(tmp_path / "shop.csv", 10, 30)
    answer = command(REPORT, "shop.csv", "--run", "shipped", "--output", "page.html")
    assert answer.returncode == 0, answer.stderr
    assert "25% of the reviews are not in English" in answer.stdout
    assert "mostly in German" in (tmp_path / "page.html").read_text(encoding="utf-8")
