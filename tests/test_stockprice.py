"""stockprice on the real command line, with small networks and few refits."""

import csv
import json
import os
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
from projects.stockprice.baselines import from_every_day, pooled_forecasts
from projects.stockprice.calibration import COVERAGES, MIN_DAYS, recalibrated, return_quantiles
from projects.stockprice.cleaning import clean
from projects.stockprice.config import Config, DataConfig, EvaluateOptions, ForecastTraining, ModelConfig, PriceTable
from projects.stockprice.data import PriceData, Refit, Windows, prepared
from projects.stockprice.evaluate import Evaluation, evaluate
from projects.stockprice.features import market_columns, with_market
from projects.stockprice.metrics import interval_score, qlike
from projects.stockprice.model import Ensemble
from projects.stockprice.predictor import FittedEnsemble, Predictor, amount
from projects.stockprice.record import Record
from projects.stockprice.series import Series
from projects.stockprice.significance import block_interval, diebold_mariano
from projects.stockprice.sources import AUTO, index_prices, load_prices, read_prices
from projects.stockprice.tasks import TASKS
from projects.stockprice.train import forecast_loss
from shared.compute.device import seed_everything
from shared.config import load, parse_arguments
from shared.data.loader import Item
from shared.data.provenance import Provenance
from shared.runs import Run
from tests.conftest import ROOT, CommandLine, one_and_two_processes, train_once

TRAIN, EVALUATE, PREDICT = (f"projects.stockprice.{name}" for name in ("train", "evaluate", "predict"))
VOLATILITY = ROOT / "configs/stockprice/volatility.yaml"


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


def price_data(*more: str) -> PriceData:
    config = settings(*more)
    return PriceData(config.data, config.model, config.training)


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
def predictor(run_folder: Path) -> Predictor:
    return Predictor.load(run_folder / "model.safetensors")


@pytest.fixture(scope="session")
def prices() -> pd.DataFrame:
    return index_prices("sp500")


@pytest.fixture(scope="session")
def series(prices: pd.DataFrame) -> Series:
    return Series.from_prices("sp500", prices, 250)


def random_walk(seed: int = 0, days: int = 500) -> pd.DataFrame:
    """Prices of a random walk."""
    generator = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(generator.normal(0, 0.01, days)))
    start = np.roll(close, 1)
    start[0] = 100
    high, low = np.maximum(start, close) * 1.004, np.minimum(start, close) * 0.996
    index = pd.bdate_range("2015-01-01", periods=days, name="date")
    return pd.DataFrame({"open": start, "high": high, "low": low, "close": close, "volume": 1.0}, index=index)


# --- training


def test_training_losses_match_golden_values(run_folder: Path) -> None:
    golden = [1.6817, 0.78373]
    history = Run(run_folder).stage("2017-07-01").history()
    assert [row["train_loss"] for row in history] == pytest.approx(golden, rel=0.01)


def test_the_network_overfits_one_batch_with_squared_error() -> None:
    seed_everything(0)
    config = settings("--model.hidden_size=32", "--model.ensemble_size=1", "--loss=mse")
    data = PriceData(config.data, config.model, config.training)
    windows, targets, levels = data.windows("variance", data.refits[0], "train").everything()
    batch = windows[:16], targets[:16], levels[:16]
    network = Ensemble(config.model)
    optimizer = torch.optim.AdamW(network.parameters(), 2e-2)
    for _ in range(300):
        loss = forecast_loss(network(batch[0]), batch[1], batch[2], config)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    assert loss.item() < 0.05


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="gloo and signals differ on Windows")
def test_two_processes_train_to_the_weights_of_one(tmp_path: Path) -> None:
    words = tiny("--training.refit=never", "--training.epochs=1", "--data.test_start=2018-07-01")
    one, two = (Predictor.load(run.model_file) for run in one_and_two_processes(TRAIN, words, tmp_path))
    for p, q in zip(one.refits[0].networks.parameters(), two.refits[0].networks.parameters()):
        torch.testing.assert_close(p, q, atol=1e-5, rtol=1e-4)


# --- no look-ahead bias


@pytest.mark.parametrize("task", ["price", "volatility", "interval"])
def test_another_future_changes_no_forecast(predictor: Predictor, prices: pd.DataFrame, task: str) -> None:
    until = 4800
    other = prices.copy()
    other.iloc[until:, :4] *= np.random.default_rng(0).uniform(0.5, 2, (len(prices) - until, 1))
    one, two = (Series.from_prices("x", frame, 250) for frame in (prices, other))
    origins = np.arange(4600, until)
    if task == "price":
        price = settings("--task=price")
        predictor = Predictor(price, [FittedEnsemble(one.days[4500], Ensemble(price.model).eval())])
    own = {"price": predictor.returns, "interval": predictor.quantiles}.get(task, predictor.forecast)
    assert np.array_equal(own(one, origins), own(two, origins))
    refits = [Refit(one.days[4500], one.days[4500]), Refit(one.days[until], one.days[until])]  # the last day's own
    forecasts = [
        {name: from_every_day(s, refits, baseline) for name, baseline in TASKS[task].baselines.items()}
        | {name: pooled_forecasts([s], refits, fit)["x"] for name, fit in TASKS[task].pooled.items()}
        for s in (one, two)
    ]
    for name in forecasts[0]:
        a, b = (TASKS[task].calibrated(found[name], s, 1)[origins] for found, s in zip(forecasts, (one, two)))
        assert not np.isnan(a).any()
        np.testing.assert_allclose(a, b, rtol=1e-9, err_msg=name)


