"""The command line all projects share: settings in, answers out, mistakes as one sentence and exit code 2.

Nothing here imports torch before the command line has been read, so `--help` and a misspelt key answer at once.
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
from shared.config import OF_ONE_SOURCE, RunOptions, Section, TrainOptions
from shared.runs import Run
from shared.training.config import TrainingConfig

MISTAKE, INTERRUPTED = 2, 130
T = TypeVar("T")
V = TypeVar("V")


def train(module: str, config_class: type[Section]) -> NoReturn:
    """`python -m projects.<project>.train [--config FILE] [--resume RUN] [--print-config] [--section.key value ...]`

    Trains, evaluates on the test data, writes the report, and prints where it is.
    """
    _exit(module, lambda: _train(module, config_class))


def answer(module: str, options_class: type[Section]) -> NoReturn:
    """A script that works on a finished run: evaluate, predict, export. It is handed its options and the run.

    A section of the options that the run has too (`data`, `evaluation`) starts from the run's own values.
    """
    _exit(module, lambda: _answer(module, options_class))


def _train(module: str, config_class: type[Section]) -> int:
    project = module.split(".")[1]
    given = _arguments(module, create_model("Options", __base__=(config_class, TrainOptions)))
    asked = settings.load(TrainOptions, {key: given.pop(key) for key in TrainOptions.model_fields if key in given})
    file, resume = asked.config, asked.resume
    if resume and (given or file):
        raise ValueError("--resume continues a run with its own settings; it takes no others beside it")
    if resume:
        run = Run.open(project, resume)
        config = settings.load(config_class, run.settings)
    else:
        recipe = settings.read_yaml(file) if file else {}
        if isinstance(recipe.setdefault("data", {}), dict):
            recipe["data"] = _recipe_for(config_class, recipe["data"], given.get("data"))
        config = settings.load(config_class, recipe, given, also=TrainOptions)
    if asked.print_config:
        print(settings.to_yaml(config), end="")
        return 0

    # Large pages for large tensors: a quarter of a step of AlexNet goes into fetching small ones. Linux only.
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    recipe = import_module(module)  # torch arrives here
    from shared.training import distributed
    from shared.training.device import seed_everything
    from shared.training.loop import Interrupted

    seed_everything(next(section.seed for _, section in config if isinstance(section, TrainingConfig)))
    with distributed.processes():
        if not resume:
            label = asked.name or (file.stem if file else "default")
            run = distributed.from_first(lambda: Run.create(project, label, config))
        try:
            if not run.model_file.is_file():
                start = time.monotonic()
                try:
                    recipe.train(config, run)
                finally:
                    if distributed.is_first():
                        run.add_minutes((time.monotonic() - start) / 60)
                distributed.collect(None)  # until every process has read what is deleted now
                if distributed.is_first():
                    shutil.rmtree(run.checkpoints, ignore_errors=True)  # the finished model holds all that is needed
        except (Interrupted, KeyboardInterrupt) as stop:
            if distributed.is_first() and not _discard(run):
                print(f"{str(stop) or 'stopped'}; to go on: {_resume(module, run)}", file=sys.stderr)
            return INTERRUPTED
        except Exception:
            if distributed.is_first():
                _discard(run)
            raise
        first = distributed.is_first()
    if not first:  # evaluation is the work of one process; one that ends may abort in a library, which ends them all
        os._exit(0)
    import_module(module.rsplit(".", 1)[0] + ".evaluate").evaluate_run(run)
    print(f"report: {_short(run.folder / 'report.html')}")
    return 0


def _discard(run: Run) -> bool:
    """Delete a run that has nothing to go on from, and say whether that was so."""
    empty = not run.checkpoints.exists() and not run.model_file.exists()
    if empty:
        shutil.rmtree(run.folder, ignore_errors=True)
    return empty


def _resume(module: str, run: Run) -> str:
    return f"python -m {module} --resume {_short(run.folder)}"


def _answer(module: str, options_class: type[Section]) -> int:
    project = module.split(".")[1]
    given = _arguments(module, options_class)
    named = given.get("run", options_class.model_fields["run"].default)
    run = Run.open(project, settings.load(RunOptions, {"run": named}).run)
    if not run.model_file.is_file():
        raise ValueError(f"run {run.name} is not finished; to go on: {_resume(f'projects.{project}.train', run)}")
    own: dict[str, dict[str, Any]] = run.settings  # a shipped run may have none of these sections
    known = {key: own[key] for key in ("data", "evaluation") if key in own and key in options_class.model_fields}
    if "data" in known:
        known["data"] = _data_of(options_class, known["data"], given.get("data", {}))
    options = settings.load(options_class, known, given)
    if "data" in known and (warning := _seen(own["data"], options.model_dump(mode="json")["data"])):
        print(f"{project}: {warning}", file=sys.stderr)
    import_module(module).main(options, run)
    return 0


def _data_of(options_class: type[Section], run: dict[str, Any], given: Any) -> dict[str, Any]:
    """The run's settings of `data` that hold for the data that the command line names, too."""
    if not isinstance(given, dict) or not {"source", "root"} & set(given):
        return run
    source = _source(run["source"], given)
    carried = _of_any_source(options_class, run)
    return {**carried, "split": "all"} if source in ("csv", "folder") else carried


