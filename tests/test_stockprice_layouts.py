"""stockprice: every layout of prices opens and reads right; what cannot be used is refused or named."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from projects.stockprice.anomalies import split_ratios
from projects.stockprice.cleaning import clean
from projects.stockprice.config import Config, DataConfig, ModelConfig, PriceTable
from projects.stockprice.data import PriceData, check
from projects.stockprice.record import Record
from projects.stockprice.series import Series
from projects.stockprice.sources import load_prices, read_ticker, read_tickers
from shared.config import load
from tests.conftest import CommandLine
from tests.layouts.stockprice import CLOSES, LAYOUTS, Write, lines, made_prices, plain, two_levels

OHLC = ["open", "high", "low", "close"]
PRICES = made_prices()
FIVE_YEARS = made_prices(1260)


def read(path: Path, **settings: object) -> tuple[pd.DataFrame, Record]:
    """The prices of the first ticker of a file, and what was recognised."""
    record = Record()
    frames = read_tickers(path, PriceTable.model_validate(settings), record)
    return next(iter(frames.values())), record


def cleaned(frame: pd.DataFrame, **settings: object) -> tuple[pd.DataFrame, Record]:
    record = Record()
    return clean(frame, "x", PriceTable.model_validate(settings), record), record


def changed(day: int, factor: float, columns: list[str], days: int = 1) -> pd.DataFrame:
    """Prices that are multiplied from a day on, for some days."""
    frame = FIVE_YEARS.copy()
    frame[columns] = frame[columns].mul(
        np.where(np.isin(np.arange(len(frame)) - day, range(days)), factor, 1.0), axis=0
    )
    return frame


# --- layouts


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_read_to_the_same_prices(layout: str, tmp_path: Path) -> None:
    frame, _ = read(LAYOUTS[layout](tmp_path, PRICES))
    assert frame.index.equals(PRICES.index)
    scale = 10 if layout == "Investing.com" else 1
    np.testing.assert_allclose(frame[OHLC] / scale, PRICES[OHLC], rtol=1e-6)


@pytest.mark.parametrize("layout", CLOSES)
def test_closes_alone_are_read_as_closes_alone(layout: str, tmp_path: Path) -> None:
    frame, record = read(CLOSES[layout](tmp_path, PRICES))
    expected = PRICES["close"]
    if layout == "FRED, old":
        expected = expected[pd.DatetimeIndex(expected.index).day != 25]
        assert sum(len(days) for days in record.left_out.values()) == sum(day.day == 25 for day in PRICES.index)
    assert "high" not in frame
    pd.testing.assert_series_equal(frame["close"], expected, check_freq=False, check_index_type=False)


@pytest.mark.parametrize(
    ("layout", "names"),
    [
        ("yfinance, several tickers", ["AAPL", "MSFT"]),
        ("yfinance, grouped by ticker", ["AAPL", "MSFT"]),
        ("quantmod", ["AAPL", "MSFT"]),
        ("Stooq, archive", ["AAPL.US"]),
        ("CryptoDataDownload", ["BTC/USD"]),
        ("tushare", ["000001.SZ"]),
        ("Binance", ["BTCUSDT-1d"]),
        ("long table of one ticker", ["AAL"]),
    ],
)
def test_tickers_are_named_by_the_table_else_by_the_file(layout: str, names: list[str], tmp_path: Path) -> None:
    frames = read_tickers(LAYOUTS[layout](tmp_path, PRICES), PriceTable(), Record())
    assert list(frames) == names
    if len(names) == 2:
        np.testing.assert_allclose(frames["MSFT"][OHLC], 2 * PRICES[OHLC])


def test_a_dotted_thousand_is_one_where_prices_have_commas(tmp_path: Path) -> None:
    rows = "2024-01-02;40,05;1.539\n2024-01-03;40,00;928\n2024-01-04;40,25;2.388\n"
    (tmp_path / "kurse.csv").write_text(f"Datum;Schluss;Volumen\n{rows}")
    assert read(tmp_path / "kurse.csv")[0]["volume"].tolist() == [1539, 928, 2388]


def test_the_adjusted_close_of_a_wide_table_is_no_ticker_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "wide.csv").write_text(
        "Date,AAPL_Close,AAPL_Adj_Close,MSFT_Close,MSFT_Adj_Close\n2024-01-02,40,20,30,30\n2024-01-03,42,21,33,33\n"
    )
    frames = read_tickers(tmp_path / "wide.csv", PriceTable(), Record())
    assert {name: frame["close"].tolist() for name, frame in frames.items()} == {"AAPL": [20, 21], "MSFT": [30, 33]}


def test_raw_prices_are_scaled_by_the_adjusted_close(tmp_path: Path) -> None:
    factor = np.where(PRICES.index < "2012-03-01", 0.95, 1.0)
    path = lines(
        "Date,Open,High,Low,Close,Adj Close,Volume",
        lambda r: plain(r[0].date(), *r[1:5], r[4] * (0.95 if r[0] < pd.Timestamp("2012-03-01") else 1.0), r[5]),
    )(tmp_path, PRICES)
    frame, record = read(path)
    np.testing.assert_allclose(frame[OHLC], PRICES[OHLC].mul(factor, axis=0))
    assert any("scaled by adjusted close" in remark for remark in record.remarks)


def test_a_long_table_of_many_tickers_goes_on_past_the_unusable_ones(tmp_path: Path) -> None:
    parts = [made_prices(1260, n).assign(symbol=name) for n, name in enumerate(("A", "B"))]
    split = made_prices(1260, 2).assign(symbol="SPLIT")
    split.iloc[:700, :4] *= 2
    short = made_prices(90, 3).assign(symbol="SHORT")
    late = made_prices(400, 4, start="2015-08-03").assign(symbol="LATE")
    pd.concat([*parts, split, short, late]).to_csv(tmp_path / "all.csv")
    summary = PriceData(DataConfig(source="csv", root=tmp_path / "all.csv"), ModelConfig(), Config().training).summary()
    assert summary.columns["ticker"] == "symbol"
    (reasons,) = summary.left_out.values()
    assert not isinstance(reasons, int)
    assert [reason.split()[0].strip(":") for reason in reasons] == ["SPLIT", "SHORT", "LATE"]
    one = load_prices(DataConfig(source="csv", root=tmp_path / "all.csv", tickers=["B"]))
    assert list(one) == ["B"]
    with pytest.raises(ValueError, match="unadjusted for a split of 2:1"):
        load_prices(DataConfig(source="csv", root=tmp_path / "all.csv", tickers=["SPLIT"]))
    with pytest.raises(FileNotFoundError, match="has no C; it has A, B, SHORT"):
        load_prices(DataConfig(source="csv", root=tmp_path / "all.csv", tickers=["C"]))
    with pytest.raises(ValueError, match=r"has 4 tickers .*; name one: --data.tickers '.A.'"):
        read_ticker(tmp_path / "all.csv")


def test_a_folder_may_hold_any_tables_subfolders_and_other_files(tmp_path: Path) -> None:
    inside = tmp_path / "us" / "1"
    inside.mkdir(parents=True)
    for name, seed in (("A.us.txt", 1), ("B.us.txt", 2)):
        made_prices(400, seed).to_csv(inside / name)
    (inside / "readme.txt").write_text("Prices.\nDaily.\n")
    record = Record()
    assert set(load_prices(DataConfig(source="csv", root=tmp_path), record)) == {"A.us", "B.us"}
    assert list(record.left_out) == ["files"]


# --- days


def test_years_of_two_digits_lie_in_the_past(tmp_path: Path) -> None:
    old = made_prices(start="1966-01-03")
    frame, _ = read(LAYOUTS["Google Finance, old"](tmp_path, old))
    assert frame.index.equals(old.index)


def test_intraday_bars_are_refused_or_aggregated(tmp_path: Path) -> None:
    hours = made_prices(7 * 300)
    hours.index = pd.Index(
        [day + pd.Timedelta(hours=9 + n) for day in made_prices(300).index for n in range(7)], name="time"
    )
    hours[:-3].to_csv(tmp_path / "hours.csv")
    with pytest.raises(ValueError, match=r"hours.csv has 7 rows a day \(intraday bars, 300 days\): --data.bars day"):
        read(tmp_path / "hours.csv")
    frame, record = read(tmp_path / "hours.csv", bars="day")
    day = hours.iloc[7:14]
    expected = [day["open"].iloc[0], day["high"].max(), day["low"].min(), day["close"].iloc[-1], day["volume"].sum()]
    assert frame.iloc[1].tolist() == expected
    assert len(frame) == 299
    assert list(record.left_out.values()) == [[f"{hours.index[-1]:%Y-%m-%d}"]]


def test_weekly_and_monthly_bars_are_told_apart_from_daily_ones() -> None:
    for rule, kind in (("W-FRI", "weekly"), ("MS", "monthly")):
        bars = FIVE_YEARS.resample(rule).agg({"open": "first", "high": "max", "low": "min", "close": "last"})
        with pytest.raises(ValueError, match=rf"\({kind} bars\); a forecast of the next day needs daily prices"):
            cleaned(bars)


def test_sundays_belong_to_monday_for_currencies_only() -> None:
    session = PRICES[pd.DatetimeIndex(PRICES.index).dayofweek == 4] * 1.01
    sundays = session.set_axis(session.index + pd.Timedelta(days=2))
    frame, record = cleaned(pd.concat([PRICES, sundays]).sort_index())
    assert frame.index.equals(PRICES.index)
    monday = frame[pd.DatetimeIndex(frame.index).dayofweek == 0].index[3]
    assert frame.loc[monday, "open"] == sundays.loc[monday - pd.Timedelta(days=1), "open"]
    assert frame.loc[monday, "close"] == PRICES.loc[monday, "close"]
    assert any("Sunday" in remark for remark in record.remarks)
    crypto, riyadh = made_prices(freq="D"), made_prices(freq="D")
    assert len(cleaned(crypto)[0]) == len(crypto)
    riyadh = riyadh[~pd.DatetimeIndex(riyadh.index).dayofweek.isin([4, 5])]
    assert len(cleaned(riyadh)[0]) == len(riyadh)


def test_no_window_spans_a_gap_and_its_return_is_unknown() -> None:
    frame = FIVE_YEARS.drop(FIVE_YEARS.index[600:900])
    series = Series.from_prices("x", frame, 120)
    assert series.returns[600] == 0
    assert not np.any(series.returns[[599, 601]] == 0)
    data = PriceData.__new__(PriceData)
    data.model = ModelConfig()
    targets = data.origins(series) + 1
    assert 599 in targets
    assert 622 in targets
    assert not set(range(600, 622)) & set(targets.tolist())


# --- rows


def test_two_rows_for_a_day_are_one_if_equal_or_of_the_last_day_else_refused() -> None:
    frame, record = cleaned(pd.concat([PRICES, PRICES.iloc[[50]], PRICES.iloc[[-1]] * 1.001]))
    assert len(frame) == len(PRICES)
    assert frame["close"].iloc[-1] == pytest.approx(PRICES["close"].iloc[-1] * 1.001)
    assert len(record.left_out) == 2
    other = pd.concat([PRICES, PRICES.iloc[[50]] * 1.01])
    day = f"{PRICES.index[50]:%Y-%m-%d}"
    with pytest.raises(ValueError, match=rf"x has two rows for {day}, .* and .*--data.damaged keep"):
        cleaned(other)
    assert cleaned(other, damaged="keep")[0]["close"].iloc[50] == pytest.approx(PRICES["close"].iloc[50] * 1.01)
    assert len(cleaned(other, damaged="leave-out")[0]) == len(PRICES) - 1


@pytest.mark.parametrize(
    ("columns", "factor", "days"),
    [(["high"], 100, 1), (["low"], 0.01, 1), (["close"], 10, 1), (OHLC, 100, 1), (OHLC, 0.01, 3)],
)
def test_bad_ticks_are_left_out_and_named(columns: list[str], factor: float, days: int) -> None:
    frame, record = cleaned(changed(700, factor, columns, days))
    assert frame.equals(FIVE_YEARS.drop(FIVE_YEARS.index[700 : 700 + days]))
    assert list(record.left_out.values()) == [[f"x {day:%Y-%m-%d}" for day in FIVE_YEARS.index[700 : 700 + days]]]
    if columns != OHLC:
        assert len(cleaned(changed(700, factor, columns, days), damaged="keep", splits="keep")[0]) == len(FIVE_YEARS)


def test_a_crash_and_a_wild_day_are_no_bad_ticks() -> None:
    crash = changed(700, 0.7, OHLC, 1000)
    crash["volume"] = crash["volume"].astype(float)
    crash.iloc[700, 4] *= 20
    wild = changed(300, 1.3, ["high"])
    for frame in (crash, wild):
        kept, record = cleaned(frame)
        assert len(kept) == len(FIVE_YEARS)
        assert not record.left_out


@pytest.mark.parametrize(("ratio", "words"), [(2.0, "2:1"), (0.125, "1:8"), (6.0, "6:1"), (4 / 3, "4:3")])
def test_a_split_is_refused_or_adjusted(ratio: float, words: str) -> None:
    split = changed(0, ratio, OHLC, 700)
    day = f"{split.index[700]:%Y-%m-%d}"
    with pytest.raises(
        ValueError, match=f"x: its prices look unadjusted for a split of {words} on {day}.*splits adjust"
    ):
        cleaned(split)
    frame, record = cleaned(split, splits="adjust")
    np.testing.assert_allclose(frame[OHLC], FIVE_YEARS[OHLC])
    assert list(record.remarks.values()) == [[f"x {words} on {day}"]]
    assert cleaned(split, splits="keep")[0].equals(split)


def test_news_with_much_volume_are_no_split() -> None:
    frame = changed(0, 2.0, OHLC, 700)
    frame["volume"] = np.where(np.arange(len(frame)) == 700, 2e8, frame["volume"])
    assert split_ratios(frame) == ([], [700])
    assert split_ratios(FIVE_YEARS) == ([], [])


def test_a_close_that_alone_is_not_adjusted_is_refused_or_divided() -> None:
    frame = changed(0, 2.04, ["close"], 600)
    with pytest.raises(ValueError, match=r"the close is 2.04 times the other prices.*--data.splits adjust"):
        cleaned(frame)
    np.testing.assert_allclose(cleaned(frame, splits="adjust")[0]["close"], FIVE_YEARS["close"], rtol=0.01)


def test_prices_of_zero_or_less_are_refused_with_the_ways_around_them() -> None:
    oil = FIVE_YEARS.copy()
    oil.iloc[700, 2] = -40.32
    before, day, after = (f"{oil.index[n]:%Y-%m-%d}" for n in (699, 700, 701))
    with pytest.raises(ValueError, match=f"zero or less on {day}.*damaged leave-out.*end {before}.*start {after}"):
        cleaned(oil)
    for settings, days in (({"damaged": "leave-out"}, 1259), ({"end": before}, 700), ({"start": after}, 559)):
        assert len(cleaned(oil, **settings)[0]) == days


def test_an_open_that_is_often_zero_is_not_used() -> None:
    frame, record = cleaned(changed(0, 0.0, ["open"], 300))
    assert "open" not in frame
    assert len(frame) == len(FIVE_YEARS)
    assert len(next(iter(record.remarks.values()))) == 300
    assert len(cleaned(changed(0, 0.0, ["open"], 3))[0]) == len(FIVE_YEARS) - 3


def test_a_day_locked_at_its_limit_counts_by_its_return() -> None:
    locked = FIVE_YEARS.copy()
    locked.iloc[700, :4] = locked["close"].iloc[699] * 0.9
    frame, record = cleaned(locked)
    assert len(frame) == len(FIVE_YEARS)
    assert list(record.remarks.values()) == [[f"x {locked.index[700]:%Y-%m-%d}"]]
    assert Series.from_prices("x", frame, 120).variance[700] == pytest.approx(np.log(0.9) ** 2)


def test_an_unfinished_last_day_is_left_out() -> None:
    frame = FIVE_YEARS.copy()
    close = frame["close"].iloc[-2]
    frame.iloc[-1, :4] = [close, close * 1.0001, close, close]
    assert cleaned(frame)[0].equals(frame[:-1])
    assert cleaned(frame, damaged="keep")[0].equals(frame)
    now = frame[:-1].set_axis(pd.bdate_range(end=pd.Timestamp.now().normalize(), periods=1259), axis=0)
    if now.index[-1] == pd.Timestamp.now().normalize():
        _, record = cleaned(now)
        assert any("is trading over? (--data.end" in remark for remark in record.remarks)


# --- closes only, and the default test days


def config_of(path: Path, **more: object) -> Config:
    return load(Config, {"data": {"source": "csv", "root": str(path)}, **more})


def test_closes_alone_suffice_for_prices_and_by_choice_for_intervals(tmp_path: Path) -> None:
    path = CLOSES["date and close"](tmp_path, FIVE_YEARS)
    for task in ("volatility", "interval"):
        with pytest.raises(
            ValueError, match=r"has no high and low .*--task price does not need them.*variance returns"
        ):
            check(config_of(path, task=task))
    assert "of squared returns" in check(config_of(path, task="price")).details()
    chosen = {"source": "csv", "root": str(path), "variance": "returns"}
    assert "of squared returns" in check(load(Config, {"data": chosen})).details()
    series = Series.from_prices("x", FIVE_YEARS[["close"]], 120)
    np.testing.assert_allclose(series.variance, series.returns**2, atol=1e-5)


def test_test_days_are_the_last_fifth_of_a_file(tmp_path: Path) -> None:
    path = LAYOUTS["Stooq"](tmp_path, FIVE_YEARS)
    data = PriceData(config_of(path).data, ModelConfig(), Config().training)
    assert data.config.test_start == FIVE_YEARS.index[1008].date()
    short = PriceData(config_of(LAYOUTS["Stooq"](tmp_path, made_prices(312))).data, ModelConfig(), Config().training)
    assert len(short.test_origins(short.series[0])) == 312 - 250


def test_the_summary_shows_columns_rows_and_days(tmp_path: Path, command: CommandLine) -> None:
    frame = FIVE_YEARS.copy()
    frame.iloc[700, 1] *= 100
    LAYOUTS["Investing.com, German"](tmp_path, frame)
    answer = command("projects.stockprice.train", "--check", "--data.source", "csv", "--data.root", "prices.csv")
    assert answer.returncode == 0, answer.stderr
    for part in (
        "close = Zuletzt",
        "1,259 days, 2012-01-03 to",
        "1 days with bad ticks",
        "from 2015-11-13 on",
        "252 test",
    ):
        assert part in answer.stdout, answer.stdout


def test_what_cannot_be_opened_names_the_setting(tmp_path: Path) -> None:
    def refused(write: Write, reason: str, **settings: object) -> None:
        with pytest.raises(ValueError, match=reason):
            read(write(tmp_path, PRICES), **settings)

    numbers = lines("", lambda r: plain(r[0].date(), r[5], r[4], r[3], r[2], r[1]))
    refused(numbers, "has no header: .*--data.header none --data.columns '{date: 1, open: 2")
    order = {"date": "1", "close": "3", "low": "4", "high": "5", "open": "6"}
    pd.testing.assert_frame_equal(
        read(numbers(tmp_path, PRICES), header="none", columns=order)[0][OHLC], PRICES[OHLC], check_freq=False
    )
    refused(lines("day,a,b", lambda r: plain(r[0].date(), r[4], r[4])), r"--data.columns '\{close: a\}'.*--task price")
    refused(lines("a,b,close", lambda r: plain(r[0].date(), r[4], r[4])), "has no column date")
    refused(
        lines("day,close", lambda r: plain("Total" if r[0].day == 9 else r[0].date(), r[4])),
        "'Total' in row .*leave-out",
    )
    twice = lines("date,firm,close", lambda r: plain(r[0].date(), "A", r[4]) + "\n" + plain(r[0].date(), "B", 2 * r[4]))
    refused(twice, "2 rows a day with one and the same time.*ticker: NAME")
    assert len(read_tickers(tmp_path / "prices.csv", PriceTable(columns={"ticker": "firm"}), Record())) == 2
    two_levels(PRICES, ("A", "B"), ("Price", "Ticker"))["Close"].to_csv(tmp_path / "wide.csv")
    pd.testing.assert_series_equal(
        read(tmp_path / "wide.csv", columns={"close": "B"})[0]["close"], 2 * PRICES["close"], check_freq=False
    )
