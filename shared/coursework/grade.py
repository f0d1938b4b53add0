"""Grade submissions: python -m shared.coursework.grade submissions/ [--exercises iou,best_path] [--output grades/]

Each folder in `submissions/` is a student's copy of the release. Only the functions of the exercises are taken from it
and grafted into a clean copy of this checkout, so that nothing else a student has changed, deleted or added counts.
"""

import csv
import html
import io
import json
import math
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import Field
from tqdm import tqdm
from tyro import conf

from shared.config import Section
from shared.coursework.exercises import ROOT, Exercise, load_exercises, mistakes_of, select, tracked_files
from shared.coursework.options import command
from shared.coursework.sandbox import SECONDS, Job, Outcome, run_jobs
from shared.coursework.source import body_of, emptied, grafted, with_body
from shared.files import write_json, write_text

SLOWER, LEAST_SECONDS = 4, 4  # a submission may work this many times as long as the solution, and at least so long


class GradeOptions(Section):
    """Grade a folder of submissions."""

    input: Annotated[list[Path], conf.Positional] = Field(min_length=1, max_length=1)
    """The folder with one folder for each student."""
    exercises: list[str] = Field([])
    """The exercises that count: `[iou, best_path]`; all of them by default."""
    output: Path = Path("grades")
    """Where the table, the files for Gradescope and Classroom, and a page for each student go."""
    workers: int = Field(2, ge=1)
    """Processes at a time."""


@dataclass
class Grade:
    """One exercise of one student."""

    exercise: Exercise
    points: float
    sentences: list[str] = field(default_factory=list)
    """What to tell the student: the failures, or why there are no points."""


def clean_checkout(folder: Path, root: Path = ROOT) -> Path:
    """The sources of a repository in another folder, without runs, caches and what git ignores."""
    for name in tracked_files(root, new=True):
        if name.split("/")[0] in ("projects", "shared", "tests", "configs"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / name, folder / name)
    return folder


def job_of(name: str, exercise: Exercise, source: str, seconds: int = SECONDS) -> Job:
    """The hidden and visible tests of an exercise on a file that holds a body to test."""
    return Job(name, {exercise.module_file: source}, [exercise.visible_tests, exercise.hidden_tests], seconds)


def clean_source(exercise: Exercise, root: Path) -> str:
    """The file of an exercise with its solution."""
    return (root / exercise.module_file).read_text(encoding="utf-8")


def wrong_sources(exercise: Exercise, root: Path) -> dict[str, tuple[str, str]]:
    """Name -> sentence and file of every known mistake, and of the empty function."""
    clean = clean_source(exercise, root)
    files = {"stub": ("It is not written yet.", emptied(clean, exercise.qualname, exercise.id))}
    for name, (sentence, source) in mistakes_of(exercise, root).items():
        files[name] = (sentence, with_body(clean, exercise.qualname, body_of(source, name)))
    return files


def grade(
    submissions: Sequence[Path], exercises: Sequence[Exercise], root: Path, workers: int = 2
) -> dict[str, list[Grade]]:
    """Name of the folder -> grades. root: a clean checkout. Raises ValueError where a solution itself does not pass."""
    solutions = outcomes_of_solutions(exercises, root, workers)
    jobs: dict[tuple[str, str], Job] = {}
    refused: dict[tuple[str, str], str] = {}
    wrong = {exercise.id: wrong_sources(exercise, root) for exercise in exercises}
    for exercise in exercises:
        seconds = min(SECONDS, math.ceil(max(LEAST_SECONDS, SLOWER * solutions[exercise.id].seconds)))
        for name, (_, source) in wrong[exercise.id].items():
            jobs[f"mistake {name}", exercise.id] = job_of(name, exercise, source, seconds)
        for folder in submissions:
            try:
                source = grafted(clean_source(exercise, root), read_submission(folder, exercise), exercise.qualname)
                jobs[f"of {folder.name}", exercise.id] = job_of(folder.name, exercise, source, seconds)
            except (ValueError, OSError) as error:
                refused[folder.name, exercise.id] = str(error)
    results = tqdm(run_jobs(list(jobs.values()), root, workers), "grading", len(jobs), unit="test run", leave=False)
    outcomes = dict(zip(jobs, results))

    def grade_of(name: str, exercise: Exercise) -> Grade:
        if reason := refused.get((name, exercise.id)):
            return Grade(exercise, 0, [reason])
        mistakes = wrong[exercise.id].items()
        known = [(sentence, outcomes[f"mistake {m}", exercise.id]) for m, (sentence, _) in mistakes]
        return judge(exercise, outcomes[f"of {name}", exercise.id], solutions[exercise.id], known)

    return {folder.name: [grade_of(folder.name, exercise) for exercise in exercises] for folder in submissions}


