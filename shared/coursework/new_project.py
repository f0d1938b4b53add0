"""Begin a project of your own as a copy of another one.

python -m shared.coursework.new_project flowers                       # a copy of projects/starter
python -m shared.coursework.new_project flowers --source plantdisease
"""

import keyword
import re
import shutil
import sys
from pathlib import Path
from typing import Annotated

from pydantic import Field
from tyro import conf

from shared.config import Section, load, parse_arguments, print_help
from shared.console import console

ROOT = Path(__file__).parent.parent.parent
RESERVED = {
    "all",
    "configs",
    "data",
    "latest",
    "new",
    "project",
    "projects",
    "runs",
    "shared",
    "shipped",
    "test",
    "tests",
}
COPIED = ("projects/{}", "configs/{}")
COURSEWORK = {"exercises.toml", "tasks.toml"}  # of the original project


class NewProjectOptions(Section):
    """Copy a project, its configs and its tests under a new name."""

    input: Annotated[list[str], conf.Positional] = Field(min_length=1, max_length=1)
    """The new project's name."""
    source: str = "starter"
    """The project that is copied."""


def new_project(name: str, source: str = "starter", root: Path = ROOT) -> list[Path]:
    """Copy `projects/<source>`, `configs/<source>` and `tests/test_<source>*.py`; the paths that were made.

    The name is replaced wherever it stands as a word, in code, settings, READMEs and the headers of model files.
    Raises ValueError with one sentence for a name that is bad, taken or reserved, and for a source that is not there.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ValueError(f"{name!r} is no name for a project: use lower-case letters, digits and _, a letter first")
    if keyword.iskeyword(name) or name in RESERVED:
        raise ValueError(f"the name {name} is reserved; take another")
    if not (root / "projects" / source / "train.py").is_file():
        there = ", ".join(sorted(path.parent.name for path in root.glob("projects/*/train.py")))
        raise ValueError(f"there is no project {source}; there are {there}")
    copies = {root / part.format(source): root / part.format(name) for part in COPIED}
    longer = [p.parent.name for p in root.glob("projects/*/train.py") if p.parent.name.startswith(f"{source}_")]
    tests = sorted((root / "tests").glob(f"test_{source}.py")) + sorted((root / "tests").glob(f"test_{source}_*.py"))
    tests = [test for test in tests if not f"{test.stem}_".startswith(tuple(f"test_{other}_" for other in longer))]
    copies |= {test: test.with_name(test.name.replace(f"test_{source}", f"test_{name}", 1)) for test in tests}
    if taken := [str(path.relative_to(root)) for path in copies.values() if path.exists()]:
        raise ValueError(f"{taken[0]} exists already; take another name or remove it")
    made = []
    for old, new in copies.items():
        for file in [old] if old.is_file() else sorted(path for path in old.rglob("*") if path.is_file()):
            if "__pycache__" not in file.parts and file.name not in COURSEWORK:
                target = new if old.is_file() else new / file.relative_to(old)
                target.parent.mkdir(parents=True, exist_ok=True)
                _copy(file, target, source, name)
        made.append(new)
    return made


def _copy(file: Path, target: Path, source: str, name: str) -> None:
    """A file with the project's name replaced; pictures and record files as they are."""
    if file.name == "model.safetensors":
        from shared.training.checkpoint import load_model, save_model  # torch, which few copies need

        tensors, about = load_model(file, source)
        save_model(target, tensors, {**about, "project": name})
        return
    content = file.read_bytes()
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        shutil.copyfile(file, target)
        return
    text = _renamed(text, source, name)
    if file.name == "README.md":
        text = f"> A copy of `projects/{source}`: rewrite this page, its figures are those of the original.\n\n{text}"
    target.write_text(text, encoding="utf-8")


def _renamed(text: str, source: str, name: str) -> str:
    """The text with a project's name replaced: in paths, modules, settings and messages, not in sentences, lists of
    words and addresses, since `sentiment` is also a word.

    >>> _renamed('from projects.sentiment import x  # see configs/sentiment, "sentiment"', "sentiment", "reviews")
    'from projects.reviews import x  # see configs/reviews, "reviews"'
    >>> _renamed("the sentiment of a tweet, airline sentiment, https://a.org/data/sentiment/x", "sentiment", "reviews")
    'the sentiment of a tweet, airline sentiment, https://a.org/data/sentiment/x'
    """
    joined = rf"(?<=[./_-]){source}(?![A-Za-z0-9])|(?<![A-Za-z0-9]){source}(?=[./_-]\w|:\s)"
    quoted = rf"(?<=[\"'`]){source}(?=[\"'`])"
    return re.sub(rf"https?://\S+|{joined}|{quoted}", lambda found: name if found[0] == source else found[0], text)


def main() -> None:
    """The command line."""
    if {"--help", "-h"} & set(sys.argv[1:]):
        print_help(NewProjectOptions, "python -m shared.coursework.new_project", str(__doc__))
    if len(sys.argv) == 1:
        raise ValueError("name the new project: make new-project NAME=flowers")
    options = load(NewProjectOptions, parse_arguments(sys.argv[1:]))
    (name,) = options.input
    made = new_project(name, options.source)
    for path in made:
        print(f"  {path.relative_to(ROOT)}")
    print(f"next: make train-{name}, or python -m projects.{name}.train --config configs/{name}/sample.yaml")


if __name__ == "__main__":
    with console("new-project"):
        main()
