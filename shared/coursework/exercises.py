"""The exercises of all projects: `projects/<project>/exercises.toml` and `shared/exercises.toml`."""

import ast
import subprocess
import tomllib
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field, ValidationError

from shared.config import Section

ROOT = Path(__file__).parent.parent.parent
TESTS = Path("tests/exercises")


class Exercise(Section):
    """A function to write, with its tests and what helps."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    """What the exercise and its files are called."""
    function: str = Field(pattern=r"^[\w.]+:[\w.]+$")
    """`module:qualname` of the function whose body is to be written."""
    stars: int = Field(ge=1, le=3)
    """Difficulty."""
    points: int = Field(ge=1)
    """What all hidden tests together are worth."""
    minutes: int = Field(ge=5)
    """How long it takes somebody who has read the project."""
    goal: str
    """What the function does and why it matters, in two sentences."""
    hints: list[str] = Field(min_length=2)
    """Steps towards the solution, each a little more."""
    reading: str
    """The paper, and the section of a README."""
    project: str
    """The folder of its tests: a project, or `shared`."""

    @property
    def module_file(self) -> Path:
        """The file of the function, relative to the root."""
        return Path(*self.function.partition(":")[0].split(".")).with_suffix(".py")

    @property
    def qualname(self) -> str:
        """`function` or `Class.method`."""
        return self.function.partition(":")[2]

    @property
    def visible_tests(self) -> Path:
        """The tests that students have."""
        return TESTS / self.project / f"test_{self.id}.py"

    @property
    def hidden_tests(self) -> Path:
        """The tests that give the points."""
        return TESTS / self.project / "hidden" / f"test_{self.id}_hidden.py"

    @property
    def mistakes_file(self) -> Path:
        """Wrong bodies: functions with the signature of the solution, whose docstring says what is wrong."""
        return TESTS / self.project / "mistakes" / f"{self.id}.py"


def load_exercises(root: Path = ROOT, project: str | None = None) -> list[Exercise]:
    """All exercises, or those of one project, in the order of their files. Raises ValueError with one sentence."""
    files = [root / "shared" / "exercises.toml", *sorted(root.glob("projects/*/exercises.toml"))]
    found: list[Exercise] = []
    for path in files:
        if not path.is_file() or project not in (None, path.parent.name):
            continue
        try:
            entries = tomllib.loads(path.read_text(encoding="utf-8"))["exercise"]
            found += [Exercise(**entry, project=path.parent.name) for entry in entries]
        except (tomllib.TOMLDecodeError, KeyError, TypeError, ValidationError) as error:
            raise ValueError(f"{path} is not a list of exercises: {' '.join(str(error).split())[:300]}") from None
    if not found:
        there = ", ".join(sorted(path.parent.name for path in files if path.is_file()))
        raise ValueError(f"there are no exercises in {project or root}; there are some in {there}")
    names = [exercise.id for exercise in found]
    if len(set(names)) < len(names):
        raise ValueError(f"two exercises are called {next(name for name in names if names.count(name) > 1)}")
    return found


def select(exercises: Sequence[Exercise], ids: Sequence[str]) -> list[Exercise]:
    """The exercises with these ids, all where none is given. Raises ValueError for an unknown one."""
    known = {exercise.id: exercise for exercise in exercises}
    if unknown := [name for name in ids if name not in known]:
        raise ValueError(f"there is no exercise {unknown[0]}; there are {', '.join(known)}")
    return [known[name] for name in ids] if ids else list(exercises)


def mistakes_of(exercise: Exercise, root: Path = ROOT) -> dict[str, tuple[str, str]]:
    """Name -> sentence and source of every known mistake."""
    source = (root / exercise.mistakes_file).read_text(encoding="utf-8")
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    return {f.name: (" ".join((ast.get_docstring(f) or "").split()), source) for f in functions}


def tracked_files(root: Path = ROOT, new: bool = False) -> list[str]:
    """The files of a checkout that git knows (`new`: or would add). Raises ValueError where it is none."""
    words = ["git", "-c", "core.quotePath=off", "ls-files", "-co" if new else "-c", "--exclude-standard"]
    listed = subprocess.run(words, cwd=root, capture_output=True, text=True, check=False)
    if listed.returncode:
        raise ValueError(f"{root} is not a git repository: {' '.join(listed.stderr.split())}")
    return [name for name in listed.stdout.splitlines() if (root / name).is_file()]
