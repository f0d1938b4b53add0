"""The driver of every script of every project: settings in, answers out, mistakes as one sentence and exit code 2.

A project hands over plain functions (CONTRIBUTING.md lists them); parsing, run folders, evaluation on any data, reports
and the web page are here, once. Nothing imports torch before the command line has been read, so `--help` and a misspelt
key answer at once.
"""

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from pydantic import create_model

from shared import config as settings
from shared.config import AppOptions, EvaluateOptions, RunOptions, Section, TrainOptions
from shared.console import INTERRUPTED, console, sentence
from shared.evaluations import evaluate_run, evaluation_folder, is_test_set_of
from shared.files import write_json
from shared.names import safe_file_name
from shared.runs import Run
from shared.training.config import TrainingConfig

T = TypeVar("T")
V = TypeVar("V")


def main(file: str) -> NoReturn:
    """Run a script of a project: `if __name__ == "__main__": main(__file__)`."""
    path = (
        Path(file).parent if Path(file).stem == "__main__" else Path(file)
    )  # a folder with a __main__.py is a script too
    project, script = path.parent.name, path.stem
    # Threads that wait for each other soon let other programs run. By default they keep their core, and a small network
    # that runs with `nice` is many times slower beside another program (benchmarks/waiting.py; GNU's OpenMP, Linux).
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    with console(project):
        code = {"train": _train, "evaluate": _evaluate, "app": _app}.get(script, _answer)(project, script)
    raise SystemExit(code)


def _module(project: str, name: str) -> Any:
    return import_module(f"projects.{project}.{name}")


# --- train


def _train(project: str, _: str) -> int:
    """`python -m projects.<project>.train [--config FILE] [--resume RUN] [--check] [--section.key value ...]`

    Trains, evaluates on the test set, writes the report, and prints where it is.
    """
    config_class: type[Section] = _module(project, "config").Config
    given = _arguments(project, "train", create_model("Options", __base__=(config_class, TrainOptions)))
    asked = settings.load(TrainOptions, {key: given.pop(key) for key in TrainOptions.model_fields if key in given})
    if asked.resume and (given or asked.config):
        raise ValueError("--resume continues a run with its own settings; it takes no others beside it")
    if asked.resume:
        run = Run.open(project, asked.resume, finished=False)
        config = settings.load(config_class, run.settings)
    else:
        from_file = settings.read_yaml(asked.config) if asked.config else {}
        own = from_file.get("data") or {}
        if isinstance(own, dict) and _source(config_class, own, given) != own.get("source") and "source" in own:
            if dropped := [f"data.{key}" for key in own if key != "source"]:
                print(
                    f"{project}: {', '.join(dropped)} of {asked.config} apply to {own['source']} only", file=sys.stderr
                )
            from_file["data"] = {}
        config = settings.load(config_class, from_file, given, also=TrainOptions)
    if asked.print_config:
        print(settings.to_yaml(config), end="")
        return 0

    if asked.check:
        if asked.resume:
            raise ValueError("--check is for the data of a new training; the run to resume has read its own")
        print(_module(project, "data").check(config).details())
        return 0

    # Large pages for large tensors: a quarter of a step of AlexNet goes into fetching small ones. Linux only.
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    train = _module(project, "train").train  # torch arrives here
    from shared.compute import distributed
    from shared.compute.device import seed_everything
    from shared.training.loop import Interrupted

    seed_everything(next((section.seed for _, section in config if isinstance(section, TrainingConfig)), 0))
    with distributed.processes():
        if not asked.resume:
            label = asked.name or (asked.config.stem if asked.config else "default")
            run = distributed.from_first(lambda: Run.create(project, label, config))
        start = time.monotonic()
        try:
            if not run.model_file.is_file():
                predictor = train(config, run)
                if distributed.is_first():
                    _save(project, predictor, run)
                    run.add_minutes((time.monotonic() - start) / 60)
            distributed.collect(None)  # until every process has read what is deleted now
            if distributed.is_first():
                shutil.rmtree(run.checkpoints, ignore_errors=True)  # the predictor holds all that is needed
        except (Interrupted, KeyboardInterrupt) as stop:
            if distributed.is_first():
                run.add_minutes((time.monotonic() - start) / 60)
                if asked.resume or not _discard(run):
                    print(f"{str(stop) or 'stopped'}; to go on: {_resume(project, run)}", file=sys.stderr)
            return INTERRUPTED
        except Exception:
            if distributed.is_first() and not asked.resume:
                _discard(run)
            raise
        first = distributed.is_first()
    if not first:  # evaluation is the work of one process; one that ends may abort in a library, which ends them all
        os._exit(0)
    print(f"report: {_short(evaluate_own_test_set(project, run))}")
    return 0


