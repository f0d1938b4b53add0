"""Coursework: releases without solutions, grading that takes one function from a submission, scores on other data."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from shared.coursework import sandbox
from shared.coursework.exercises import Exercise, load_exercises
from shared.coursework.grade import clean_checkout, grade, write_grades
from shared.coursework.release import release
from shared.coursework.sandbox import PROCESSES
from shared.coursework.score import handed_in, load_tasks, points_of, score
from shared.coursework.source import emptied, grafted
from shared.files import write_json
from tests.conftest import ROOT, CommandLine

IOU = next(exercise for exercise in load_exercises(ROOT) if exercise.id == "iou")
CLEAN = '''"""A module."""

import math
from collections import Counter


def area(radius: float) -> float:
    """The area of a circle."""
    return math.pi * radius**2


class Words:
    def most(self, text: str) -> str:
        """The most frequent word."""
        return Counter(text.split()).most_common(1)[0][0]
'''


def test_an_emptied_function_keeps_its_signature_and_docstring_and_loses_the_imports_that_it_alone_used() -> None:
    source = emptied(CLEAN, "area", "circle")
    assert 'raise NotImplementedError("exercise circle")' in source
    assert "def area(radius: float) -> float:" in source and '"""The area of a circle."""' in source
    assert "math" not in source and "from collections import Counter" in source
    with pytest.raises(ValueError, match=r"there is no function Words\.least"):
        emptied(CLEAN, "Words.least", "x")


def test_a_graft_takes_the_function_with_its_helpers_and_imports_and_nothing_else() -> None:
    submitted = (
        CLEAN.replace("math.pi * radius**2", "square(radius) * np.pi * ONE").replace("most_common(1)", "most_common(0)")
        + "\nimport numpy as np\n\nONE = 1\n\ndef square(x):\n    return x * x\n\ndef unused():\n    return 1 / 0\n"
    )
    source = grafted(CLEAN, submitted, "area")
    space: dict = {}
    exec(compile(source, "grafted", "exec"), space)
    assert space["area"](2.0) == pytest.approx(12.566, abs=1e-3)
    assert space["Words"]().most("a b b") == "b"  # the submission's change of another function does not count
    assert "unused" not in space


CIRCLE = "import math\n\n\nclass Circle:\n    def area(self, radius):\n        return math.pi * radius**2\n"


@pytest.mark.parametrize(
    "submitted",
    [
        "def h(x):\n    return 3\n\nclass Circle:\n    def area(self, radius):\n        return self.a(radius)\n"
        "    def a(self, x):\n        return self.b(x)\n    @staticmethod\n    def b(x):\n        return h(x)\n",
        "try:\n    import numpy as np\nexcept ImportError:\n    np = None\n"
        "class Circle:\n    def area(self, radius):\n        return np.float64(3)\n",
        "import math\n\x0c\nE = 3  # \u2028 and\nclass Circle:\n    def area(self, radius):\n        return E\n",
    ],
    ids=["methods of methods", "import in try", "other separators than line feeds"],
)
def test_a_graft_takes_whatever_the_function_needs(submitted: str) -> None:
    space: dict = {}
    exec(compile(grafted(CIRCLE, submitted, "Circle.area"), "grafted", "exec"), space)
    assert space["Circle"]().area(1.0) == 3


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("radius: float", "r: float"), "the arguments of area must stay"),
        (("return math.pi", "return math.pi (("), "the file is not Python, line"),
        (("    return math.pi", "    import os\n    return math.pi"), "an exercise needs no import of os"),
        (("    return math.pi", "    eval('1')\n    return math.pi"), "an exercise needs no eval"),
        (("    return math.pi", "    area.__globals__\n    return math.pi"), "an exercise needs no __globals__"),
        (("def area", "def space"), "there is no function area"),
    ],
)
def test_a_submission_that_reaches_further_is_refused_with_one_sentence(change: tuple[str, str], sentence: str) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]+$") as error:
        grafted(CLEAN, CLEAN.replace(*change), "area")
    assert sentence in str(error.value)


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of one exercise."""
    out = tmp_path_factory.mktemp("release") / "students"
    release(out, [IOU], ROOT)
    return out


def test_a_release_holds_no_solution_no_hidden_test_and_no_history(released: Path) -> None:
    names = subprocess.run(["git", "ls-files"], cwd=released, capture_output=True, text=True, check=True).stdout
    assert "tests/exercises/numberplate/test_iou.py" in names and "AI_TUTOR.md" in names
    for part in ("hidden", "mistakes", "canary", "grade.py", "TEACHING.md"):
        assert part not in names
    told = "".join((released / name).read_text() for name in ("README.md", "Makefile", ".gitignore"))
    assert not re.search("TEACHING|student-release|grade|score:", told) and "make learn" in told
    assert "NotImplementedError" in (released / IOU.module_file).read_text()
    commits = subprocess.run(["git", "rev-list", "--all"], cwd=released, capture_output=True, text=True, check=True)
    assert len(commits.stdout.split()) == 1


