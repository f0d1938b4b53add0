"""A run is a folder: settings, metrics, checkpoints, evaluation, report. `python -m shared.runs` lists them all."""

import csv
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.config import Section, read_yaml, to_yaml
from shared.console import console
from shared.files import read_json, write_json, write_text
from shared.names import require_utf8

if TYPE_CHECKING:
    from shared.data.provenance import Fingerprints
    from shared.data.summary import DataSummary

RUNS = Path(os.environ.get("RUNS", "runs"))
PROJECTS = Path(__file__).parent.parent / "projects"


class Run:
    """The folder of one training run, `runs/<project>/<time>-<name>/`.

    `config.yaml` resolved settings · `environment.json` versions, commit, machine · `metrics.csv` one row an epoch ·
    `checkpoints/` training state · `provenance.safetensors` hashes of the items seen · `model.safetensors` predictor ·
    `evaluation.json`, `predictions.csv`, `report.html` on its test set · `evaluations/` the same on other data
    """

    def __init__(self, folder: Path, part: str = "") -> None:
        self.folder = folder
        self.project = folder.parent.name
        self.name = folder.name
        self.part = part

    def stage(self, part: str) -> "Run":
        """The same run for one of several trainings in it, with checkpoints and metrics of its own."""
        return Run(self.folder, part)

    @classmethod
    def create(cls, project: str, name: str, config: Section) -> "Run":
        """Make a new folder; two runs started in the same second get two folders."""
        require_utf8(RUNS)
        stamp = f"{time.strftime('%Y%m%d-%H%M%S')}-{name}"
        born = RUNS / project / f".{stamp}.{uuid.uuid4().hex[:8]}.part"
        try:
            write_text(born / "config.yaml", to_yaml(config))
            write_json(born / "environment.json", environment())
            for attempt in range(1000):
                folder = RUNS / project / (f"{stamp}-{attempt + 1}" if attempt else stamp)
                try:
                    born.rename(folder)  # whole, or not at all
                    return cls(folder)
                except OSError:
                    if not folder.exists():
                        raise
        finally:
            shutil.rmtree(born, ignore_errors=True)  # where it has not become the run
        raise ValueError(f"there are 1000 runs called {stamp} in {RUNS / project}")

    @classmethod
    def open(cls, project: str, name: str, finished: bool = True) -> "Run":
        """A run by folder, by name, `latest`, or `shipped` where a project comes with a finished one. The name of a
        config file is the newest run of that name: a finished one, or, to resume, an unfinished one.

        Raises FileNotFoundError or ValueError with one sentence.
        """
        if name == "latest":
            return latest(project, finished)
        for folder in (Path(name), RUNS / project / name, PROJECTS / project / name):
            if (folder / "config.yaml").is_file():
                run = cls(require_utf8(folder.resolve()))
                if run.project != project and (RUNS / project).resolve() != run.folder.parent:
                    raise ValueError(f"{name} is a run of {run.project}, not of {project}")
                return run
        named = [run for run in all_runs(project) if run.name[len("20261126-093000-") :] == name]
        if wanted := [run for run in named if run.model_file.is_file() == finished] or named:
            return wanted[-1]
        raise FileNotFoundError(f"there is no run {name}; `make runs` lists those there are")

    @property
    def settings(self) -> dict[str, Any]:
        """The resolved settings the run was started with."""
        return read_yaml(self.folder / "config.yaml")

    @property
    def checkpoints(self) -> Path:
        """Where the training state is kept while the run goes on."""
        return self.folder / "checkpoints" / self.part

    @property
    def model_file(self) -> Path:
        """The finished model. It exists once training is over."""
        return self.folder / "model.safetensors"

    def write_history(self, rows: list[dict[str, float]]) -> None:
        """Replace `metrics.csv` by these rows, one an epoch."""
        columns = list(dict.fromkeys(key for row in rows for key in row))
        lines = [",".join(columns), *(",".join(f"{row.get(key, float('nan')):.6g}" for key in columns) for row in rows)]
        write_text(self._metrics, "\n".join(lines) + "\n")

    def write_tensorboard(self, row: Mapping[str, float], epoch: int) -> None:
        """Add one epoch to `tensorboard/`, where TensorBoard is installed."""
        if self._tensorboard is not None:
            for name, value in row.items():
                self._tensorboard.add_scalar(name, value, epoch)
            self._tensorboard.flush()

    @cached_property
    def _tensorboard(self) -> Any:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            return None
        return SummaryWriter(str(self.folder / "tensorboard" / self.part))

    def history(self) -> list[dict[str, float]]:
        """The rows of `metrics.csv`. Raises ValueError where it is damaged."""
        if not self._metrics.is_file():
            return []
        try:
            with self._metrics.open(encoding="utf-8") as file:
                return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
        except (TypeError, ValueError, csv.Error) as error:
            reason = " ".join(str(error).split())[:100]
            raise ValueError(f"{self._metrics} is damaged ({reason}); delete it to go on without it") from None

    @property
    def _metrics(self) -> Path:
        return self.folder / (f"metrics-{self.part}.csv" if self.part else "metrics.csv")

    @property
    def is_shipped(self) -> bool:
        """Whether it comes with the project; nothing is written into its folder."""
        return self.folder.parent.parent == PROJECTS

    @property
    def output(self) -> Path:
        """Where predictions and evaluations on other data go."""
        writable = not self.is_shipped and os.access(self.folder, os.W_OK)
        return self.folder if writable else RUNS / self.project / self.name

    def describe(self, summary: "DataSummary") -> None:
        """Print what was understood of the data, in the first of several processes."""
        from shared.compute import distributed

        distributed.print_once(summary.details())

    @property
    def predictions(self) -> Path:
        """Where `predict` puts pictures and pages: in `output`, or, where that cannot be written, in the folder of
        temporary files, which is said."""
        folder = self.output / "predictions"
        there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        if os.access(there, os.W_OK):
            return folder
        other = Path(tempfile.gettempdir()) / self.project / self.name
        print(f"{self.project}: {there} cannot be written; what predict writes goes to {other}", file=sys.stderr)
        return other

    def record(self, *items: "Fingerprints", earlier: Sequence[Path] = ()) -> None:
        """Keep the content hashes of everything that is trained and validated on (see `shared.data.provenance`).

        earlier: run folders whose weights this run starts from, and so what they have seen.
        """
        from shared.compute import distributed
        from shared.data import provenance

        if distributed.is_first():
            provenance.record(self.folder, *items, earlier=earlier)

    def add_minutes(self, minutes: float) -> None:
        """Add to the minutes of training in `environment.json`; a resumed run has several parts."""
        known = self.environment or environment()
        total = round(known.get("minutes", 0.0) + minutes, 2)
        write_json(self.folder / "environment.json", {**known, "minutes": total})

    @property
    def environment(self) -> dict[str, Any]:
        """The content of `environment.json`; empty where the file is missing or damaged."""
        try:
            known = read_json(self.folder / "environment.json")
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}