def test_a_refit_is_trained_only_on_the_days_before_it() -> None:
    data = price_data()
    (one,) = data.series
    for refit in data.refits:
        train, validation = (data.windows("variance", refit, part).positions[:, 1] for part in ("train", "validation"))
        assert one.days[train + 1].max() < refit.known
        assert one.days[validation + 1].max() < refit.known
        assert not set(train) & set(validation)
    forecast = one.days[data.test_origins(one) + 1]
    assert forecast.min() >= np.datetime64("2017-07-01")
    for end in ("2018-01-20", "2018-02-01"):  # within the month of a refit, and after it
        assert price_data(f"--data.test_end={end}").refits[-1].since == np.datetime64("2018-01-01")


def test_an_auxiliary_ticker_is_in_the_training_set_only_and_without_look_ahead() -> None:
    data = price_data("--data.auxiliary_tickers=[nasdaq]")
    assert [series.name for series in data.series] == ["sp500"]
    train, validation = (data.windows("variance", data.refits[0], part) for part in ("train", "validation"))
    assert [series.name for series in train.series] == ["sp500", "nasdaq"]
    assert set(train.positions[:, 0]) == {0, 1}
    assert set(validation.positions[:, 0]) == {0}
    for number, origin in train.positions:
        assert train.series[number].days[origin + 1] < data.refits[0].known
    for wrong in ("--data.auxiliary_tickers=[sp500]", "--data.auxiliary_tickers=[dax]"):
        with pytest.raises(ValueError, match=r"data\.auxiliary_tickers"):
            price_data(wrong)


def test_a_day_is_in_the_same_set_for_every_ticker(tmp_path: Path) -> None:
    random_walk(days=900).to_csv(tmp_path / "early.csv")
    random_walk(seed=1, days=900)[300:].to_csv(tmp_path / "late.csv")
    config = DataConfig(source="csv", root=tmp_path, test_start=date(2018, 1, 1))
    data = PriceData(config, ModelConfig(volatility_window=60, window=10), ForecastTraining())
    days = {}
    for part in ("train", "validation"):
        windows = data.windows("variance", data.refits[0], part)
        days[part] = {windows.series[number].days[origin + 1] for number, origin in windows.positions}
        assert set(windows.positions[:, 0]) == {0, 1}
    assert not days["train"] & days["validation"]


@pytest.mark.parametrize("days", [500, 2000])
def test_no_target_of_several_days_spans_training_and_validation_set(days: int, tmp_path: Path) -> None:
    random_walk(days=days).to_csv(tmp_path / "one.csv")
    random_walk(seed=1, days=days).drop(random_walk(days=days).index[::9]).to_csv(tmp_path / "other.csv")
    model = ModelConfig(volatility_window=60, window=10, horizons=[1, 5, 22])
    data = PriceData(DataConfig(source="csv", root=tmp_path), model, ForecastTraining())
    needed: dict[str, set[np.datetime64]] = {}
    for part in ("train", "validation"):
        windows = data.windows("variance", data.refits[0], part)
        _, targets, levels = windows.everything()
        assert targets[:, 0].isfinite().all() and targets[:, 2].isfinite().any()
        assert forecast_loss(torch.zeros(len(windows), 2, 3), targets, levels, Config()).isfinite()
        needed[part] = {
            day
            for (number, t), known in zip(windows.positions, targets.isfinite().tolist())
            for ahead in np.array(model.horizons)[known]
            for day in windows.series[number].days[t + 1 : t + 1 + ahead]
        }
    assert not needed["train"] & needed["validation"]


def test_a_window_ends_with_the_last_known_day() -> None:
    data = price_data()
    windows = data.windows("variance", data.refits[0], "train")
    (batch, targets, levels), (_, origin) = windows.__getitems__([Item(3, 0)]), windows.positions[3]
    one = data.series[0]
    assert np.array_equal(batch[0, -1].numpy(), one.features[origin])
    assert float(targets[0]) == pytest.approx(np.log(one.variance[origin + 1]), rel=1e-6)
    assert float(levels[0]) == pytest.approx(one.level[origin], rel=1e-6)


# --- prices


