"""Score runs on data that nobody has: python -m shared.coursework.score submissions/ --task leaf_session --data DIR

Each folder in `submissions/` holds a student's run (config.yaml, model.safetensors, environment.json), anywhere in it;
of several runs of the task's project the newest. Weights and settings are data: nothing of a submission is executed,
except a changed `model.py` beside the run, which may import the usual libraries only and runs in a process with limits.
"""

import csv
import html
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field, ValidationError
from tqdm import tqdm
from tyro import conf

from shared.config import Section
from shared.coursework.exercises import ROOT
from shared.coursework.grade import clean_checkout
from shared.coursework.options import command
from shared.coursework.sandbox import limit_process
from shared.coursework.source import refuse_reach
from shared.files import read_json, write_text
from shared.runs import Run

KEPT = ("config.yaml", "environment.json", "provenance.safetensors", "model.safetensors")
SECONDS, MEMORY = 1800, 8 * 2**30  # of one evaluation


class Task(Section):
    """An open task with a number: `projects/<project>/tasks.toml`."""

    id: str
    """What the task is called."""
    project: str
    """The project whose `evaluate` scores it."""
    goal: str
    """What is asked, in one or two sentences."""
    metric: str
    """The metric of evaluation.json that counts."""
    points: list[tuple[float, float]] = Field(min_length=2)
    """Metric -> points, in the order of the metric; between two of them linear."""
    minutes: float = Field(gt=0)
    """Training may take this long; a run that took longer gets half of the points."""
    options: list[str]
    """Words of the command line that say how the data are read, such as `--data.source folder`."""
    rubric: list[str]
    """What a written answer must show, a line each."""
    questions: list[str] = Field(min_length=5, max_length=5)
    """Oral questions."""


class ScoreOptions(Section):
    """Score runs on held-out data."""

    input: Annotated[list[Path], conf.Positional] = Field(min_length=1, max_length=1)
    """The folder with one folder for each student."""
    task: str
    """The task."""
    data: Path
    """The held-out data, in the layout that the task names."""
    output: Path = Path("scores")
    """Where the leaderboard goes."""


@dataclass
class Score:
    """The result of one student."""

    name: str
    value: float | None
    points: float
    minutes: float | None
    sentence: str


def load_tasks(root: Path = ROOT) -> dict[str, Task]:
    """All tasks by name. Raises ValueError with one sentence."""
    tasks: dict[str, Task] = {}
    for path in sorted(root.glob("projects/*/tasks.toml")):
        try:
            entries = tomllib.loads(path.read_text(encoding="utf-8"))["task"]
            tasks |= {entry["id"]: Task(**entry, project=path.parent.name) for entry in entries}
        except (tomllib.TOMLDecodeError, KeyError, TypeError, ValidationError) as error:
            raise ValueError(f"{path} is not a list of tasks: {' '.join(str(error).split())[:300]}") from None
    return tasks


def points_of(task: Task, value: float, minutes: float | None) -> float:
    """The points of a metric; half of them where training took too long or nobody knows how long."""
    metrics, points = zip(*sorted(task.points))
    full = float(np.interp(value, metrics, points))
    return round(full if minutes is not None and minutes <= task.minutes else full / 2, 1)


def handed_in(folder: Path, project: str) -> tuple[Path, str]:
    """The newest run of a project anywhere in a student's folder, and a note where there are several.

    Raises ValueError where there is none. Other projects' runs and the weights of the release do not count.
    """
    started: dict[Path, str] = {}
    for model in folder.rglob("model.safetensors"):
        about = Run(model.parent).environment
        other = re.search(r"projects\.(\w+)\.", str(about.get("command")))
        if not model.is_symlink() and model.parent.name != "shipped" and not (other and other[1] != project):
            started[model.parent] = str(about.get("started"))
    if not started:
        raise ValueError(f"there is no run of {project}: no file model.safetensors")
    newest = max(started, key=lambda run: (started[run], str(run)))
    return newest, f"the newest of {len(started)} runs ({newest.name}), " if len(started) > 1 else ""