def evaluate_own_test_set(project: str, run: Run) -> Path:
    """Score a finished run with its own settings, into its folder; return the report's path."""
    options = settings.load(options_class(project, "evaluate"), {"run": run.name}, _sections(project, run))
    return evaluate_run(project, run, options, run.folder)


def _save(project: str, predictor: Any, run: Run) -> None:
    """Write the predictor that `train` returned into the run. Raises ValueError where it returned none."""
    if predictor is None or not hasattr(predictor, "save"):
        kept = f"; the weights are kept in {_short(run.checkpoints)}" if run.checkpoints.exists() else ""
        raise ValueError(f"train() in projects/{project}/train.py must return a Predictor, not {predictor!r}{kept}")
    predictor.save(run.model_file)


def _discard(run: Run) -> bool:
    """Delete the new folder of a run that holds nothing but its settings, and say whether that was so."""
    empty = {path.name for path in run.folder.iterdir()} <= {
        "config.yaml",
        "environment.json",
        "provenance.safetensors",
    }
    if empty:
        shutil.rmtree(run.folder, ignore_errors=True)
    return empty


def _resume(project: str, run: Run) -> str:
    return f"python -m projects.{project}.train --resume {_short(run.folder)}"


# --- evaluate


def options_class(project: str, script: str) -> Any:
    """The options of a script: the project's own, or the usual ones."""
    config, name = _module(project, "config"), f"{script.title().replace('_', '')}Options"
    if hasattr(config, name) or script != "evaluate":
        return getattr(config, name, getattr(settings, name, RunOptions))
    fields = config.Config.model_fields
    sections: dict[str, Any] = {
        n: (fields[n].annotation, fields[n].default) for n in ("data", "evaluation") if n in fields
    }
    return create_model("EvaluateOptions", __base__=EvaluateOptions, __doc__=EvaluateOptions.__doc__, **sections)


def _evaluate(project: str, _: str) -> int:
    """`python -m projects.<project>.evaluate [--run RUN] [--data.source ... --data.root ...] [--json FILE]`

    Scores a finished run. Its own test set renews its report; other data get a folder in `evaluations/`.
    """
    kind = options_class(project, "evaluate")
    given = _arguments(project, "evaluate", kind)
    run = _open(project, kind, given)
    own = _sections(project, run)
    base = dict(own)
    asked = given.get("data")
    if isinstance(asked, dict) and {"source", "root"} & set(asked) and "data" in kind.model_fields:
        base["data"] = {"source": _source(kind, own.get("data", {}), given)}  # settings of the run's own data end here
        section: Any = kind.model_fields["data"].annotation
        if base["data"]["source"] in ("csv", "folder") and "split" in section.model_fields:
            base["data"]["split"] = "all"
    options = settings.load(kind, base, given)
    same = options.name is None and options.seen == "leave-out" and not run.is_shipped and is_test_set_of(options, own)
    path = evaluate_run(project, run, options, run.folder if same else evaluation_folder(run, options))
    print(f"report: {_short(path)}")
    return 0


def _source(kind: type[Section], own: Mapping[str, Any], given: Mapping[str, Any]) -> str | None:
    """The source that the command line names, else the own one. Raises ValueError where a place was named alone."""
    asked = given.get("data")
    if not isinstance(asked, dict) or "data" not in kind.model_fields:
        return own.get("source")
    section: Any = kind.model_fields["data"].annotation
    default = own.get("source", section.model_fields["source"].default if "source" in section.model_fields else None)
    if default == "sample" and "root" in asked and "source" not in asked:
        raise ValueError("data.root says where the data are; say what they are with --data.source")
    return asked.get("source", own.get("source"))