def test_columns_are_recognised_in_any_order_and_case(tmp_path: Path) -> None:
    frame = random_walk(days=100)
    renamed = frame.reset_index()[["close", "date", "high", "open", "low"]].rename(columns=str.upper)
    renamed.to_csv(tmp_path / "a.csv", index=False)
    read = read_prices(tmp_path / "a.csv")
    np.testing.assert_allclose(read["close"], frame["close"])
    frame.reset_index().rename(columns={"close": "final", "volume": "x"}).to_csv(tmp_path / "b.csv", index=False)
    with pytest.raises(ValueError, match="has no column close; its columns are date, open, high, low, final, x"):
        read_prices(tmp_path / "b.csv")
    assert len(read_prices(tmp_path / "b.csv", PriceTable(columns={"close": "final"}))) == 100


def test_commas_are_thousands_separators_or_decimal_marks_of_all_prices_together(tmp_path: Path) -> None:
    frame = random_walk(days=100) * 100
    frame.round(2).map("{:,.2f}".format).to_csv(tmp_path / "a.csv")
    np.testing.assert_allclose(read_prices(tmp_path / "a.csv")["close"], frame["close"].round(2))
    swapped = frame.round(2).map(lambda n: f"{n:,.2f}".translate(str.maketrans(",.", ".,")))
    swapped.to_csv(tmp_path / "b.csv", sep=";")
    np.testing.assert_allclose(read_prices(tmp_path / "b.csv")["close"], frame["close"].round(2))
    frame.map(lambda _: "2,506").to_csv(tmp_path / "c.csv")
    with pytest.raises(ValueError, match=r"2,506 is 2.506 or 2506; say which with --data.decimal comma or point"):
        read_prices(tmp_path / "c.csv")


def check(frame: pd.DataFrame, name: str, record: Record | None = None, form: PriceTable = AUTO) -> pd.DataFrame:
    return clean(frame, name, form, record or Record())


def test_implausible_prices_are_refused_or_said() -> None:
    good = random_walk(days=200)
    for change, reason in (
        (lambda f: pd.concat([f, f.iloc[5:6] * 1.001]), "two rows for 2015-01-08, 100.* and 100.*; keep one"),
        (lambda f: f.assign(close=np.nan), "no day with all its prices"),
        (lambda f: f.assign(low=f["low"].where(f.index != f.index[7], -1.0)), "price of zero or less on 2015-01-12"),
        (lambda f: f.assign(high=f["low"] * 0.9), "open or close is outside low and high"),
        (lambda f: f.resample("D").ffill(), "weekends filled with Friday's price"),
        (lambda f: f.iloc[::5], r"a row every 7 days \(weekly bars\)"),
    ):
        with pytest.raises(ValueError, match=reason):
            check(change(good), "x")
    assert check(good.iloc[::-1], "x").index.is_monotonic_increasing
    assert len(check(good.assign(high=good["high"].where(good.index != good.index[7], np.inf)), "endless")) == 199
    record = Record()
    assert check(pd.concat([good, good.iloc[5:6]]), "again", record).equals(good)
    check(good.drop(good.index[50:70]), "gap", record)
    holidays = good.copy()
    holidays.iloc[[50, 51, 90], :4] = holidays["close"].iloc[[49, 49, 89]].to_numpy()[:, None]
    assert check(holidays, "filled", record).equals(good.drop(good.index[[50, 51, 90]]))
    old = good.copy()
    old.iloc[:3, :4] = 100.0
    assert len(check(old, "old", record)) == 197
    assert record.left_out == {
        "rows that repeat another one": ["again 2015-01-08"],
        "days that only repeat the last close (no trading)": [f"filled {good.index[n]:%Y-%m-%d}" for n in (50, 51, 90)],
        "first days without a range between low and high": [f"old {day:%Y-%m-%d}" for day in good.index[:3]],
    }
    assert list(record.remarks.values()) == [["again"], ["gap 29 days before 2015-04-09"]]


def test_user_errors_are_one_sentence_and_leave_no_run(tmp_path: Path, command: CommandLine) -> None:
    random_walk(days=90).to_csv(tmp_path / "short.csv")
    for arguments, reason in (
        (["--data.source", "csv", "--data.root", "none.csv"], "there is no file or folder none.csv"),
        (["--data.source", "csv", "--data.root", "short.csv"], "short is too short: 90 days"),
        (["--config", VOLATILITY, "--data.source", "csv", "--data.root", "short.csv"], "short is too short: 90 days"),
        (["--data.test_start", "1999-12-01"], "sp500 has 230 days before 1999-12-01 to fit on, 250 are needed"),
        (["--data.test_start", "2030-01-01"], "there is no day to forecast from 2030-01-01 on"),
        (["--data.root", "short.csv"], "--data.source"),
        (["--data.tickers", "[AAPL]"], "data.tickers and data.columns need --data.source csv"),
    ):
        answer = command(TRAIN, *arguments)
        assert answer.returncode == 2, answer.stdout
        assert answer.stderr.splitlines()[-1].startswith("stockprice: ")
        assert reason in answer.stderr
        assert "Traceback" not in answer.stderr
        assert not list(tmp_path.glob("runs/stockprice/*"))