def _recipe_for(config_class: type[Section], recipe: Mapping[str, Any], given: Any) -> Mapping[str, Any]:
    """The settings of `data` in a YAML file that hold for the source that the command line names, too."""
    section: Any = config_class.model_fields["data"].annotation
    own = recipe.get("source", section.model_fields["source"].default)
    same = not isinstance(given, dict) or _source(own, given) == own
    return recipe if same else _of_any_source(config_class, recipe)


def _source(own: str, given: Mapping[str, Any]) -> str:
    """The source that the command line names, else the own one. Raises ValueError where a place was named alone."""
    if own == "sample" and "root" in given and "source" not in given:
        raise ValueError("data.root says where the data are; say what they are with --data.source")
    return given.get("source", own)


def _of_any_source(options_class: type[Section], data: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of `data` without those that mean nothing for other data."""
    section: Any = options_class.model_fields["data"].annotation
    of_one_source = {name for name, field in section.model_fields.items() if OF_ONE_SOURCE in field.metadata}
    return {key: value for key, value in data.items() if key not in of_one_source}


def _seen(own: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """A warning where a run may be scored on what it was trained on."""
    if _place(own) != _place(data):
        again = data["split"] == "all" and own["source"] == data["source"] and data["source"] in ("csv", "folder")
        return f"all of {data['root']} is scored; if the run was trained on some of it, that too" if again else ""
    anew = divided_anew(own, data)
    return "the run's own data, divided anew: what it was trained on may be scored" if anew else ""


def divided_anew(own: Mapping[str, Any], data: Mapping[str, Any]) -> bool:
    """Whether two `data` sections divide the same data in different ways: one's test part may be trained on by the
    other. Parts that come with the data are no new division of it."""
    decides = ("split", "seed", "validation", "test", "fold", "guard", "photos", "scenes", "reviews")
    changed = any(own[key] != data[key] for key in decides if key in own and key in data)
    listed = data["split"] in ("train", "dev", "test") and own["split"] not in ("random", "product")
    return _place(own) == _place(data) and changed and not listed


def _place(data: Mapping[str, Any]) -> tuple[str, str]:
    return data["source"], str(Path(data.get("root") or "").resolve())


def _arguments(module: str, options_class: type[Section]) -> dict[str, Any]:
    arguments = sys.argv[1:]
    if "--help" in arguments or "-h" in arguments:
        settings.print_help(options_class, f"python -m {module}", str(sys.modules["__main__"].__doc__).strip())
    given = settings.parse_arguments(arguments)
    if "input" in given and "input" not in options_class.model_fields:
        words = " ".join(given["input"])
        raise ValueError(f"do not know what to do with {words}; settings look like --section.key value")
    return given


def _exit(module: str, work: Callable[[], int]) -> NoReturn:
    project = module.split(".")[1]
    try:
        code = work()
        sys.stdout.flush()
    except (ValueError, OSError) as error:
        if os.environ.get("TRACEBACK"):  # for the one who works on the code
            raise
        print(f"{project}: {_sentence(error)}", file=sys.stderr)
        code = MISTAKE
    except KeyboardInterrupt:
        code = INTERRUPTED
    raise SystemExit(code)


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return " ".join(str(error).split("\n"))


def _short(path: Path) -> str:
    """The path as seen from here, where that is shorter."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def show(values: Mapping[str, float]) -> str:
    """`accuracy 0.912  macro_f1 0.905`"""
    return "  ".join(f"{name} {value:.3f}" for name, value in values.items())


def picture_files(folder: Path, inputs: Sequence[Path]) -> list[Path]:
    """Where the picture of every input goes: into a folder, which is made. Raises ValueError if an input lies there."""
    if folder.resolve() in {place for path in inputs for place in (path.parent.resolve(), path.resolve().parent)}:
        raise ValueError(f"{folder} holds what is to be read; name another folder with --overlay")
    folder.mkdir(parents=True, exist_ok=True)
    several = len(inputs) > 1
    return [folder / f"{path.stem or 'photo'}{f'-{n}' if several else ''}.png" for n, path in enumerate(inputs)]


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
            problems.append(str(error))
            continue
        yield number, item, value
    for problem in problems:
        print(f"{project}: left out: {problem}", file=sys.stderr)
    if len(problems) == len(items):
        raise ValueError("none of the files could be read")
