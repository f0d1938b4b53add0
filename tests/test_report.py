"""The promise: the names of classes, products and files are data. They are shown as they are and never obeyed."""

import base64
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from shared.evaluation.report import (
    NAME,
    TICK,
    Card,
    Section,
    classifier_sections,
    picture_grid,
    png,
    short,
    write_page,
)
from shared.training.checkpoint import load_model, save_model

LATIN_1 = "caf\udce9"  # what Python makes of a folder whose name is b"caf\xe9"
NAMES = ["cost$$", "A$^$B", "Save $10 - now $5", r"\frac{", "<script>alert(1)</script>", "two\nlines\t\x07", LATIN_1,
         "\u202egnp.exe", "x" * 250, "日本語", "_hidden", ""]  # fmt: skip


def _page(path: Path, sections: list[Section]) -> str:
    cards = [Card(name, name, name) for name in NAMES]
    return write_page(path, NAMES[1], LATIN_1, NAMES[4], cards, sections, {"run": LATIN_1}, LATIN_1).read_text("utf-8")


def test_a_report_is_written_whatever_classes_are_called(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    logits, targets = rng.normal(size=(60, len(NAMES))), rng.integers(0, len(NAMES), 60)
    page = _page(tmp_path / "report.html", classifier_sections(logits, targets, NAMES, 1.0, "items"))
    assert page.count("data:image/png;base64") == 2
    assert "<script>" not in page and "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert r"caf\udce9" in page and r"two\nlines\t\x07" in page and "\x07" not in page
    assert "x" * NAME not in page.replace("x" * 250, "")  # shortened in the table; the cards hold it in full


def test_html_of_a_project_may_hold_names_that_are_not_utf_8(tmp_path: Path) -> None:
    assert f"<b>caf{chr(92)}udce9</b>" in _page(tmp_path / "r.html", [Section("files", html=f"<b>{LATIN_1}</b>")])


def test_a_dollar_in_a_figure_begins_no_formula() -> None:
    figure = Figure()
    axes = figure.subplots()
    axes.bar(NAMES[:-1], range(len(NAMES) - 1), label=NAMES[1])  # categories
    axes.set_yticks([0, 1, 2], NAMES[:3])
    axes.set(xlabel=NAMES[1], title=NAMES[5])
    axes.legend()
    axes.text(0, 0, LATIN_1)
    assert png(figure).startswith(b"\x89PNG") and png(figure)  # twice, as a page and a small picture want it
    labels = [*axes.get_xticklabels(), *axes.get_yticklabels(), *axes.get_legend().get_texts(), axes.title]
    assert not any(label.get_parse_math() for label in labels)
    assert [label.get_text() for label in axes.get_yticklabels()] == NAMES[:3]
    assert axes.title.get_text() == "two\nlines\\t\\x07"
    assert max(len(label.get_text()) for label in axes.get_xticklabels()) == TICK


def test_the_numbers_of_a_logarithmic_axis_stay_formulas() -> None:
    figure = Figure()
    axes = figure.subplots()
    axes.loglog([1, 1000], [1, 1000])
    png(figure)
    label = axes.get_xticklabels()[1]
    assert label.get_text().startswith(r"$\mathdefault{10^") and label.get_parse_math()


@pytest.mark.parametrize("classes", [2, 12])
def test_long_class_names_leave_room_for_the_confusion_matrix(classes: int) -> None:
    names = [f"{n} {'w' * 250}" for n in range(classes)]
    section = classifier_sections(np.eye(classes), np.arange(classes), names, 1.0, "items")[0]
    width, height = np.frombuffer(base64.b64decode(section.picture)[16:24], ">u4")
    assert max(width, height) < 1600  # pixels
    axes = section.figure.axes[0] if section.figure else pytest.fail("no figure")
    assert 0.3 < axes.get_position().width < 0.6  # more: the labels were not fitted in, less: nothing else was


def test_titles_of_pictures_are_wrapped_and_shortened() -> None:
    figure = picture_grid([np.zeros((8, 8, 3), np.uint8)] * len(NAMES), NAMES)
    assert png(figure)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[8].count("\n") == 2 and titles[1] == NAMES[1]


def test_a_short_name_is_one_line_with_both_ends() -> None:
    assert short("leaf.jpg") == "leaf.jpg"
    assert short("a\nb") == r"a\nb"
    assert short("first" + "x" * 250 + "last") == "first" + "x" * 25 + "…" + "x" * 25 + "last"


def test_a_predictor_keeps_class_names_that_are_not_utf_8(tmp_path: Path) -> None:
    save_model(tmp_path / "model.safetensors", {"w": torch.zeros(1)}, {"project": "starter", "classes": NAMES})
    assert load_model(tmp_path / "model.safetensors", "starter")[1]["classes"] == NAMES