def test_a_ticker_may_have_a_point_in_its_name(tmp_path: Path) -> None:
    for name in ("BRK.A", "BRK.B"):
        random_walk(days=400).to_csv(tmp_path / f"{name}.csv")
    (tmp_path / "BRK.B.csv").rename(tmp_path / "BRK.B.CSV")
    (tmp_path / "._BRK.B.CSV").write_bytes(b"\x00\xff")  # what a Mac leaves beside a file
    assert set(load_prices(DataConfig(source="csv", root=tmp_path))) == {"BRK.A", "BRK.B"}


def test_yahoo_without_its_package_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yfinance", None)
    with pytest.raises(ValueError, match=r"pip install -e '\.\[yahoo\]'"):
        load_prices(DataConfig(source="yahoo", tickers=["SPY"], root=tmp_path))


# --- numbers


def test_qlike_is_minimal_for_the_true_variance() -> None:
    truth = np.array([1.0, 2.0])
    assert qlike(truth, truth).tolist() == [0, 0]
    assert (qlike(truth, truth * 0.5) > qlike(truth, truth * 2)).all()  # too low costs more than too high


def test_diebold_mariano_tells_noise_from_skill() -> None:
    generator = np.random.default_rng(0)
    losses = generator.exponential(size=1000)
    assert diebold_mariano(losses, losses) == (0, 1)
    assert diebold_mariano(losses, losses + generator.normal(0.3, 1, 1000))[1] < 1e-6
    p = [diebold_mariano(generator.exponential(size=200), generator.exponential(size=200))[1] for _ in range(400)]
    assert 0.02 < np.mean(np.array(p) < 0.05) < 0.09


def test_block_intervals_contain_the_mean() -> None:
    low, high = block_interval(np.random.default_rng(0).normal(1, 1, 2000), lambda v: float(v.mean()), 300)
    assert 0.9 < low < 1 < high < 1.1


def test_a_day_outside_its_interval_is_penalised() -> None:
    scores = interval_score(np.array([0.0, 2.0]), np.array([-1.0, -1.0]), np.array([1.0, 1.0]), 0.9)
    assert scores == pytest.approx([2, 2 + 20])


def test_baselines_of_a_random_walk_are_zero_drift_and_constant_variance() -> None:
    frame = random_walk(days=1500)
    one = Series.from_prices("x", frame, 120)
    origins, refits = np.arange(1000, 1499), [Refit(one.days[1000], one.days[1000])]
    assert from_every_day(one, refits, baselines.naive)[origins].tolist() == [0] * len(origins)
    drift = from_every_day(one, refits, baselines.drift)[origins]
    assert drift[0] == pytest.approx(one.returns[1:1000].mean())
    constant = from_every_day(one, refits, baselines.constant_variance)[origins]
    assert (constant == constant[0]).all()
    assert np.isnan(
        from_every_day(one, [Refit(one.days[100], one.days[100])], baselines.har)[origins]
    ).all()  # too few days before


def test_realised_garch_finds_the_process_that_made_the_prices() -> None:
    days, draw = 4000, np.random.default_rng(0)
    z, noise = draw.normal(size=days), 0.4 * draw.normal(size=days)
    log_h, log_range = np.full(days + 1, -9.0), np.zeros(days)
    for t in range(days):
        log_range[t] = -0.9 + 0.9 * log_h[t] - 0.1 * z[t] + 0.1 * (z[t] ** 2 - 1) + noise[t]
        log_h[t + 1] = -0.38 + 0.6 * log_h[t] + 0.36 * log_range[t]
    close = 100 * np.exp(np.cumsum(np.exp(log_h[:-1] / 2) * z))
    half = np.sqrt(4 * np.log(2) * np.exp(log_range)) / 2  # of the log range
    frame = pd.DataFrame({"open": close, "high": close * np.exp(half), "low": close * np.exp(-half), "close": close},
                         index=pd.bdate_range("2000-01-03", periods=days))  # fmt: skip
    forecast = baselines.realised_garch(Series.from_prices("x", frame, 120), 3000)
    true = np.exp(-0.9 + 0.9 * log_h[1:]) * np.exp(-0.1 * z + 0.1 * (z**2 - 1) + noise).mean()
    assert np.abs(np.log(forecast[3000:] / true[3000:])).mean() < 0.05
    assert np.isnan(forecast[0]) and not np.isnan(forecast[1:]).any()