def _sections(project: str, run: Run) -> dict[str, Any]:
    """The settings of a run that its evaluation has, too."""
    known = options_class(project, "evaluate").model_fields
    return {key: value for key, value in run.settings.items() if key in known and isinstance(value, dict)}


# --- the other scripts


def _answer(project: str, script: str) -> int:
    """A script that works on a finished run: its function of the same name gets its options and the run, and returns
    what `--json` writes."""
    kind = options_class(project, script)
    given = _arguments(project, script, kind)
    if isinstance(given.get("data"), dict) and "data" not in kind.model_fields:
        given = settings.merge(given.pop("data"), given)  # --data.encoding, as in training, is --encoding here
    run = _open(project, kind, given)
    options = settings.load(kind, given)
    answer = getattr(_module(project, script), script)(options, run)
    if options.json_file and answer is not None:
        write_json(options.json_file, answer)
    return 0


def _app(project: str, script: str) -> int:
    """The predictor of a run on a web page of this machine, until Ctrl-C."""
    from shared.page import running

    kind: type[AppOptions] = options_class(project, script)
    given = _arguments(project, script, kind)
    run = _open(project, kind, given)
    options = settings.load(kind, given)
    with running(lambda: _module(project, "app").interface(options, run), options.port) as page:
        print(f"{page.local_url} shows {run.name}; Ctrl-C ends it", flush=True)
        page.block_thread()
    return 0


def _open(project: str, kind: type[RunOptions], given: Mapping[str, Any]) -> Run:
    """The finished run that the command line names."""
    named = given.get("run", kind.model_fields["run"].default)
    run = Run.open(project, settings.load(RunOptions, {"run": named}).run)
    if not run.model_file.is_file():
        raise ValueError(f"run {run.name} is not finished; to go on: {_resume(project, run)}")
    return run


def _arguments(project: str, script: str, kind: Any) -> dict[str, Any]:
    arguments = sys.argv[1:]
    if "--help" in arguments or "-h" in arguments:
        program = f"python -m projects.{project}.{script}"
        settings.print_help(kind, program, str(sys.modules["__main__"].__doc__).strip())
    given = settings.parse_arguments(arguments)
    if "input" in given and "input" not in kind.model_fields:
        words = " ".join(given["input"])
        raise ValueError(f"unexpected argument: {words}; settings look like --section.key value")
    return given


def _short(path: Path) -> str:
    """The path as seen from here, where that is shorter."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def picture_files(folder: Path, inputs: Sequence[Path]) -> list[Path]:
    """Where the picture of every input goes: into a folder, which is made. Raises ValueError if an input lies there."""
    named = [path for path in inputs if "\0" not in str(path)]
    real = [Path(os.path.realpath(path)) for path in named]  # `Path.resolve` raises for links in a circle
    if os.path.realpath(folder) in {os.path.realpath(path.parent) for path in (*named, *real)}:
        raise ValueError(f"{folder} holds the input files; name another folder with --overlay")
    folder.mkdir(parents=True, exist_ok=True)
    several = len(inputs) > 1
    return [folder / f"{safe_file_name(path.stem)}{f'-{n}' if several else ''}.png" for n, path in enumerate(inputs)]


def readable(project: str, items: Sequence[T], read: Callable[[T], V]) -> Iterator[tuple[int, T, V]]:
    """Number, item and `read(item)` of every item; those that cannot be read are named on stderr at the end.

    Raises the error itself where there is only one item, and ValueError where none can be read.
    """
    problems = []
    for number, item in enumerate(items):
        try:
            value = read(item)
        except (ValueError, OSError) as error:
            if len(items) == 1:
                raise
            problems.append(sentence(error))
            continue
        yield number, item, value
    for problem in problems:
        print(f"{project}: left out: {problem}", file=sys.stderr)
    if len(problems) == len(items):
        raise ValueError("none of the files could be read")