def test_a_second_release_is_a_commit_on_top_and_other_folders_are_refused(released: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    shutil.copytree(released, again)
    (again / "README.md").unlink()
    release(again, [IOU], ROOT)
    release(again, [IOU], ROOT)  # nothing new, no commit
    log = subprocess.run(["git", "log", "--format=%s"], cwd=again, capture_output=True, text=True, check=True).stdout
    assert log.split("\n")[0] == "Release" and (again / "README.md").is_file()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    with pytest.raises(ValueError, match="is not empty and no earlier release"):
        release(tmp_path / "mine", [IOU], ROOT)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "mine"


def test_a_solution_in_another_file_stops_the_release(tmp_path: Path) -> None:
    root = tmp_path / "course"
    shutil.copytree(ROOT, root, ignore=shutil.ignore_patterns(".venv*", "runs", "data", ".git", "*.egg-info", "build"))
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    subprocess.run(["git", "add", "."], cwd=root, check=True)
    shutil.copy(root / IOU.module_file, root / "benchmarks" / "copy.txt")
    release(tmp_path / "out", [IOU], root)  # a file that git does not know stays here, such as what was handed in
    assert not (tmp_path / "out" / "benchmarks" / "copy.txt").exists()
    subprocess.run(["git", "add", "."], cwd=root, check=True)
    with pytest.raises(ValueError, match=r"benchmarks/copy\.txt tells the solution of iou"):
        release(tmp_path / "out", [IOU], root)
    assert not (tmp_path / "out" / "benchmarks" / "copy.txt").exists()


BODY = 'raise NotImplementedError("exercise iou")'
RIGHT = """a, b = a[:, None], b[None]
    low, high = np.maximum(a[..., :2], b[..., :2]), np.minimum(a[..., 2:], b[..., 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    every = (a[..., 2:] - a[..., :2]).prod(axis=2) + (b[..., 2:] - b[..., :2]).prod(axis=2)
    return shared / np.maximum(every - shared, 1e-9)"""
SUBMISSIONS = {
    "perfect": RIGHT,
    "known": RIGHT.replace("every - shared", "every"),
    "half": RIGHT.replace("np.clip(high - low, 0, None)", "(high - low)"),
    "exit": "import torch\n    torch.os._exit(0)",
    "replaced": "np.testing.assert_allclose = lambda *a, **k: None\n    return np.zeros((1, 1))",
    "empty": BODY,
}


@pytest.mark.xdist_group("exercises")
def test_grading_gives_points_for_passed_hidden_tests_only(released: Path, tmp_path: Path) -> None:
    students = []
    for name, body in SUBMISSIONS.items():
        file = tmp_path / "in" / name / IOU.module_file
        file.parent.mkdir(parents=True)
        file.write_text((released / IOU.module_file).read_text().replace(BODY, body))
        students.append(tmp_path / "in" / name)
    (tmp_path / "in" / "nothing").mkdir()
    students.append(tmp_path / "in" / "nothing")
    grades = grade(students, [IOU], clean_checkout(tmp_path / "clean"))
    points = {name: mine[0].points for name, mine in grades.items()}
    assert points["perfect"] == IOU.points and 0 < points["half"] < IOU.points and 0 < points["known"] < IOU.points
    assert {name for name, value in points.items() if value == 0} == {"exit", "replaced", "empty", "nothing"}
    told = {name: " ".join(mine[0].sentences) for name, mine in grades.items()}
    assert "the intersection is counted twice" in told["known"]
    assert "ended before its tests did" in told["exit"] and "tampered" in told["replaced"]
    assert "there is no file projects/numberplate/geometry.py" in told["nothing"]
    write_grades(grades, tmp_path / "out")
    assert (tmp_path / "out" / "grades.csv").read_text().splitlines()[0] == "name,iou,points,all"
    assert "10 of 10 points" in (tmp_path / "out" / "perfect" / "feedback.html").read_text()


@pytest.mark.xdist_group("exercises")
def test_an_endless_loop_ends_and_the_next_job_is_run(tmp_path: Path) -> None:
    root = clean_checkout(tmp_path)
    clean = (root / IOU.module_file).read_text()
    body = clean.replace("    a, b = a.reshape(-1", "    while True:\n        pass\n    a, b = a.reshape(-1")
    jobs = [sandbox.Job("job", {IOU.module_file: source}, [IOU.hidden_tests], 4) for source in (body, clean)]
    loop, right = sandbox.run_jobs(jobs, root, workers=1)
    assert "within 4 seconds (an endless loop?)" in loop.problem and right.passed and not right.failed


def test_points_follow_the_curve_and_too_long_training_costs_half() -> None:
    task = load_tasks(ROOT)["digits"].model_copy(update={"points": [(0.5, 0.0), (0.9, 8.0)], "minutes": 5.0})
    assert points_of(task, 0.7, 3.0) == 4 and points_of(task, 0.95, 3.0) == 8 and points_of(task, 0.2, 3.0) == 0
    assert points_of(task, 0.9, 9.0) == 4 and points_of(task, 0.9, None) == 4
    lower = task.model_copy(update={"points": [(0.5, 0.0), (0.3, 10.0)]})
    assert points_of(lower, 0.4, 1.0) == 5


def test_every_task_names_a_metric_that_its_project_measures() -> None:
    tasks = load_tasks(ROOT)
    assert {task.project for task in tasks.values()} >= {"starter", "plantdisease", "numberplate", "stockprice"}
    assert all(len(task.rubric) >= 3 for task in tasks.values())


def test_a_folder_without_a_run_and_a_model_that_reaches_further_score_nothing(tmp_path: Path) -> None:
    task = load_tasks(ROOT)["digits"]
    (tmp_path / "none").mkdir()
    assert score(tmp_path / "none", task, tmp_path).sentence == "there is no run of starter: no file model.safetensors"
    shipped = IOU.module_file.parent / "shipped"
    shutil.copytree(ROOT / shipped, tmp_path / "none" / shipped)  # comes with every release
    assert "there is no run" in score(tmp_path / "none", task, tmp_path).sentence
    (tmp_path / "sly").mkdir()
    (tmp_path / "sly" / "model.safetensors").write_bytes(b"x")
    (tmp_path / "sly" / "model.py").write_text("import os\nos.remove('x')\n")
    assert "needs no import of os" in score(tmp_path / "sly", task, tmp_path).sentence


@pytest.mark.parametrize(("minutes", "metric", "points"), [("12.5", 0.9, 4), (3, 0.9, 8), (3, float("nan"), 0)])
def test_odd_numbers_of_a_student_stop_no_scoring(
    minutes: object, metric: float, points: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = load_tasks(ROOT)["digits"].model_copy(update={"points": [(0.5, 0.0), (0.9, 8.0)], "minutes": 5.0})
    (tmp_path / "model.safetensors").touch()
    write_json(tmp_path / "environment.json", {"minutes": minutes})
    numbers = {"metrics": {task.metric: metric}, "baselines": {}, "data": {"n": 10}}
    monkeypatch.setattr("shared.coursework.score.evaluate", lambda *_: numbers)
    assert score(tmp_path, task, tmp_path).points == points


def test_the_limit_of_processes_allows_for_those_that_run_already() -> None:
    read = "import resource; from shared.coursework.sandbox import limit_process; limit_process(20)\n"
    read += "print(resource.getrlimit(resource.RLIMIT_NPROC)[0])"
    answer = subprocess.run([sys.executable, "-c", read], capture_output=True, text=True, cwd=ROOT, check=True)
    assert int(answer.stdout) > PROCESSES


def test_the_newest_run_of_the_project_is_scored_and_named(tmp_path: Path) -> None:
    for name, project, hour in (("a", "starter", 9), ("b", "starter", 8), ("c", "plantdisease", 10)):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "model.safetensors").touch()
        about = {"command": f"-m projects.{project}.train", "started": f"2026-11-27 {hour:02}:00:00"}
        write_json(tmp_path / "runs" / name / "environment.json", about)
    assert handed_in(tmp_path, "starter") == (tmp_path / "runs" / "a", "the newest of 2 runs (a), ")


def test_learn_names_the_projects_that_have_exercises(command: CommandLine) -> None:
    answer = command("shared.coursework.learn", "nowhere")
    assert answer.returncode == 2 and "there are no exercises in nowhere; there are some in" in answer.stderr


def test_exercises_are_found_by_project() -> None:
    exercises: list[Exercise] = load_exercises(ROOT, "shared")
    assert [exercise.id for exercise in exercises][:2] == ["mcnemar", "wilson"]


def test_tests_that_cannot_be_run_say_why(tmp_path: Path) -> None:
    assert "file or directory not found" in sandbox.run_visible(Path("test_nothing.py"), tmp_path).problem


def test_what_make_learn_installs_runs_tests() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert {"pytest", "rich", "watchfiles"} <= {Requirement(line).name for line in extras["learn"]}