def test_forecasts_are_recalibrated_on_the_days_before() -> None:
    generator = np.random.default_rng(0)
    variance = generator.exponential(size=3000) * np.where(np.arange(3000) < 1500, 1.0, 4.0)  # the market changes
    forecast = recalibrated(np.full(3000, 7.0), variance)  # a constant forecast, wrong by a factor
    assert np.isnan(forecast[:MIN_DAYS]).all()
    assert forecast[1000:1500].mean() == pytest.approx(1, rel=0.1)
    assert forecast[2200:].mean() == pytest.approx(4, rel=0.1)
    returns = generator.standard_t(4, 3000) * np.sqrt(variance)
    quantiles = return_quantiles(forecast, returns)[2200:]
    for name, (low, high) in COVERAGES.items():
        inside = (returns[2200:] >= quantiles[:, low]) & (returns[2200:] <= quantiles[:, high])
        assert inside.mean() == pytest.approx(int(name) / 100, abs=0.04)


def test_the_backtest_pays_costs_and_trades_at_the_next_open(series: Series) -> None:
    origins = np.arange(3000, 3200)
    always = backtest(series, origins, np.ones(200), cost=0)
    np.testing.assert_allclose(always.returns, always.holding)
    assert always.holding[0] == pytest.approx(np.log(series.open[3002] / series.open[3001]))
    alternating = np.where(np.arange(200) % 2, 1.0, -1.0)
    free, costly = (backtest(series, origins, alternating, cost) for cost in (0, 10))
    assert free.trades == 199
    assert (free.returns.sum() - costly.returns.sum()) == pytest.approx(199 * 10 / 1e4)


def test_a_sharpe_ratio_has_as_many_days_a_year_as_the_market() -> None:
    table = random_walk()
    coin = table.set_axis(pd.date_range("2015-01-01", periods=len(table), name="date"))
    origins = np.arange(100, 400)
    stock, crypto = (
        backtest(Series.from_prices("x", frame, 60), origins, np.ones(300), cost=5) for frame in (table, coin)
    )
    factor = (365 / 252) ** 0.5
    assert crypto.sharpe == pytest.approx(factor * stock.sharpe)
    assert crypto.holding_sharpe == pytest.approx(factor * stock.holding_sharpe)
    assert crypto.sharpe_interval(100) == pytest.approx([factor * end for end in stock.sharpe_interval(100)])


def test_the_return_over_a_gap_is_not_that_of_a_day() -> None:
    table = random_walk()
    later = table.iloc[250:]
    later = 3 * later.set_axis(later.index + pd.Timedelta(days=200))  # a halt, after which the price is another one
    halted = Series.from_prices("x", pd.concat([table.iloc[:250], later]), 60)
    whole = Series.from_prices("x", table, 60)
    origins, over = np.arange(240, 260), 8  # bought on the last day before the gap, sold on the first one after it
    one, other = (backtest(series, origins, np.ones(20), cost=0) for series in (halted, whole))
    assert one.returns[over] == one.holding[over] == 0
    np.testing.assert_allclose(np.delete(one.holding, over), np.delete(other.holding, over))


# --- evaluation


def test_the_lead_of_the_report_names_the_better_model(run_folder: Path) -> None:
    page = (run_folder / "report.html").read_text()
    assert "embedded sample" in page.split("</title>")[0]
    lead = page.split('<p class="lead">')[1].split("</p>")[0]
    assert "the LSTM" in lead
    assert "Diebold-Mariano p " in lead
    assert page.count("data:image/png;base64,") >= 3


@pytest.mark.parametrize(("task", "metric"), [("price", "rmse"), ("interval", "interval_score")])
def test_the_other_tasks_are_scored_too(task: str, metric: str, tmp_path: Path, command: CommandLine) -> None:
    more = ["--task", task, "--training.refit", "never", "--training.epochs", "1"]
    more += ["--tutorial", "true", "--data.start", "2015-01-01"] if task == "price" else []
    answer = command(TRAIN, *tiny(), *more)
    assert answer.returncode == 0, answer.stderr
    numbers = json.loads(next(iter(tmp_path.glob("runs/*/*/evaluation.json"))).read_text())
    assert next(iter(numbers["metrics"])) == numbers["headline"]["metric"] == metric
    rows = predictions(next(iter(tmp_path.glob("runs/*/*"))))
    assert len(rows) == numbers["data"]["n"]
    page = next(iter(tmp_path.glob("runs/*/*/report.html"))).read_text()
    if task == "price":
        assert numbers["baselines"]["tutorial"]["rmse"] > 1.5 * numbers["baselines"]["naive"]["rmse"]
        assert "A misleading plot" in page
        assert "Backtest" in page
    else:
        assert 0.6 < numbers["metrics"]["coverage_90"] <= 1
        assert "coverage of the 90 % interval" in page
        assert {"lstm_low", "lstm_high", "har_low", "har_high"} <= set(rows[0])


