"""The promises of stockprice, kept on the real command line with a small network and a short walk."""

import json
import os
import re
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from projects.stockprice import baselines
from projects.stockprice.backtest import backtest
from projects.stockprice.calibration import COVERAGES, LEAST, recalibrated, return_quantiles
from projects.stockprice.config import Config, DataConfig, ModelConfig
from projects.stockprice.data import PriceData, Refit, Series
from projects.stockprice.evaluate import evaluate, refuse_what_was_seen
from projects.stockprice.metrics import block_interval, diebold_mariano, interval_score, qlike
from projects.stockprice.model import Forecasters
from projects.stockprice.predict import Predictor
from projects.stockprice.predictor import Fitted, Predictor
from projects.stockprice.sources import check, index_prices, load_prices, read_prices
from projects.stockprice.tasks import TASKS
from projects.stockprice.train import day_loss
from shared.compute.device import seed_everything
from shared.config import load, parse_arguments
from shared.data.loader import Item
from shared.runs import Run
from tests.conftest import ROOT, CommandLine, kill_and_resume, one_and_two_processes, train_once

TRAIN, EVALUATE, PREDICT = (f"projects.stockprice.{name}" for name in ("train", "evaluate", "predict"))
RECIPE = ROOT / "configs/stockprice/volatility.yaml"


def tiny(*more: str) -> list[str]:
    """Settings of a training that takes seconds."""
    return [
        "--data.start=2012-01-01",
        "--data.test_start=2017-07-01",
        "--model.hidden_size=4",
        "--model.window=10",
        "--model.ensemble_size=2",
        "--training.epochs=2",
        "--training.precision=fp32",
        "--training.device=cpu",
        "--evaluation.bootstrap=100",
        *more,
    ]