def outcomes_of_solutions(exercises: Sequence[Exercise], root: Path, workers: int) -> dict[str, Outcome]:
    """Exercise -> what its tests say of the solution. Raises ValueError where one does not pass."""
    outcomes: dict[str, Outcome] = {}
    jobs = [job_of("the solution", exercise, clean_source(exercise, root)) for exercise in exercises]
    for exercise, outcome in zip(exercises, run_jobs(jobs, root, workers)):
        if outcome.problem or outcome.failed:
            raise ValueError(f"the solution of {exercise.id} does not pass: {outcome.problem or outcome.failed}")
        outcomes[exercise.id] = outcome
    return outcomes


def read_submission(folder: Path, exercise: Exercise) -> str:
    """The student's file of an exercise. Raises ValueError or OSError with one sentence."""
    path = folder / exercise.module_file
    if not path.is_file() or path.is_symlink():
        raise FileNotFoundError(f"there is no file {exercise.module_file}")
    if path.stat().st_size > 10**6:
        raise ValueError(f"{exercise.module_file} has more than 1 MB")
    return path.read_text(encoding="utf-8-sig")


def judge(exercise: Exercise, outcome: Outcome, solution: Outcome, known: Sequence[tuple[str, Outcome]]) -> Grade:
    """Points by the hidden tests that passed, and the sentences for the student.

    known: sentence and outcome of every known mistake; a submission that fails in the same way is told the sentence.
    """
    if outcome.problem:
        return Grade(exercise, 0, [outcome.problem])
    hidden = {name for name in solution.passed if "_hidden::" in name}
    points = round(exercise.points * len(hidden & outcome.passed) / len(hidden) * 2) / 2
    same = [sentence for sentence, wrong in known if wrong.failed and wrong.failed == outcome.failed]
    return Grade(exercise, points, [*same[:1], *dict.fromkeys(outcome.failed.values())])


def write_grades(grades: dict[str, list[Grade]], output: Path) -> None:
    """grades.csv and grades.json, results in the form of Gradescope and Classroom, and a page for each student."""
    rows = io.StringIO()
    writer = csv.writer(rows)
    writer.writerow(["name", *[grade.exercise.id for grade in next(iter(grades.values()))], "points", "all"])
    for name, mine in grades.items():
        total, most = sum(g.points for g in mine), sum(g.exercise.points for g in mine)
        writer.writerow([name, *[f"{g.points:g}" for g in mine], f"{total:g}", most])
        tests = [
            {"name": g.exercise.id, "score": g.points, "max_score": g.exercise.points, "output": "\n".join(g.sentences)}
            for g in mine
        ]
        write_json(output / name / "results.json", {"score": total, "tests": tests})  # Gradescope
        classroom = [
            {"name": t["name"], "status": "pass" if t["score"] == t["max_score"] else "fail", **t} for t in tests
        ]
        write_json(
            output / name / "classroom.json", {"version": 3, "status": "success", "max_score": most, "tests": classroom}
        )
        write_text(output / name / "feedback.html", _page(name, mine, total, most))
    write_text(output / "grades.csv", rows.getvalue())
    summary = {name: {g.exercise.id: g.points for g in mine} for name, mine in grades.items()}
    write_text(output / "grades.json", json.dumps(summary, indent=1))


def _page(name: str, grades: Sequence[Grade], total: float, most: int) -> str:
    rows = "".join(
        f"<h2>{g.exercise.id}: {g.points:g} of {g.exercise.points}</h2><p>{html.escape(g.exercise.goal)}</p>"
        + "".join(f"<p><b>{html.escape(sentence)}</b></p>" for sentence in g.sentences[:6])
        for g in grades
    )
    style = "body{font:16px sans-serif;max-width:45em;margin:2em auto;line-height:1.5}"
    title = f"{html.escape(name)}: {total:g} of {most} points"
    return f"<!doctype html><meta charset=utf-8><title>{title}</title><style>{style}</style><h1>{title}</h1>{rows}"


def main(options: GradeOptions) -> None:
    """Grade, print a line for each student, write the files."""
    folder = options.input[0]
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder}")
    submissions = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    if not submissions:
        raise ValueError(f"{folder} holds no folder of a student")
    with tempfile.TemporaryDirectory() as temporary:
        root = clean_checkout(Path(temporary))
        exercises = [e for e in select(load_exercises(root), options.exercises) if (root / e.hidden_tests).is_file()]
        if not exercises:
            raise ValueError("this checkout has no hidden tests: it is a release for students")
        grades = grade(submissions, exercises, root, options.workers)
    write_grades(grades, options.output)
    for name, mine in grades.items():
        print(f"{name} {sum(g.points for g in mine):g}/{sum(g.exercise.points for g in mine)}")
    print(f"pages and tables: {options.output}", file=sys.stderr)


if __name__ == "__main__":
    command(GradeOptions, main, __doc__)