def test_a_finished_run_scores_any_other_prices(run_folder: Path, tmp_path: Path, command: CommandLine) -> None:
    random_walk(days=700).to_csv(tmp_path / "other.csv")
    words = ["--run", run_folder, "--data.source", "csv", "--data.root", "other.csv"]
    answer = command(EVALUATE, *words, "--json", "out.json")
    assert answer.returncode == 0, answer.stderr
    numbers = json.loads((tmp_path / "out.json").read_text())
    assert numbers["data"]["split"] == "all"
    assert numbers["data"]["seen"] == 0
    assert numbers["data"]["n"] > 300
    assert numbers["metrics"]["qlike"] < 1
    assert "the networks were trained on other prices of that period" in answer.stdout


def test_a_run_without_refits_scores_other_prices_against_baselines_with_refits(
    predictor: Predictor, tmp_path: Path
) -> None:
    random_walk(days=900).to_csv(tmp_path / "other.csv")
    once = predictor.config.training.model_copy(update={"refit": "never"})
    never = replace(predictor, config=predictor.config.model_copy(update={"training": once}))
    one, other = (score_all(p, DataConfig(source="csv", root=tmp_path / "other.csv")) for p in (never, predictor))
    assert one.numbers["baselines"] == other.numbers["baselines"]


def test_train_end_does_not_limit_the_baselines_on_other_prices(predictor: Predictor, tmp_path: Path) -> None:
    random_walk(days=700).to_csv(tmp_path / "other.csv")
    ended = predictor.config.training.model_copy(update={"train_end": date(2010, 12, 31)})
    older = replace(predictor, config=predictor.config.model_copy(update={"training": ended}))
    found = score_all(older, DataConfig(source="csv", root=tmp_path / "other.csv"))
    assert set(found.numbers["baselines"]) == {*TASKS["volatility"].baselines, *TASKS["volatility"].pooled}


def score_all(predictor: Predictor, data: DataConfig, known: Provenance | None = None) -> Evaluation:
    """Score a predictor on every day of some prices."""
    options = EvaluateOptions(data=data.model_copy(update={"split": "all"}), seen="leave-out" if known else "keep")
    return evaluate(predictor, options, known or Provenance(None))


def predictions(folder: Path) -> list[dict[str, str]]:
    with (folder / "predictions.csv").open() as file:
        return list(csv.DictReader(file))


def test_every_forecast_is_a_row_of_predictions_csv(run_folder: Path, series: Series) -> None:
    numbers, rows = json.loads((run_folder / "evaluation.json").read_text()), predictions(run_folder)
    assert len(rows) == numbers["data"]["n"]
    models = ["lstm", *TASKS["volatility"].baselines, *TASKS["volatility"].pooled]
    quantiles = ["return_q2.5", "return_q5", "return_q25", "return_q75", "return_q95", "return_q97.5"]
    assert list(rows[0]) == ["item", "ticker", "day", "realised", *models, *quantiles]
    assert rows[0]["item"] == f"sp500 {rows[0]['day']}"
    day = int(np.flatnonzero(series.days == np.datetime64(rows[7]["day"]))[0])
    assert float(rows[7]["realised"]) == pytest.approx(series.variance[day], rel=1e-5)
    realised, forecast = (np.array([float(row[name]) for row in rows]) for name in ("realised", "lstm"))
    assert qlike(realised, forecast).mean() == pytest.approx(numbers["metrics"]["qlike"], rel=1e-3)


# --- provenance: no day is scored by networks that were trained on it


def test_no_test_day_is_in_the_training_set_of_the_networks_that_forecast_it(run_folder: Path) -> None:
    numbers = json.loads((run_folder / "evaluation.json").read_text())
    assert numbers["data"]["seen"] == 0
    assert numbers["data"]["n"] == len(predictions(run_folder)) == 377


def test_days_that_the_run_was_trained_on_are_left_out_and_counted(run_folder: Path, command: CommandLine) -> None:
    own = predictions(run_folder)
    for number, (more, left) in enumerate(
        (
            (["--data.split", "all"], [row for row in own if row["day"] >= "2018-01-01"]),  # the last refit's own days
            (["--data.test_start", "2016-01-01"], own),
        )
    ):
        answer = command(EVALUATE, "--run", run_folder, "--name", f"leak-{number}", *more)
        assert answer.returncode == 0, answer.stderr
        folder = run_folder / "evaluations" / f"leak-{number}"
        numbers, rows = json.loads((folder / "evaluation.json").read_text()), predictions(folder)
        assert numbers["data"]["n"] == len(rows) == len(left)
        assert [row["day"] for row in rows] == [row["day"] for row in left]
        assert numbers["data"]["seen"] > 300
        counted = f"{numbers['data']['seen']} of {numbers['data']['seen'] + len(left)} days"
        assert f"{counted} were in this run's training or validation set; they are left out" in answer.stdout
        assert counted in (folder / "report.html").read_text()
        if number:  # leaving days out changes neither the networks' forecasts nor the baselines'
            assert rows == own
            assert numbers["baselines"] == json.loads((run_folder / "evaluation.json").read_text())["baselines"]


