"""The proof of every exercise: the solution passes, the empty function and every known mistake fail, nothing hangs."""

from pathlib import Path

import pytest

from shared.coursework.exercises import load_exercises, mistakes_of
from shared.coursework.grade import clean_checkout, clean_source, job_of, wrong_sources
from shared.coursework.sandbox import run_jobs
from tests.conftest import ROOT

EXERCISES = load_exercises(ROOT)


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_an_exercise_is_complete(exercise) -> None:
    for path in (exercise.visible_tests, exercise.hidden_tests, exercise.mistakes_file):
        assert (ROOT / path).is_file()
    mistakes = mistakes_of(exercise, ROOT)
    assert 2 <= len(mistakes) <= 5
    assert all(sentence.endswith(".") for sentence, _ in mistakes.values())


@pytest.mark.xdist_group("exercises")
def test_solutions_pass_and_empty_functions_and_mistakes_fail(tmp_path: Path) -> None:
    root = clean_checkout(tmp_path)
    jobs = []
    for exercise in EXERCISES:
        jobs.append(job_of(f"{exercise.id}: solution", exercise, clean_source(exercise, root)))
        files = wrong_sources(exercise, root)
        jobs += [job_of(f"{exercise.id}: {name}", exercise, source) for name, (_, source) in files.items()]
    problems = []
    for job, outcome in zip(jobs, run_jobs(jobs, root)):
        good = job.name.endswith("solution")
        hidden = [name for name in outcome.failed if "_hidden::" in name]
        if outcome.problem or (good and outcome.failed) or (not good and not hidden):
            problems.append(f"{job.name}: {outcome.problem or outcome.failed or 'it passes'}")
    assert not problems, "\n".join(problems)
