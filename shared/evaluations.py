"""Evaluations of a run, on its own test set or on other data: numbers, predictions and a report in a folder."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from shared.config import EvaluateOptions, to_yaml
from shared.files import write_csv, write_json, write_text
from shared.runs import Run


def evaluate_run(project: str, run: Run, options: EvaluateOptions, folder: Path) -> Path:
    """Score a run; write evaluation.json, predictions.csv and report.html into a folder; return the report's path."""
    from shared.data.provenance import Provenance
    from shared.evaluation.report import write_report

    modules = {name: import_module(f"projects.{project}.{name}") for name in ("evaluate", "predictor", "report")}
    evaluate, predictor = modules["evaluate"], modules["predictor"].Predictor.load(run.model_file)
    result = evaluate.evaluate(predictor, options, Provenance.load(run.folder))
    metric, direction = evaluate.HEADLINE
    if metric not in result.numbers["metrics"]:  # data without what it needs
        metric = next(iter(result.numbers["metrics"]))
    data: Any = getattr(options, "data", None)
    place = {
        "source": getattr(data, "source", project),
        "root": str(data.root) if getattr(data, "root", None) else None,
    }
    numbers = {
        "project": project,
        "run": run.name,
        **result.numbers,
        "data": {**place, **result.numbers["data"]},
        "headline": {"metric": metric, "direction": direction},
    }
    write_json(folder / "evaluation.json", numbers)
    write_csv(folder / "predictions.csv", result.predictions)
    report = modules["report"].report(predictor, result, run)
    if place["source"] == "sample":
        report.title += " (the embedded sample)"
    note = result.seen.sentence(getattr(evaluate, "ITEMS", "items"))
    path = write_report(folder, run, report, f"{run.name} · {result.summary}", note)
    print("\n".join([result.summary, *_table(report.title, numbers), *filter(None, [report.lead, note])]))
    if options.json_file:
        write_json(options.json_file, numbers)
    return path


def _table(title: str, numbers: Mapping[str, Any]) -> list[str]:
    """The metrics, with their intervals, above those of the baselines."""
    rows = {"model": numbers["metrics"], **numbers["baselines"]}
    width = max(map(len, rows)) + 2
    lines = [f"  {name:<{width}}{show(values)}" for name, values in rows.items()]
    intervals = ", ".join(f"{name} {low:.3f} - {high:.3f}" for name, (low, high) in numbers["intervals"].items())
    return [title, *lines, *([f"  95 % intervals: {intervals}"] if intervals else [])]


def show(values: Mapping[str, float]) -> str:
    """`accuracy 0.912  macro_f1 0.905`"""
    return "  ".join(f"{name} {value:.3f}" for name, value in values.items())


def is_test_set_of(options: EvaluateOptions, own: Mapping[str, Any]) -> bool:
    """Whether these options mean a run's own test set (where decoded data are cached does not matter)."""
    for name, values in own.items():
        section = getattr(options, name)
        mine = type(section).model_validate(values)
        if "cache" in type(section).model_fields:
            mine = mine.model_copy(update={"cache": section.cache})
        if name != "evaluation" and section != mine:
            return False
    return True


def evaluation_folder(run: Run, options: EvaluateOptions) -> Path:
    """`evaluations/<name>` in the run; by default a name that no other data or settings have taken."""
    data: Any = getattr(options, "data", None)
    root = getattr(data, "root", None)
    parts = [getattr(data, "source", "data"), root.name.split(".")[0] if root else "", getattr(data, "split", "")]
    name = options.name or "-".join(part for part in parts if part)
    asked = to_yaml(options.model_copy(update={"json_file": None}))
    for number in range(1, 1000):
        folder = run.output / "evaluations" / (name if number == 1 else f"{name}-{number}")
        about = folder / "options.yaml"
        if options.name or not about.is_file() or about.read_text(encoding="utf-8") == asked:
            write_text(about, asked)
            return folder
    raise ValueError(f"there are 1000 evaluations called {name} in {run.output}; name this one with --name")