def test_a_run_is_not_scored_on_training_days_only(run_folder: Path, command: CommandLine) -> None:
    seen = ["--run", run_folder, "--data.test_start", "2015-01-01", "--data.test_end", "2016-12-31"]
    answer = command(EVALUATE, *seen)
    assert answer.returncode == 2, answer.stdout
    assert "items were in this run's training or validation set" in answer.stderr
    assert "Traceback" not in answer.stderr
    kept = command(EVALUATE, *seen, "--seen", "keep", "--name", "kept", "--json", "kept.json")
    assert kept.returncode == 0, kept.stderr
    assert "they are scored" in kept.stdout


def test_a_day_is_recognised_by_its_content_and_not_by_its_file(predictor: Predictor, tmp_path: Path) -> None:
    for name in ("A", "B", "C"):
        random_walk(seed=ord(name), days=700).to_csv(tmp_path / f"{name}.csv")
    trained = DataConfig(source="csv", root=tmp_path, tickers=["A"], auxiliary_tickers=["B"], test_start="2017-01-01")
    data = PriceData(trained, predictor.config.model, predictor.config.training)
    known = Provenance(data.fingerprints())
    held = int(np.searchsorted(data.series[0].days, data.refits[-1].known))
    for name in ("A", "B"):  # the same prices under another name, in another currency
        renamed = tmp_path / f"renamed-{name}.csv"
        (random_walk(seed=ord(name), days=700) * 3).to_csv(renamed)
        found = score_all(predictor, DataConfig(source="csv", root=renamed), known)
        assert found.seen.count > 150
        assert found.forecasts[0].days.min() == data.series[0].days[held]
    (tmp_path / "C.csv").rename(tmp_path / "A.csv")  # other prices under the same name
    assert score_all(predictor, DataConfig(source="csv", root=tmp_path / "A.csv"), known).seen.count == 0


def test_other_tickers_of_the_same_folder_are_other_prices(predictor: Predictor, tmp_path: Path) -> None:
    for name in ("A", "B", "C"):
        random_walk(seed=ord(name), days=500).to_csv(tmp_path / f"{name}.csv")
    own = DataConfig(source="csv", root=tmp_path, tickers=["A", "B"], test_start="2016-11-01")
    training = predictor.config.training.model_copy(update={"refit": "never"})
    known = Provenance(PriceData(own, predictor.config.model, training).fingerprints())
    assert score_all(predictor, own.model_copy(update={"tickers": ["C"]}), known).seen.count == 0
    again = score_all(predictor, own.model_copy(update={"tickers": ["B", "C"]}), known)
    assert again.seen.count > 100
    b, c = again.forecasts
    assert b.days.min() >= np.datetime64("2016-11-01") > c.days.min()


def test_a_refit_counts_only_training_days_of_itself_and_earlier_refits() -> None:
    data = price_data("--data.auxiliary_tickers=[nasdaq]")
    known = Provenance(data.fingerprints())
    (first, second), one = data.refits, data.auxiliary[0]
    rows = np.flatnonzero((one.days >= first.known) & (one.days < second.known))  # only the second refit knows them
    assert not known.seen(one.fingerprints(rows, np.zeros_like(rows))).count
    assert known.seen(one.fingerprints(rows, np.ones_like(rows)), keep=True).count == len(rows)


def test_walk_forward_scores_of_other_prices_begin_with_the_first_refit(run_folder: Path, command: CommandLine) -> None:
    words = ["--run", run_folder, "--data.index", "nasdaq", "--data.test_start"]
    answer = command(EVALUATE, *words, "2016-01-01", "--name", "early")
    assert answer.returncode == 0, answer.stderr
    assert "before 2017-07-01, the first refit, are left out" in answer.stdout
    assert predictions(run_folder / "evaluations" / "early")[0]["day"] == "2017-07-03"
    answer = command(EVALUATE, *words, "2016-01-01", "--data.test_end", "2016-12-31")
    assert answer.returncode == 2
    assert "no test day lies after 2017-07-01" in answer.stderr


@pytest.mark.parametrize(
    ("script", "old", "new"),
    [
        (TRAIN, "data.also=[nasdaq]", "data.auxiliary_tickers"),
        (TRAIN, "data.test_from=2016-01-01", "data.test_start"),
        (EVALUATE, "data.test_until=2016-01-01", "data.test_end"),
        (TRAIN, "data.train_until=2016-01-01", "training.train_end"),
        (TRAIN, "data.level=120", "model.volatility_window"),
        (TRAIN, "model.size=8", "model.hidden_size"),
        (TRAIN, "model.layers=2", "model.num_layers"),
        (TRAIN, "model.seeds=2", "model.ensemble_size"),
        (TRAIN, "model.start=zero", "model.head_init"),
        (TRAIN, "training.average=0.9", "training.ema_decay"),
        (TRAIN, "evaluation.refit=never", "training.refit"),
        (EVALUATE, "evaluation.cost=1", "evaluation.trading_cost_bp"),
    ],
)
def test_old_names_of_settings_are_refused_with_the_new_ones(
    script: str, old: str, new: str, run_folder: Path, command: CommandLine
) -> None:
    answer = command(script, f"--{old}", *(["--run", run_folder] if script == EVALUATE else []))
    assert answer.returncode == 2
    assert answer.stderr.strip() == f"stockprice: {old.split('=')[0]} is now called {new}"


