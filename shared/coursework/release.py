"""Make the students' copy: python -m shared.coursework.release out/ [--exercises iou,best_path]

The bodies of the exercises' functions are replaced by `raise NotImplementedError`; hidden tests, wrong bodies and the
history stay here. Releasing into the same folder again adds a commit, which students pull.
"""

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field
from tyro import conf

from shared.config import Section
from shared.coursework.exercises import ROOT, TESTS, Exercise, load_exercises, select, tracked_files
from shared.coursework.options import command
from shared.coursework.source import body_of, emptied

KEPT_BACK = re.compile(
    rf"{TESTS.as_posix()}/[^/]+/(hidden|mistakes)/|{TESTS.as_posix()}/canary\.py|tests/test_(exercises|coursework)\.py"
    r"|shared/coursework/(grade|score|release)\.py|TEACHING\.md"
)
"""What only teachers have."""
TEACHERS_PARTS = {
    "README.md": r"## Teach with it\n.*?(?=## )| \(TEACHING\.md\)",
    "Makefile": r"(?<=learn) student-release grade score|(student-release|grade|score):.*?\n\n",
    ".gitignore": r"/(grades|scores|handed-in)/\n",
}
"""File -> the parts of it that are about what only teachers have."""
LEAST = 25  # characters of a line by which a solution is recognised


class ReleaseOptions(Section):
    """Make the students' copy of this repository."""

    input: Annotated[list[Path], conf.Positional] = Field(min_length=1, max_length=1)
    """The folder of the release: a new one, or an earlier release."""
    exercises: list[str] = Field([])
    """The exercises to hand out: `[iou, best_path]`; all of them by default. Other functions stay written."""


def release(out: Path, exercises: Sequence[Exercise], root: Path = ROOT) -> None:
    """Write the release and commit it. Raises ValueError where a solution would be in it, with the file and line."""
    git = out / ".git"
    if out.exists() and any(out.iterdir()) and not (git.is_dir() and (out / "AI_TUTOR.md").is_file()):
        raise ValueError(f"{out} is not empty and no earlier release; name a new folder")
    sources = {exercise.module_file: (root / exercise.module_file).read_text("utf-8") for exercise in exercises}
    bodies = {e.id: body_of(sources[e.module_file], e.qualname) for e in exercises}
    secrets = {name: set(_lines(body)) for name, body in bodies.items()}
    for exercise in exercises:
        sources[exercise.module_file] = emptied(sources[exercise.module_file], exercise.qualname, exercise.id)
    names = [name for name in tracked_files(root) if not KEPT_BACK.match(name)]
    contents = {name: _content(root / name, sources.get(Path(name))) for name in names}
    modes = {name: (root / name).stat().st_mode for name in names}
    for name, part in TEACHERS_PARTS.items():
        contents[name] = re.sub(part, "", contents[name].decode(), flags=re.DOTALL).encode()
    contents["AI_TUTOR.md"] = (root / "shared" / "coursework" / "AI_TUTOR.md").read_bytes()
    for exercise, lines in secrets.items():
        for name, content in contents.items():
            if lines and len(found := lines & set(_lines(content))) * 2 >= len(lines):
                raise ValueError(f"{name} tells the solution of {exercise}: {sorted(found)[0]}")
    out.mkdir(parents=True, exist_ok=True)
    for old in out.iterdir():
        if old != git:
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    for name, content in contents.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(content)
        (out / name).chmod(modes.get(name, 0o644))
    _commit(out)


def _content(path: Path, emptied_source: str | None) -> bytes:
    return path.read_bytes() if emptied_source is None else emptied_source.encode()


def _lines(content: bytes | str) -> list[str]:
    """The lines of a text that are long enough to recognise, without blanks."""
    text = content if isinstance(content, str) else content.decode("utf-8", errors="ignore")
    return [line for line in (re.sub(r"\s", "", line) for line in text.splitlines()) if len(line) >= LEAST]


def _commit(out: Path) -> None:
    """The folder as a commit of its own, on top of earlier releases."""

    def git(*words: str) -> str:
        about = ["-c", "user.name=course", "-c", "user.email=course@example.org", "-c", "commit.gpgsign=false"]
        done = subprocess.run(["git", *about, *words], cwd=out, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ValueError(f"git {words[0]} fails: {' '.join((done.stderr or done.stdout).split())[:200]}")
        return done.stdout

    if not (out / ".git").is_dir():
        git("init", "-q", "-b", "main")
    git("add", "-A")
    if git("status", "--porcelain"):
        git("commit", "-q", "-m", "Release" if git("rev-list", "--all") == "" else "Release: fixes")


def main(options: ReleaseOptions) -> None:
    """Make the release and say what is in it."""
    exercises = select(load_exercises(), options.exercises)
    release(options.input[0], exercises)
    print(f"{options.input[0]}: {len(exercises)} exercises, {sum(e.points for e in exercises)} points")


if __name__ == "__main__":
    command(ReleaseOptions, main, __doc__)
