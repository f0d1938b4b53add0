"""One network for many tickers: its features, horizons, baselines and the tests that compare them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from projects.stockprice.baselines import pooled_forecasts, pooled_log_har
from projects.stockprice.calibration import DAYS, QUANTILES, adaptive_quantiles
from projects.stockprice.config import DataConfig, EvaluateOptions, EvaluationConfig, ModelConfig, PriceTable
from projects.stockprice.data import Refit, prepared
from projects.stockprice.evaluate import evaluate
from projects.stockprice.features import GROUPS, calendar_features, names, quarter_features, with_market
from projects.stockprice.metrics import qlike
from projects.stockprice.predictor import Predictor
from projects.stockprice.series import Series
from projects.stockprice.significance import (
    christoffersen,
    confidence_set,
    diebold_mariano,
    kupiec,
    long_run_variance,
    newey_west_lags,
)
from projects.stockprice.sources import index_prices, load_prices
from shared.data.provenance import Provenance
from tests.conftest import ROOT, CommandLine

SHIPPED = ROOT / "projects/stockprice/shipped/model.safetensors"
EVERYTHING = ModelConfig(features=list(GROUPS), spans=[1, 5, 22, 66])


@pytest.fixture(scope="module")
def shipped() -> Predictor:
    return Predictor.load(SHIPPED)


@pytest.fixture(scope="module")
def prices() -> pd.DataFrame:
    return index_prices("sp500")["2012":]


def walk(seed: int, days: int = 500, start: str = "2017-06-01") -> pd.DataFrame:
    """Prices of a random walk whose volatility changes by the month."""
    generator = np.random.default_rng(seed)
    scale = np.repeat(generator.uniform(0.5, 2, days // 22 + 1), 22)[:days]
    close = 50 * np.exp(np.cumsum(generator.normal(0, 0.01 * scale)))
    start_price = np.append(50, close[:-1])
    width = np.exp(0.004 * scale * generator.uniform(0.5, 2, days))
    high, low = np.maximum(start_price, close) * width, np.minimum(start_price, close) / width
    index = pd.bdate_range(start, periods=days, name="date")
    table = {
        "open": start_price,
        "high": high,
        "low": low,
        "close": close,
        "volume": generator.integers(1e5, 1e6, days),
    }
    return pd.DataFrame(table, index=index)


# --- features


def test_another_future_changes_no_feature(prices: pd.DataFrame) -> None:
    other = prices.copy()
    other.iloc[-1, 4] = 0  # a volume that has no logarithm
    other.iloc[1000:, :4] *= np.random.default_rng(0).uniform(0.5, 2, (len(prices) - 1000, 1))
    table = PriceTable(inputs=["volume"])
    one, two = (prepared("x", frame, EVERYTHING, table).features[:1000] for frame in (prices, other))
    assert one.shape[1] == len(names(EVERYTHING.features)) + 1
    np.testing.assert_array_equal(one, two)


def test_the_calendar_tells_the_next_day() -> None:
    days = np.array(["2018-03-28", "2018-03-29", "2018-04-02", "2018-04-03"], "datetime64[D]")  # Good Friday between
    flags = calendar_features(days)
    assert flags[:, :5].argmax(axis=1).tolist() == [3, 0, 1, 2]
    assert flags[:, 5:].tolist() == [[0, 0, 0], [1, 1, 1], [0, 0, 0], [0, 0, 0]]


def test_values_of_a_quarter_ago_are_recognised() -> None:
    days = np.arange("2010-01-04", "2013-01-01", dtype="datetime64[D]")
    days = days[np.is_busday(days)]
    reports = (days - days[2]).astype(int) % 91 == 0
    features = quarter_features(days, np.where(reports, 10.0, 0.0))
    before = np.flatnonzero(reports[1:])[-4:]  # the days before a report
    other = np.setdiff1d(np.arange(600, len(days) - 1), before)
    assert features[before, 2].min() > 5 > abs(features[other, 2]).max() + 4
    assert features[before, 4].min() > 0  # it has been of use


def test_the_market_is_the_mean_of_its_tickers_and_needs_five() -> None:
    series = [prepared(f"{seed}", walk(seed), EVERYTHING, PriceTable()) for seed in range(5)]
    at = names(EVERYTHING.features).index("market variance")
    panel = with_market(series, EVERYTHING.features)
    mean = np.mean([one.features[300, 0] for one in series])
    assert [one.features[300, at] for one in panel] == pytest.approx([mean] * 5, rel=1e-5)
    assert panel[0].features[300, -1] == 1
    assert not with_market(series[:4], EVERYTHING.features)[0].features[:, at:].any()


def test_columns_and_other_tickers_are_inputs(tmp_path: Path) -> None:
    for seed, name in enumerate(("A", "B", "vix")):
        walk(seed).to_csv(tmp_path / f"{name}.csv")
    config = DataConfig(source="csv", root=tmp_path, inputs=["volume", "vix"])
    frames = load_prices(config)
    assert list(frames) == ["A", "B"]
    np.testing.assert_allclose(frames["A"]["vix"], walk(2)["close"])
    assert list(load_prices(config.model_copy(update={"tickers": ["B"]}))) == ["B"]
    series = prepared("A", frames["A"], ModelConfig(), config)
    assert series.features.shape[1] == 7
    assert np.abs(series.features[100:, 5:]).max() > 1
    with pytest.raises(ValueError, match=r"data.inputs: A has no column oil, and .* no such ticker"):
        load_prices(config.model_copy(update={"inputs": ["oil"]}))


# --- intervals and significance


def test_levels_adapt_until_intervals_cover_what_they_promise() -> None:
    generator = np.random.default_rng(1)
    values = generator.normal(0, np.where(np.arange(4000) < 2000, 1.0, 2.5))  # the forecasts are too low from then on
    quantiles = adaptive_quantiles(values)
    fixed = pd.Series(values).shift(1).rolling(DAYS, min_periods=60).quantile(QUANTILES[1]).to_numpy()
    after = slice(2000, 2400)
    below = values[after] < quantiles[after, 1]
    assert abs(below.mean() - 0.05) < abs((values[after] < fixed[after]).mean() - 0.05)
    assert (np.diff(quantiles[100:], axis=1) >= 0).all()


@pytest.mark.parametrize("ahead", [1, 5])
def test_a_quantile_uses_only_values_that_are_known_by_then(ahead: int) -> None:
    values = np.random.default_rng(2).normal(size=400)
    other = values.copy()
    other[300 - ahead + 1 :] = 100  # what is known after day 300
    np.testing.assert_array_equal(adaptive_quantiles(values, ahead)[:301], adaptive_quantiles(other, ahead)[:301])


def test_errors_of_a_mean_allow_for_autocorrelation_as_statsmodels_does() -> None:
    noise = np.random.default_rng(3).normal(size=600)
    values = pd.Series(noise).rolling(5).mean().dropna().to_numpy() + 0.1
    fitted = sm.OLS(values, np.ones(len(values))).fit(cov_type="HAC", cov_kwds={"maxlags": 6})
    assert long_run_variance(values, 6) / len(values) == pytest.approx(float(fitted.bse[0]) ** 2, rel=1e-6)
    zeros = np.zeros(len(values))
    assert abs(diebold_mariano(values, zeros, 6)[0]) < abs(diebold_mariano(values, zeros)[0])


def test_of_equal_forecasts_a_month_ahead_five_in_a_hundred_seem_to_differ() -> None:
    generator, days, ahead = np.random.default_rng(0), 754, 22
    zeros, alarms = np.zeros(days), []
    for _ in range(800):
        losses = np.convolve(generator.normal(size=days + ahead - 1), np.ones(ahead), "valid")  # of overlapping targets
        alarms.append(diebold_mariano(losses, zeros, newey_west_lags(days), ahead)[1] < 0.05)
    assert 0.03 < np.mean(alarms) < 0.08


def test_the_variance_of_a_mean_is_positive_however_far_ahead() -> None:
    alternating, walk = np.resize([1.0, -1.0], 100), np.random.default_rng(1).normal(size=20).cumsum()
    assert long_run_variance(alternating, 2, ahead=2) == pytest.approx(long_run_variance(alternating, 3))
    assert diebold_mariano(walk, np.zeros(20), ahead=20) == (0, 1)
    assert 0 < diebold_mariano(walk, np.zeros(20), ahead=19)[1] <= 1


def test_the_confidence_set_has_the_best_and_not_the_worst() -> None:
    generator = np.random.default_rng(4)
    shared = generator.gamma(1, 1, 500)
    losses = {name: shared + generator.normal(worse, 0.3, 500) for name, worse in (("a", 0), ("b", 0.005), ("c", 0.5))}
    assert set(confidence_set(losses)) == {"a", "b"}


def test_of_few_days_or_equal_losses_none_is_excluded() -> None:
    losses = np.random.default_rng(6).gamma(1, 1, 100)
    assert confidence_set({"a": losses[:1], "b": losses[:1] + 1}) == ["a", "b"]
    assert set(confidence_set({"a": losses, "b": losses, "c": losses + 2})) == {"a", "b"}


def test_coverage_tests_find_too_many_days_outside_and_days_outside_in_a_row() -> None:
    generator = np.random.default_rng(5)
    assert kupiec(generator.random(1000) < 0.9, 0.9) > 0.05
    assert kupiec(generator.random(1000) < 0.8, 0.9) < 1e-6
    assert kupiec(np.ones(10, bool), 0.9) == pytest.approx(0.1468, abs=1e-3)  # chi2.sf(-20 log .9, 1)
    in_a_row = np.ones(1000, bool)
    in_a_row[200:300] = False
    assert christoffersen(generator.permutation(in_a_row)) > 0.05 > christoffersen(in_a_row)


# --- baselines


def test_the_pooled_har_forecasts_a_ticker_with_little_history_better_than_its_mean() -> None:
    panel = [Series.from_prices(f"{seed}", walk(seed), 120) for seed in range(6)]
    refit = Refit(panel[0].days[400], panel[0].days[400])
    forecast = pooled_forecasts(panel, [refit], pooled_log_har)["3"]
    days = np.arange(400, 498)
    realised = panel[3].next_variance()[days]
    mean = panel[3].variance[:400].mean()
    assert qlike(realised, forecast[days]).mean() < qlike(realised, np.full(98, mean)).mean()


# --- the network that comes with the project


def test_the_shipped_network_is_small_and_names_no_place() -> None:
    content = SHIPPED.read_bytes()
    assert len(content) < 200_000
    assert b"/work" not in content and b"/home" not in content


def test_another_future_changes_no_forecast_of_the_shipped_network(shipped: Predictor, prices: pd.DataFrame) -> None:
    until = 1200
    other = prices.copy()
    other.iloc[until:, :4] *= np.random.default_rng(0).uniform(0.5, 2, (len(prices) - until, 1))
    one, two = (shipped.prepare("x", frame) for frame in (prices, other))
    origins = np.arange(1000, until)
    for part in ("networks", "linear"):
        assert np.array_equal(shipped.forecast(one, origins, part=part), shipped.forecast(two, origins, part=part))
    for number in range(4):
        a, b = (shipped.quantiles_ahead(shipped.raw_variances(s, True), s, number)[origins] for s in (one, two))
        np.testing.assert_array_equal(a, b)


def test_it_forecasts_a_month_ahead(shipped: Predictor, prices: pd.DataFrame) -> None:
    prediction = shipped("sp500", prices, horizon=22)
    assert [one["days"] for one in prediction.ahead] == list(range(1, 23))
    widths = [high - low for low, high in (one["intervals"]["90"] for one in prediction.ahead)]
    assert widths[21] > 2.5 * widths[0]
    assert (np.diff(widths) > 0).all()
    assert "In 22 trading days: 90 % interval" in str(prediction)
    with pytest.raises(ValueError, match="forecasts 1 to 22 days ahead, not 23"):
        shipped("sp500", prices, horizon=23)


def test_a_file_that_is_long_enough_has_an_interval_for_every_day_ahead(shipped: Predictor) -> None:
    enough = 60 + 66 + 2 * (60 + 21)
    ahead = shipped("x", walk(0, enough), horizon=22).ahead
    assert np.isfinite([one["intervals"]["95"] for one in ahead]).all()
    with pytest.raises(ValueError, match=f"x is too short: {enough - 1} days, but at least {enough} are needed"):
        shipped("x", walk(0, enough - 1))
    gap = walk(0, 500).drop(walk(0, 500).index[440:470])
    with pytest.raises(ValueError, match=r"x has a gap before .*; a forecast needs 66 days after"):
        shipped("x", gap)


def test_nothing_is_known_of_the_days_after_a_gap() -> None:
    table = walk(0, 200).drop(walk(0, 200).index[100:130])
    series = Series.from_prices("x", table, 60)
    assert np.isnan(series.next_return()[99]) and np.isfinite(series.next_return()[[98, 100]]).all()
    assert np.flatnonzero(np.isnan(series.next_variance(5))[:-5]).tolist() == [95, 96, 97, 98, 99]


def test_predict_answers_on_a_fresh_clone(tmp_path: Path, command: CommandLine) -> None:
    walk(0, 400).to_csv(tmp_path / "mine.csv")
    words = ["mine.csv", "--run", "shipped", "--horizon", "5", "--json", "out.json"]
    answer = command("projects.stockprice.predict", *words)
    assert answer.returncode == 0, answer.stderr
    assert len(json.loads((tmp_path / "out.json").read_text())["ahead"]) == 5
    assert (tmp_path / "runs/stockprice/shipped/predictions/mine.png").is_file()


def test_it_scores_a_folder_of_tickers_by_year_ticker_and_horizon(shipped: Predictor, tmp_path: Path) -> None:
    for seed in range(5):
        walk(seed, 900, "2016-01-04").to_csv(tmp_path / f"t{seed}.csv")
    walk(5, 420, "2017-11-01").to_csv(tmp_path / "young.csv")
    (tmp_path / "broken.csv").write_text("Date,Close\nyesterday,many\n")
    data, shown = DataConfig(source="csv", root=tmp_path, split="all"), EvaluationConfig(ticker="t3")
    options = EvaluateOptions(data=data, evaluation=shown)
    result = evaluate(shipped, options, Provenance(None))
    numbers = result.numbers
    assert set(numbers["parts"]["ticker"]) >= {f"t{seed}" for seed in range(5)}
    assert numbers["coverage"]["all"] > 0.8
    assert set(numbers["parts"]["year"]) == {"2017", "2018", "2019"}
    assert "days before 2017-10-01 are left out" in result.note
    assert result.forecasts[0].days.min() == np.datetime64("2017-10-02")
    assert {"linear", "pooled_log_har", "har_x", "garch", "carr"} <= set(numbers["baselines"])
    assert result.best in numbers["baselines"]
    assert list(numbers["horizons"]) == ["5", "10", "22"]
    assert all(0.5 < one["coverage_90"] <= 1 for one in numbers["horizons"].values())
    weights = [part["n"] for part in numbers["parts"]["year"].values()]
    losses = [part["lstm"] for part in numbers["parts"]["year"].values()]
    assert np.average(losses, weights=weights) == pytest.approx(numbers["metrics"]["qlike"], rel=0.02)
    assert result.forecasts[0].series.name == "t3"
    assert replace(result.forecasts[0], quantiles=None).select(np.arange(3)).days.shape == (3,)