# --- prediction


def test_a_prediction_is_a_sentence_with_an_interval_and_no_advice(
    run_folder: Path, predictor: Predictor, tmp_path: Path, command: CommandLine
) -> None:
    frame = random_walk(days=400)
    frame.to_csv(tmp_path / "mine.csv")
    answer = command(PREDICT, "mine.csv", "--run", run_folder, "--json", "answer.json", "--picture", "fan.png")
    assert answer.returncode == 0, answer.stderr
    assert "90 % interval of the close" in answer.stdout
    assert "Not investment advice" in answer.stdout
    prediction = json.loads((tmp_path / "answer.json").read_text())
    low, high = prediction["intervals"]["90"]
    assert prediction["intervals"]["95"][0] < low < prediction["close"] < high < prediction["intervals"]["95"][1]
    assert (tmp_path / "fan.png").stat().st_size > 5000

    # training and prediction see the same input: the forecast of the last day is that of the evaluation
    one = Series.from_prices("mine", frame, predictor.config.model.volatility_window)
    last = np.array([len(frame) - 2])
    shorter = predictor("mine", frame.iloc[:-1])
    assert shorter.volatility == pytest.approx(
        float(np.sqrt(252 * predictor.forecast(one, last, latest=True)[0])), rel=1e-6
    )
    refused = command(PREDICT, "none.csv", "--run", run_folder)
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1


def test_small_prices_are_printed_with_their_digits() -> None:
    assert [amount(price) for price in (1234.5, 63.456, 1.10367, 6.6246e-06)] == [
        "1234.50",
        "63.46",
        "1.1037",
        "0.0000066246",
    ]


def test_the_shortest_accepted_file_has_a_forecast(predictor: Predictor) -> None:
    enough = 60 + predictor.config.model.length + 2 * MIN_DAYS  # with the next day as the only horizon
    assert np.isfinite(predictor("x", random_walk(days=enough)).intervals["95"]).all()
    with pytest.raises(ValueError, match=f"x is too short: {enough - 1} days, but at least {enough} are needed"):
        predictor("x", random_walk(days=enough - 1))


def test_forecasts_do_not_depend_on_the_currency(predictor: Predictor, prices: pd.DataFrame) -> None:
    origins = np.arange(4500, 4600)
    other = prices.copy()
    other.iloc[:, :4] *= 110.0
    a, b = (predictor.forecast(Series.from_prices("x", frame, 250), origins) for frame in (prices, other))
    np.testing.assert_allclose(a, b, rtol=1e-4)


def test_the_network_follows_its_settings() -> None:
    network = Ensemble(ModelConfig(hidden_size=5, num_layers=2, ensemble_size=4, horizons=[1, 5]))
    assert network(torch.zeros(3, 22, 5)).shape == (3, 4, 2)
    recurrent = [module for module in network.modules() if isinstance(module, torch.nn.LSTM)]
    assert {(lstm.hidden_size, lstm.num_layers) for lstm in recurrent} == {(5, 2)}


def test_a_hidden_market_and_targets_beyond_a_refit() -> None:
    frames = {name: random_walk(seed) for seed, name in enumerate("abcdef")}
    model = ModelConfig(features=["price", "market"], horizons=[1, 5])
    panel = with_market([prepared(name, frame, model, PriceTable()) for name, frame in frames.items()], model.features)
    at = market_columns(model.features)
    origins = np.arange(200, 300)
    known = panel[0].days[300]
    positions = np.stack([np.zeros(100, int), origins], axis=1)
    windows = Windows(panel, positions, 22, "variance", [1, 5], known, at)
    inputs, targets, _ = windows.__getitems__([Item(index, seed) for index, seed in ((0, 0), (1, 999), (99, 999))])
    assert not inputs[0][:, at].any()
    assert inputs[1][:, at[:2]].all()
    np.testing.assert_allclose(targets[1, 1], np.log(panel[0].variance[202:207].mean()), rtol=1e-5)
    assert targets[2].isnan().tolist() == [True, True]  # its next day is that of the refit
    mean = np.mean([one.features[250, 0] for one in panel])
    assert panel[3].features[250, at[0]] == pytest.approx(mean, rel=1e-5)


def test_a_year_has_as_many_days_as_the_market_trades(prices: pd.DataFrame) -> None:
    daily = prices.iloc[:400].set_axis(pd.date_range("2020-01-01", periods=400, name="date"))
    assert Series.from_prices("coin", daily, 250).days_per_year == 365
    assert Series.from_prices("index", prices, 250).days_per_year == 252