def score(folder: Path, task: Task, data: Path) -> Score:
    """Evaluate the run in a student's folder on the held-out data."""
    try:
        submitted, note = handed_in(folder, task.project)
        with tempfile.TemporaryDirectory() as temporary:
            root = clean_checkout(Path(temporary))
            run = root / "runs" / task.project / "submission"
            run.mkdir(parents=True)
            for name in KEPT:
                if (submitted / name).is_file():
                    shutil.copyfile(submitted / name, run / name)
            if (changed := submitted / "model.py").is_file():
                source = changed.read_text(encoding="utf-8-sig")
                refuse_reach(source)
                (root / "projects" / task.project / "model.py").write_text(source, encoding="utf-8")
            numbers = evaluate(root, task, data)
            told = Run(run).environment.get("minutes")  # of a file that students can edit
            minutes = float(told) if isinstance(told, int | float) and told >= 0 else None
        value = float(numbers["metrics"][task.metric])
        if not np.isfinite(value):
            raise ValueError(f"its {task.metric} is {value}")
        baselines = [b[task.metric] for b in numbers["baselines"].values() if task.metric in b]
        best = (max if task.points[0][0] < task.points[-1][0] else min)(baselines) if baselines else None
        about = f"{note}{numbers['data']['n']} items" + (f", best baseline {best:.3f}" if best is not None else "")
        return Score(folder.name, value, points_of(task, value, minutes), minutes, about)
    except (ValueError, OSError, KeyError, TypeError) as error:
        return Score(folder.name, None, 0, None, str(error))


def evaluate(root: Path, task: Task, data: Path) -> dict[str, Any]:
    """What `evaluate --json` says, in a process with limits. Raises ValueError with its last line."""
    words = [sys.executable, "-m", f"projects.{task.project}.evaluate", "--run", "submission", "--json", "out.json"]
    words += [*task.options, "--data.root", str(data.resolve())]
    environment = {**os.environ, "PYTHONPATH": str(root), "RUNS": str(root / "runs")}
    limits = partial(limit_process, SECONDS, MEMORY) if hasattr(os, "fork") else None
    try:
        done = subprocess.run(
            words, cwd=root, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False,
            preexec_fn=limits,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise ValueError(f"its evaluation does not end within {SECONDS // 60} minutes") from None
    if done.returncode or not (root / "out.json").is_file():
        last = (done.stderr.strip().splitlines() or ["its evaluation ended without a result"])[-1]
        raise ValueError(last.replace(f"{root}/", ""))
    return read_json(root / "out.json")


def leaderboard(task: Task, scores: Sequence[Score]) -> str:
    """A page with the ranking, the rubric and the questions."""
    cells = "".join(
        f"<tr><td>{place}<td>{html.escape(s.name)}<td>{'-' if s.value is None else f'{s.value:.4f}'}<td>{s.points:g}"
        f"<td>{'-' if s.minutes is None else f'{s.minutes:.1f}'}<td>{html.escape(s.sentence)}"
        for place, s in enumerate(scores, 1)
    )
    lists = "".join(
        f"<h2>{title}</h2><ol>{''.join(f'<li>{html.escape(line)}' for line in lines)}</ol>"
        for title, lines in (("Rubric", task.rubric), ("Oral questions", task.questions))
    )
    style = "body{font:16px sans-serif;max-width:60em;margin:2em auto}td,th{padding:.3em .8em;text-align:left}"
    head = f"<tr><th><th>name<th>{html.escape(task.metric)}<th>points<th>minutes<th>"
    return (
        f"<!doctype html><meta charset=utf-8><title>{task.id}</title><style>{style}</style><h1>{task.id}</h1>"
        f"<p>{html.escape(task.goal)}</p><table>{head}{cells}</table>{lists}"
    )


def main(options: ScoreOptions) -> None:
    """Score all submissions, print a line for each, write the leaderboard."""
    tasks = load_tasks()
    if options.task not in tasks:
        raise ValueError(f"there is no task {options.task or '(none named)'}; there are {', '.join(tasks)}")
    folder, task = options.input[0], tasks[options.task]
    for path in (folder, options.data):
        if not path.exists():
            raise FileNotFoundError(f"there is no file or folder {path}")
    students = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    if not students:
        raise ValueError(f"{folder} holds no folder of a student")
    scores = [score(path, task, options.data) for path in tqdm(students, "scoring", unit="run", leave=False)]
    scores.sort(key=lambda one: (-one.points, one.name))
    rows = io.StringIO()
    csv.writer(rows).writerows(
        [["name", task.metric, "points", "minutes", "note"]]
        + [[s.name, "" if s.value is None else s.value, s.points, s.minutes or "", s.sentence] for s in scores]
    )
    write_text(options.output / f"{task.id}.csv", rows.getvalue())
    write_text(options.output / f"{task.id}.html", leaderboard(task, scores))
    for one in scores:
        measured = "" if one.value is None else f"{task.metric} {one.value:.3f}, "
        print(f"{one.name} {one.points:g}/{max(points for _, points in task.points):g} {measured}{one.sentence}")
    print(f"leaderboard, rubric and questions: {options.output / task.id}.html", file=sys.stderr)


if __name__ == "__main__":
    command(ScoreOptions, main, __doc__)
