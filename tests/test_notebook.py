"""The notebook runs from top to bottom."""

import json
import shutil
from pathlib import Path

import pytest

from tests.conftest import ROOT


def test_the_notebook_runs_and_shows_the_accuracy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbclient = pytest.importorskip("nbclient", reason="the notebook needs the extra `dev`")
    import nbformat

    for name in ("projects", "shared", "configs"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    book = nbformat.read(ROOT / "notebooks" / "start.ipynb", as_version=4)
    nbclient.NotebookClient(book, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    printed = "".join(out.get("text", "") for cell in book.cells for out in cell.get("outputs", []))
    numbers = json.loads(next(tmp_path.glob("runs/starter/*/evaluation.json")).read_text())
    assert f"accuracy {round(numbers['metrics']['accuracy'], 3)}" in printed
    assert "split random" in printed
