"""Files of reviews in the layouts of shops, app stores and data sets; each holds the same few texts."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd

GOOD, BAD, FAIR = "I like it, it works very well.", "It broke after a week; never again.", "It is what it is, no more."
TEXTS = [GOOD, BAD, FAIR]
HEADS = ["Great", "Awful", "Fair"]
STARS = [5, 1, 3]
DAYS = ["2024-01-31", "2024-02-01", "2024-02-29"]
POSITIVE, NEGATIVE = "positive", "negative"
Layout = Callable[[Path], Path]


def csv(name: str, columns: Mapping[str, Sequence], encoding: str = "utf-8", sep: str = ",") -> Layout:
    """A delimited table."""

    def write(folder: Path) -> Path:
        text = pd.DataFrame(columns).to_csv(index=False, sep=sep, lineterminator="\r\n")
        (folder / name).write_bytes(text.encode(encoding))
        return folder / name

    return write


def text(name: str, content: str) -> Layout:
    """A file with this content."""

    def write(folder: Path) -> Path:
        (folder / name).write_text(content, encoding="utf-8")
        return folder / name

    return write


def json_lines(name: str, columns: Mapping[str, Sequence]) -> Layout:
    """A file with an object on each line."""
    rows = [dict(zip(columns, row)) for row in zip(*columns.values())]
    return text(name, "".join(json.dumps(row) + "\n" for row in rows))


def labelled(labels: Sequence) -> Layout:
    """A good, a bad and a fair text with these labels."""
    return csv("r.csv", {"text": TEXTS[: len(labels)], "label": labels})


def rated(ratings: Sequence, column: str = "rating") -> Layout:
    """A good, a bad and a fair text with these ratings."""
    return csv("r.csv", {"text": TEXTS, column: ratings})


MCAULEY_2014 = {"reviewerID": list("abc"), "asin": ["B1", "B2", "B3"], "reviewText": TEXTS, "overall": [5.0, 1.0, 3.0],
                "summary": HEADS, "unixReviewTime": [1706659200, 1706745600, 1709164800],
                "reviewTime": ["01 31, 2024", "02 1, 2024", "02 29, 2024"]}  # fmt: skip
MCAULEY_2023 = {"rating": [5.0, 1.0, 3.0], "title": HEADS, "text": TEXTS, "images": [[], [], []],
                "asin": ["B1", "B2", "B3"], "parent_asin": ["B1", "B2", "B3"], "verified_purchase": [True] * 3,
                "timestamp": [1706659200923, 1706745600923, 1709164800923]}  # fmt: skip
PLAY = {"Package Name": ["a.b"] * 3, "Review Submit Date and Time": [f"{day}T00:00:00Z" for day in DAYS],
        "Star Rating": STARS, "Review Title": [""] * 3, "Review Text": TEXTS}  # fmt: skip
APP_STORE = {"Date": DAYS, "Store": ["it"] * 3, "App Name": ["Shop"] * 3, "Version": [1] * 3, "Rating": STARS,
             "Author": ["x"] * 3, "Title": HEADS, "Review": TEXTS, "Reply": [""] * 3}  # fmt: skip
DATAFINITI = {"id": ["x"] * 3, "name": ["A", "B", "C"], "asins": ["B1", "B2", "B3"], "reviews.date": DAYS,
              "reviews.rating": STARS, "reviews.text": TEXTS, "reviews.title": HEADS}  # fmt: skip
CLOTHING = {"": [0, 1, 2], "Clothing ID": [7, 8, 9], "Age": [33] * 3, "Title": HEADS, "Review Text": TEXTS,
            "Rating": STARS, "Recommended IND": [1, 0, 1], "Class Name": ["Knits"] * 3}  # fmt: skip
BOOKING = {"Hotel_Name": ["A", "B"], "Reviewer_Score": [9.2, 4.2], "Positive_Review": [GOOD, "No Positive"],
           "Negative_Review": ["No Negative", BAD], "Review_Date": ["1/31/2024", "2/1/2024"]}  # fmt: skip
GERMAN = {"Bewertung": TEXTS, "Sterne": ["4,5", "1,0", "3,0"], "Produkt": ["Kocher", "Lampe", "Tür"],
          "Datum": ["31.01.2024", "01.02.2024", "29.02.2024"]}  # fmt: skip
SENTIMENT140 = "".join(
    f'"{label}","{n}","Wed Jan 31 22:19:45 PDT 2024","NO_QUERY","user","{tweet}"\n'
    for n, (label, tweet) in enumerate(zip((4, 0), TEXTS))
)
XML = f"<r><x><text>{GOOD}</text><stars>5</stars></x><x><text>{BAD}</text><stars>1</stars></x></r>"
SEMEVAL_2014 = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<sentences><sentence id="1"><text>The soup is good, the staff is rude.</text><aspectTerms>
<aspectTerm term="soup" polarity="positive" from="4" to="8"/>
<aspectTerm term="staff" polarity="negative" from="22" to="27"/></aspectTerms></sentence>
<sentence id="2"><text>We came at noon.</text></sentence></sentences>"""
SEMEVAL_2016 = """<?xml version="1.0" encoding="UTF-8"?><Reviews><Review rid="1"><sentences><sentence id="1:0">
<text>The soup is good, the staff is rude.</text><Opinions>
<Opinion target="soup" category="FOOD#QUALITY" polarity="positive" from="4" to="8"/>
<Opinion target="NULL" category="SERVICE#GENERAL" polarity="negative" from="0" to="0"/>
</Opinions></sentence></sentences></Review></Reviews>"""