def environment() -> dict[str, Any]:
    """What a number depends on beside code and data: versions, commit, machine."""
    packages = ("torch", "torchvision", "numpy", "opencv-python", "opencv-python-headless", "scikit-learn")
    installed = {package.name: package.version for package in metadata.distributions()}
    from torch import cuda  # not before: a list of runs needs no torch

    machine = [f"{platform.system()} {platform.machine()}", f"{os.cpu_count()} CPU cores"]
    return {
        "started": time.strftime("%Y-%m-%d %H:%M:%S"),
        "command": " ".join(sys.orig_argv[1:]),
        "commit": _commit(),
        "python": platform.python_version(),
        "machine": ", ".join(machine + ([cuda.get_device_name()] if cuda.is_available() else [])),
        **{package: installed[package] for package in packages if package in installed},
    }


def _commit() -> str:
    try:
        commit, changes = (
            subprocess.run(
                ["git", *words], capture_output=True, text=True, cwd=PROJECTS.parent, check=False
            ).stdout.strip()
            for words in (("rev-parse", "--short", "HEAD"), ("status", "--porcelain", "projects", "shared", "configs"))
        )
    except FileNotFoundError:
        return "unknown (no git here)"
    return f"{commit}-dirty" if commit and changes else commit or "unknown (not a git checkout)"


def all_runs(project: str = "*") -> Iterator[Run]:
    """Every run folder, oldest first."""
    for path in sorted(RUNS.glob(f"{project}/*/config.yaml"), key=lambda p: (p.parent.name, p.parent.parent.name)):
        yield Run(path.parent)


def evaluated_runs(project: str) -> Iterator[tuple[Run, dict[str, Any], dict[str, Any]]]:
    """Every run of a project with its settings and the content of its evaluation.json; damaged ones are named."""
    for run in all_runs(project):
        path = run.folder / "evaluation.json"
        try:
            if path.is_file():
                yield run, run.settings, read_json(path)
        except (OSError, ValueError) as error:
            print(f"{project}: left out: run {run.name} cannot be read ({error})", file=sys.stderr)


def latest(project: str, finished: bool = True) -> Run:
    """The newest finished (or unfinished) run of a project, or, where none is finished, the one that comes with it.

    Raises FileNotFoundError with one sentence.
    """
    found = [run for run in all_runs(project) if run.model_file.is_file() == finished]
    shipped = Run(PROJECTS / project / "shipped")
    if not found and finished and shipped.model_file.is_file():
        print(f"{project}: no run of your own yet, so this is the one that comes with the project", file=sys.stderr)
        return shipped
    if not found:
        kind = "finished run yet: " if finished else "run to resume: "
        raise FileNotFoundError(f"there is no {kind}`make train-{project}` makes one")
    return found[-1]


def table() -> str:
    """All runs: project, data source, key metric beside its best baseline, minutes, commit."""
    rows: list[tuple[str, ...]] = [("project", "run", "data", "result", "best baseline", "minutes", "commit")]
    for run in all_runs():
        known = run.environment
        minutes = f"{known['minutes']:.1f}" if isinstance(known.get("minutes"), float) else "-"
        result, baseline = _headline(run)
        try:
            data = str((run.settings.get("data") or {}).get("source", "-"))
        except (OSError, ValueError, AttributeError):
            data, result = "-", "unreadable"
        rows.append((run.project, run.name, data, result, baseline, minutes, str(known.get("commit", "-"))))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def _headline(run: Run) -> tuple[str, str]:
    """The headline metric of a run, and the best baseline's."""
    path = run.folder / "evaluation.json"
    if not path.is_file():
        return ("not evaluated" if run.model_file.is_file() else "not finished"), "-"
    try:
        evaluation = read_json(path)
        metric, direction = evaluation["headline"]["metric"], evaluation["headline"]["direction"]
        result = f"{metric} {evaluation['metrics'][metric]:.3f}"
        baselines = {name: values[metric] for name, values in evaluation["baselines"].items() if metric in values}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return "unreadable", "-"
    best = (min if direction == "min" else max)(baselines, key=lambda name: baselines[name], default=None)
    return result, f"{best} {baselines[best]:.3f}" if best else "-"


if __name__ == "__main__":
    with console("runs"):
        print(table())