def settings(*more: str) -> Config:
    return load(Config, parse_arguments(tiny(*more)))


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `python -m projects.stockprice.train` was run once; its output is in `output.txt`."""
    folder = tmp_path_factory.mktemp("stockprice")
    return train_once(TRAIN, tiny(), folder)


@pytest.fixture(scope="session")
def run_folder(finished: Path) -> Path:
    (folder,) = (finished / "runs" / "stockprice").iterdir()
    return folder


@pytest.fixture(scope="session")
def model(run_folder: Path) -> Predictor:
    return Predictor.load(run_folder / "model.safetensors")


@pytest.fixture(scope="session")
def prices() -> pd.DataFrame:
    return index_prices("sp500")


@pytest.fixture(scope="session")
def series(prices: pd.DataFrame) -> Series:
    return Series.from_prices("sp500", prices, 250)


def walk_of(seed: int = 0, days: int = 500) -> pd.DataFrame:
    """Prices of a random walk."""
    generator = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(generator.normal(0, 0.01, days)))
    start = np.roll(close, 1)
    start[0] = 100
    high, low = np.maximum(start, close) * 1.004, np.minimum(start, close) * 0.996
    index = pd.bdate_range("2015-01-01", periods=days, name="date")
    return pd.DataFrame({"open": start, "high": high, "low": low, "close": close, "volume": 1.0}, index=index)


# --- training


def test_training_ends_with_the_place_of_its_report(finished: Path, run_folder: Path) -> None:
    last = (finished / "output.txt").read_text().splitlines()[-1]
    assert last == f"report: {(run_folder / 'report.html').relative_to(finished)}"
    files = {path.name for path in run_folder.iterdir()}
    assert {"config.yaml", "environment.json", "model.safetensors", "evaluation.json", "report.html"} <= files


def test_the_losses_of_the_command_line_are_these(run_folder: Path) -> None:
    golden = [1.28679, 0.767443]
    history = Run(run_folder).stage("2017-07-01").history()
    assert [row["train_loss"] for row in history] == pytest.approx(golden, rel=0.01)


def test_one_batch_can_be_memorised() -> None:
    seed_everything(0)
    config = settings("--model.hidden_size=32", "--model.ensemble_size=1", "--loss=mse")
    data = PriceData(config.data, config.model.window)
    windows, targets, levels = data.windows("variance", data.refits[0], "train", 0.15).everything()
    batch = windows[:16], targets[:16], levels[:16]
    network = Forecasters(config.model)
    optimizer = torch.optim.AdamW(network.parameters(), 2e-2)
    for _ in range(300):
        loss = day_loss(network(batch[0]), batch[1], batch[2], config)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    assert loss.item() < 0.05


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")
def test_killed_run_resumes_to_the_same_weights(tmp_path: Path, run_folder: Path, command: CommandLine) -> None:
    killed = kill_and_resume(TRAIN, tiny("--training.checkpoint_minutes=0"), tmp_path, command, "2018-01-01", epoch=0)
    a, b = (Predictor.load(folder / "model.safetensors") for folder in (killed, run_folder))
    for one, other in zip(a.fitted, b.fitted, strict=True):
        assert all(torch.equal(p, q) for p, q in zip(one.networks.parameters(), other.networks.parameters()))


@pytest.mark.skipif(os.name == "nt", reason="gloo and signals differ on Windows")
def test_two_processes_train_to_the_weights_of_one(tmp_path: Path) -> None:
    words = tiny("--evaluation.refit=never", "--training.epochs=1", "--data.test_start=2018-07-01")
    one, two = (Predictor.load(run.model_file) for run in one_and_two_processes(TRAIN, words, tmp_path, 29779))
    for p, q in zip(one.fitted[0].networks.parameters(), two.fitted[0].networks.parameters()):
        torch.testing.assert_close(p, q, atol=1e-5, rtol=1e-4)


# --- nothing looks ahead


@pytest.mark.parametrize("task", ["price", "volatility", "interval"])
def test_another_future_changes_no_forecast(model: Predictor, prices: pd.DataFrame, task: str) -> None:
    until = 4800
    other = prices.copy()
    other.iloc[until:, :4] *= np.random.default_rng(0).uniform(0.5, 2, (len(prices) - until, 1))
    one, two = (Series.from_prices("x", frame, 250) for frame in (prices, other))
    origins = np.arange(4600, until)
    if task == "price":
        price = settings("--task=price")
        model = Predictor(price, [Fitted(one.days[4500], Forecasters(price.model).eval())], None)
    if task == "interval":
        assert np.array_equal(model.quantiles(one, origins), model.quantiles(two, origins))
    assert np.array_equal(model.forecast(one, origins), model.forecast(two, origins))
    for name, rule in TASKS[task].rules.items():
        refits = [Refit(one.days[4500], one.days[4500]), Refit(one.days[until], one.days[until])]  # the last day's own
        a, b = (TASKS[task].walk(s, origins, refits, rule) for s in (one, two))
        assert not np.isnan(a).any()
        np.testing.assert_allclose(a, b, rtol=1e-9, err_msg=name)


def test_a_refit_sees_only_the_days_before_it() -> None:
    config = settings()
    data = PriceData(config.data, config.model.window)
    (one,) = data.series
    for refit in data.refits:
        train, validation = (
            data.windows("variance", refit, part, 0.15).positions[:, 1] for part in ("train", "validation")
        )
        assert one.days[train + 1].max() < refit.known
        assert one.days[validation + 1].max() < refit.known
        assert not set(train) & set(validation)
    forecast = one.days[data.test_origins(one) + 1]
    assert forecast.min() >= np.datetime64("2017-07-01")
    for until in ("2018-01-20", "2018-02-01"):  # within the month of a refit, and after it
        assert data_until(until).refits[-1].since == np.datetime64("2018-01-01")


def data_until(day: str) -> PriceData:
    config = settings(f"--data.test_end={day}")
    return PriceData(config.data, config.model.window)


def test_a_ticker_that_is_learned_from_too_is_not_forecast_and_not_ahead() -> None:
    config = settings("--data.auxiliary_tickers=[nasdaq]")
    data = PriceData(config.data, config.model.window)
    assert [series.name for series in data.series] == ["sp500"]
    train, validation = (data.windows("variance", data.refits[0], part, 0.15) for part in ("train", "validation"))
    assert [series.name for series in train.series] == ["sp500", "nasdaq"]
    assert set(train.positions[:, 0]) == {0, 1}
    assert set(validation.positions[:, 0]) == {0}
    for number, origin in train.positions:
        assert train.series[number].days[origin + 1] < data.refits[0].known
    for wrong in ("--data.auxiliary_tickers=[sp500]", "--data.auxiliary_tickers=[dax]"):
        with pytest.raises(ValueError, match=r"data\.also"):
            PriceData(settings(wrong).data, config.model.window)


def test_a_day_is_in_the_same_part_for_every_ticker(tmp_path: Path) -> None:
    walk_of(days=900).to_csv(tmp_path / "early.csv")
    walk_of(seed=1, days=900)[300:].to_csv(tmp_path / "late.csv")
    data = PriceData(DataConfig(source="csv", root=tmp_path, level=60, test_start=date(2018, 1, 1)), 10)
    days = {}
    for part in ("train", "validation"):
        windows = data.windows("variance", data.refits[0], part, 0.15)
        days[part] = {windows.series[number].days[origin + 1] for number, origin in windows.positions}
        assert set(windows.positions[:, 0]) == {0, 1}
    assert not days["train"] & days["validation"]


def test_a_window_ends_with_the_day_it_is_asked_from() -> None:
    config = settings()
    data = PriceData(config.data, config.model.window)
    windows = data.windows("variance", data.refits[0], "train", 0.15)
    (batch, targets, levels), (_, origin) = windows.__getitems__([Item(3, 0)]), windows.positions[3]
    one = data.series[0]
    assert np.array_equal(batch[0, -1].numpy(), one.features[origin])
    assert float(targets[0]) == pytest.approx(np.log(one.variance[origin + 1]), rel=1e-6)
    assert float(levels[0]) == pytest.approx(one.level[origin], rel=1e-6)


# --- prices


def test_columns_are_recognised_in_any_order_and_case(tmp_path: Path) -> None:
    frame = walk_of(days=100)
    renamed = frame.reset_index()[["close", "date", "high", "open", "low"]].rename(columns=str.upper)
    renamed.to_csv(tmp_path / "a.csv", index=False)
    read = read_prices(tmp_path / "a.csv")
    np.testing.assert_allclose(read["close"], frame["close"])
    frame.reset_index().rename(columns={"close": "last"}).to_csv(tmp_path / "b.csv", index=False)
    with pytest.raises(ValueError, match="has no column close; its columns are date, open, high, low, last"):
        read_prices(tmp_path / "b.csv")
    assert len(read_prices(tmp_path / "b.csv", {"close": "last"})) == 100


def test_commas_divide_thousands_or_are_refused(tmp_path: Path) -> None:
    frame = walk_of(days=100) * 100
    frame.round(2).map("{:,.2f}".format).to_csv(tmp_path / "a.csv")
    np.testing.assert_allclose(read_prices(tmp_path / "a.csv")["close"], frame["close"].round(2))
    for number in ("2506,85", "2.506,85"):
        frame.map(lambda _, n=number: n).to_csv(tmp_path / "b.csv")
        with pytest.raises(ValueError, match=f"{re.escape(number)} has a comma that does not divide thousands"):
            read_prices(tmp_path / "b.csv")


def test_prices_that_cannot_be_trusted_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    good = walk_of(days=200)
    for change, reason in (
        (lambda f: pd.concat([f, f.iloc[5:6]]), "two rows for 2015-01-08"),
        (lambda f: f.assign(close=np.nan), "no day with all four prices"),
        (lambda f: f.assign(low=f["low"].where(f.index != f.index[7], -1.0)), "price of zero or less on 2015-01-12"),
        (lambda f: f.assign(high=f["low"] * 0.9), "open or close lie outside low and high"),
        (lambda f: f.resample("D").ffill(), "repeat Friday's price"),
        (lambda f: f.assign(open=f["close"], high=f["close"], low=f["close"]), "no range between low and high"),
        (lambda f: f.iloc[::5], "a row every 7 days; these are not daily prices"),
    ):
        with pytest.raises(ValueError, match=reason):
            check(change(good), "x")
    assert check(good.iloc[::-1], "x").index.is_monotonic_increasing
    assert len(check(good.assign(high=good["high"].where(good.index != good.index[7], np.inf)), "endless")) == 199
    check(good.drop(good.index[50:70]), "gap")
    holidays = good.copy()
    holidays.iloc[[50, 51, 90], :4] = holidays["close"].iloc[[49, 49, 89]].to_numpy()[:, None]
    assert check(holidays, "filled").equals(good.drop(good.index[[50, 51, 90]]))
    old = good.copy()
    old.iloc[:3, :4] = 100.0
    assert len(check(old, "old")) == 197
    halved = good.copy()
    halved.iloc[100:, :4] /= 2
    check(halved, "split")
    said = capsys.readouterr().out
    for part in (
        "not in order",
        "gap: nothing for",
        "filled: 3 days that only repeat the last close are left out",
        "old: the first 3 days have no range",
        "a split not adjusted for?",
    ):
        assert part in said


def test_mistakes_are_one_sentence_and_leave_no_run(tmp_path: Path, command: CommandLine) -> None:
    walk_of(days=90).to_csv(tmp_path / "short.csv")
    for arguments, reason in (
        (["--data.source", "csv", "--data.root", "none.csv"], "there is no file or folder none.csv"),
        (["--data.source", "csv", "--data.root", "short.csv"], "short is too short: 90 days"),
        (["--config", RECIPE, "--data.source", "csv", "--data.root", "short.csv"], "short is too short: 90 days"),
        (["--data.test_start", "1999-12-01"], "sp500 has 230 days before 1999-12-01 to fit on, 250 are needed"),
        (["--data.test_start", "2030-01-01"], "there is no day to forecast from 2030-01-01 on"),
        (["--data.root", "short.csv"], "say what they are with --data.source"),
        (["--data.tickers", "[AAPL]"], "are for other prices; name --data.source csv"),
    ):
        answer = command(TRAIN, *arguments)
        assert answer.returncode == 2, answer.stdout
        assert answer.stderr.splitlines()[-1].startswith("stockprice: ")
        assert reason in answer.stderr
        assert "Traceback" not in answer.stderr
        assert not list(tmp_path.glob("runs/stockprice/*"))


def test_a_ticker_may_have_a_point_in_its_name(tmp_path: Path) -> None:
    for name in ("BRK.A", "BRK.B"):
        walk_of(days=400).to_csv(tmp_path / f"{name}.csv")
    (tmp_path / "BRK.B.csv").rename(tmp_path / "BRK.B.CSV")
    (tmp_path / "._BRK.B.CSV").write_bytes(b"\x00\xff")  # what a Mac leaves beside a file
    assert set(load_prices(DataConfig(source="csv", root=tmp_path))) == {"BRK.A", "BRK.B"}


def test_yahoo_says_what_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yfinance", None)
    with pytest.raises(ValueError, match=r"pip install -e '\.\[yahoo\]'"):
        PriceData(DataConfig(source="yahoo", tickers=["SPY"], root=tmp_path), 10)


# --- numbers


def test_qlike_is_least_at_the_truth() -> None:
    truth = np.array([1.0, 2.0])
    assert qlike(truth, truth).tolist() == [0, 0]
    assert (qlike(truth, truth * 0.5) > qlike(truth, truth * 2)).all()  # too low costs more than too high


def test_diebold_mariano_knows_noise_from_skill() -> None:
    generator = np.random.default_rng(0)
    losses = generator.exponential(size=1000)
    assert diebold_mariano(losses, losses) == (0, 1)
    assert diebold_mariano(losses, losses + generator.normal(0.3, 1, 1000))[1] < 1e-6
    p = [diebold_mariano(generator.exponential(size=200), generator.exponential(size=200))[1] for _ in range(400)]
    assert 0.02 < np.mean(np.array(p) < 0.05) < 0.09


def test_block_intervals_hold_the_mean() -> None:
    low, high = block_interval(np.random.default_rng(0).normal(1, 1, 2000), lambda v: float(v.mean()), 300)
    assert 0.9 < low < 1 < high < 1.1


def test_a_day_outside_an_interval_is_fined() -> None:
    scores = interval_score(np.array([0.0, 2.0]), np.array([-1.0, -1.0]), np.array([1.0, 1.0]), 0.9)
    assert scores == pytest.approx([2, 2 + 20])


def test_baselines_find_what_is_there() -> None:
    frame = walk_of(days=1500)
    one = Series.from_prices("x", frame, 120)
    origins, refits = np.arange(1000, 1499), [Refit(one.days[1000], one.days[1000])]
    assert baselines.walk(one, origins, refits, baselines.naive).tolist() == [0] * len(origins)
    drift = baselines.walk(one, origins, refits, baselines.drift)
    assert drift[0] == pytest.approx(one.returns[1:1000].mean())
    constant = baselines.walk(one, origins, refits, baselines.constant_variance)
    assert (constant == constant[0]).all()
    assert np.isnan(
        baselines.walk(one, origins, [Refit(one.days[100], one.days[100])], baselines.har)
    ).all()  # too few days before


def test_every_evening_forecasts_are_held_against_the_days_before() -> None:
    generator = np.random.default_rng(0)
    variance = generator.exponential(size=3000) * np.where(np.arange(3000) < 1500, 1.0, 4.0)  # the market changes
    forecast = recalibrated(np.full(3000, 7.0), variance)  # a rule that is wrong by a factor, and stays as it is
    assert np.isnan(forecast[:LEAST]).all()
    assert forecast[1000:1500].mean() == pytest.approx(1, rel=0.1)
    assert forecast[2200:].mean() == pytest.approx(4, rel=0.1)
    returns = generator.standard_t(4, 3000) * np.sqrt(variance)
    quantiles = return_quantiles(forecast, returns)[2200:]
    for name, (low, high) in COVERAGES.items():
        inside = (returns[2200:] >= quantiles[:, low]) & (returns[2200:] <= quantiles[:, high])
        assert inside.mean() == pytest.approx(int(name) / 100, abs=0.04)


def test_trading_pays_its_costs_and_fills_at_the_next_open(series: Series) -> None:
    origins = np.arange(3000, 3200)
    always = backtest(series, origins, np.ones(200), cost=0)
    np.testing.assert_allclose(always.returns, always.holding)
    assert always.holding[0] == pytest.approx(np.log(series.open[3002] / series.open[3001]))
    nervous = np.where(np.arange(200) % 2, 1.0, -1.0)
    free, dear = (backtest(series, origins, nervous, cost) for cost in (0, 10))
    assert free.trades == 199
    assert (free.returns.sum() - dear.returns.sum()) == pytest.approx(199 * 10 / 1e4)


# --- evaluation and prediction


def test_evaluation_json_has_the_shape_of_all_projects(run_folder: Path) -> None:
    numbers = json.loads((run_folder / "evaluation.json").read_text())
    assert list(numbers) == ["project", "run", "data", "metrics", "intervals", "baselines"]
    assert list(numbers["data"]) == ["source", "root", "split", "n"]
    low, high = numbers["intervals"]["qlike"]
    assert low <= numbers["metrics"]["qlike"] <= high
    assert {"naive", "garch", "har", "log_har"} <= set(numbers["baselines"])


def test_the_report_says_in_words_who_wins_and_needs_nothing_but_itself(run_folder: Path) -> None:
    page = (run_folder / "report.html").read_text()
    assert "embedded sample" in page.split("</title>")[0]
    lead = page.split('<p class="lead">')[1].split("</p>")[0]
    assert "the LSTM" in lead
    assert "Diebold-Mariano p " in lead
    assert page.count("data:image/png;base64,") >= 3
    assert 'src="http' not in page


@pytest.mark.parametrize(("task", "metric"), [("price", "rmse"), ("interval", "interval_score")])
def test_the_other_tasks_are_scored_too(task: str, metric: str, tmp_path: Path, command: CommandLine) -> None:
    more = ["--task", task, "--evaluation.refit", "never", "--training.epochs", "1"]
    more += ["--tutorial", "true", "--data.start", "2015-01-01"] if task == "price" else []
    answer = command(TRAIN, *tiny(), *more)
    assert answer.returncode == 0, answer.stderr
    numbers = json.loads(next(iter(tmp_path.glob("runs/*/*/evaluation.json"))).read_text())
    assert next(iter(numbers["metrics"])) == metric
    page = next(iter(tmp_path.glob("runs/*/*/report.html"))).read_text()
    if task == "price":
        assert numbers["baselines"]["tutorial"]["rmse"] > 1.5 * numbers["baselines"]["naive"]["rmse"]
        assert "The exhibit" in page
        assert "Would it have paid?" in page
    else:
        assert 0.6 < numbers["metrics"]["coverage_90"] <= 1
        assert "inside the 90 % interval" in page


def test_a_finished_run_scores_any_other_prices(run_folder: Path, tmp_path: Path, command: CommandLine) -> None:
    walk_of(days=700).to_csv(tmp_path / "other.csv")
    words = ["--run", run_folder, "--data.source", "csv", "--data.root", "other.csv", "--data.split", "all"]
    answer = command(EVALUATE, *words, "--json", "out.json")
    assert answer.returncode == 0, answer.stderr
    numbers = json.loads((tmp_path / "out.json").read_text())
    assert numbers["data"]["split"] == "all"
    assert numbers["data"]["n"] > 300
    assert numbers["metrics"]["qlike"] < 1
    assert command(EVALUATE, *words, "--evaluation.refit", "never").returncode == 0


def test_where_learning_ended_is_no_limit_for_other_prices(model: Predictor, run_folder: Path, tmp_path: Path) -> None:
    walk_of(days=700).to_csv(tmp_path / "other.csv")
    until = {"train_end": date(2010, 12, 31)}
    older = replace(model, config=model.config.model_copy(update={"data": model.config.data.model_copy(update=until)}))
    other = older.config.data.model_copy(update={"source": "csv", "root": tmp_path / "other.csv", "split": "all"})
    found = evaluate(Run(run_folder), older, other.model_copy(update={"also": ()}), older.config.evaluation)
    assert set(found.numbers["baselines"]) == set(TASKS["volatility"].rules)


def test_other_tickers_of_the_same_folder_are_other_prices(model: Predictor) -> None:
    own = {"source": "csv", "root": Path("prices"), "tickers": ["A", "B"]}
    trained = model.config.model_copy(update={"data": model.config.data.model_copy(update=own)})
    asked = trained.data.model_copy(update={"split": "all", "tickers": ["C"]})
    refuse_what_was_seen(replace(model, config=trained), asked, trained.evaluation)
    with pytest.raises(ValueError, match="that the networks were trained on"):
        again = asked.model_copy(update={"tickers": ["B", "C"]})
        refuse_what_was_seen(replace(model, config=trained), again, trained.evaluation)


def test_a_finished_run_is_not_scored_on_what_it_was_trained_on(run_folder: Path, command: CommandLine) -> None:
    for more, reason in (
        (["--data.split", "all"], "score the days that the networks were trained on"),
        (["--data.test_start", "2016-01-01"], "data.test_start lies before 2017-07-01"),
        (["--evaluation.refit", "never"], "evaluation.refit must be that of the run"),
        (["--data.train_end", "2016-01-01"], "data.train_end must be that of the run"),
    ):
        answer = command(EVALUATE, "--run", run_folder, *more)
        assert answer.returncode == 2, answer.stdout
        assert reason in answer.stderr
        assert "Traceback" not in answer.stderr


def test_tomorrow_is_a_sentence_with_an_interval_and_no_advice(
    run_folder: Path, model: Predictor, tmp_path: Path, command: CommandLine
) -> None:
    frame = walk_of(days=400)
    frame.to_csv(tmp_path / "mine.csv")
    answer = command(PREDICT, "mine.csv", "--run", run_folder, "--json", "answer.json", "--picture", "fan.png")
    assert answer.returncode == 0, answer.stderr
    assert "in 9 of 10 cases" in answer.stdout
    assert "No advice" in answer.stdout
    said = json.loads((tmp_path / "answer.json").read_text())
    low, high = said["intervals"]["90"]
    assert said["intervals"]["95"][0] < low < said["close"] < high < said["intervals"]["95"][1]
    assert (tmp_path / "fan.png").stat().st_size > 5000

    # training and prediction see the same: the forecast of the last day is that of the evaluation
    one = Series.from_prices("mine", frame, model.config.model.volatility_window)
    last = np.array([len(frame) - 2])
    shorter = Predictor(model)("mine", frame.iloc[:-1])
    assert shorter.volatility == pytest.approx(
        float(np.sqrt(252 * model.forecast(one, last, latest=True)[0])), rel=1e-6
    )
    refused = command(PREDICT, "none.csv", "--run", run_folder)
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1


def test_the_shortest_file_that_is_taken_has_an_answer(model: Predictor) -> None:
    predictor = Predictor(model)
    enough = 60 + model.config.model.window + 2 * LEAST
    assert np.isfinite(predictor("x", walk_of(days=enough)).intervals["95"]).all()
    with pytest.raises(ValueError, match=f"x is too short: {enough - 1} days, but {enough} are needed"):
        predictor("x", walk_of(days=enough - 1))


def test_forecasts_do_not_depend_on_the_currency(model: Predictor, prices: pd.DataFrame) -> None:
    origins = np.arange(4500, 4600)
    other = prices.copy()
    other.iloc[:, :4] *= 110.0
    a, b = (model.forecast(Series.from_prices("x", frame, 250), origins) for frame in (prices, other))
    np.testing.assert_allclose(a, b, rtol=1e-4)


def test_the_network_is_what_its_settings_say() -> None:
    network = Forecasters(ModelConfig(size=5, layers=2, seeds=4))
    assert network(torch.zeros(3, 22, 5)).shape == (3, 4)
    recurrent = [module for module in network.modules() if isinstance(module, torch.nn.LSTM)]
    assert {(lstm.hidden_size, lstm.num_layers) for lstm in recurrent} == {(5, 2)}
