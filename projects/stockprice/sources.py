"""Sources of prices (the sample, CSV files in any layout, Yahoo) -> one validated table per ticker."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from projects.stockprice.config import DataConfig
from shared.data.tables import find_column, read_table
from shared.data.values import read_days
from shared.files import atomic

COLUMNS = ("open", "high", "low", "close", "volume")
DATES = ("date", "day", "timestamp", "time", "datetime")
SPLITS = (2.0, 3.0, 4.0, 5.0, 7.0, 10.0, 20.0, 1.5)  # usual ratios of stock splits


def load_prices(config: DataConfig) -> dict[str, pd.DataFrame]:
    """Ticker -> table of open, high, low, close, volume by day, `data.auxiliary_tickers` included.

    Raises ValueError or FileNotFoundError with one sentence.
    """
    if config.source == "sample":
        frames = {index: index_prices(index) for index in (config.index, *config.auxiliary_tickers)}
    elif config.source == "yahoo":
        frames = {
            ticker: yahoo_prices(ticker, config.root or Path("data"))
            for ticker in config.tickers + config.auxiliary_tickers
        }
    else:
        assert config.root is not None  # DataConfig requires it
        wanted = config.tickers + config.auxiliary_tickers if config.tickers else []
        paths = price_files(config.root, wanted)
        frames = {ticker_of(path): read_prices(path, config.columns) for path in paths}
        if len(frames) < len(paths):
            raise ValueError(f"{config.root} contains two files for one ticker; keep one")
    if absent := [name for name in config.auxiliary_tickers if name not in frames]:
        raise ValueError(f"data.auxiliary_tickers: {config.root} has no {', '.join(absent)}")
    if set(frames) <= set(config.auxiliary_tickers):
        raise ValueError("data.auxiliary_tickers names all tickers; none is left to forecast")
    if config.start:
        frames = {name: frame[frame.index >= pd.Timestamp(config.start)] for name, frame in frames.items()}
    return frames


def own_data(folder: Path, config: DataConfig) -> tuple[Path, Path]:
    """The sample in Yahoo's format, for `--data.source csv --data.root` and for `predict`."""
    path = folder / f"{config.index}.csv"
    folder.mkdir(parents=True, exist_ok=True)
    table = index_prices(config.index).rename_axis("date").reset_index().rename(columns=str.capitalize)
    table.to_csv(path, index=False)
    return path, path


def ticker_of(path: Path) -> str:
    """`BRK.A.csv.gz` -> `BRK.A`."""
    return re.sub(r"(\.csv)?(\.gz)?$", "", path.name, count=1, flags=re.IGNORECASE)


def index_prices(index: str) -> pd.DataFrame:
    """The S&P 500 or the NASDAQ composite, 1999-2018, from the package `arch`."""
    if index == "sp500":
        from arch.data import sp500 as source
    elif index == "nasdaq":
        from arch.data import nasdaq as source
    else:
        raise ValueError(f"data.auxiliary_tickers: the sample has no {index}, only sp500 and nasdaq")
    return check(source.load().rename(columns=str.lower)[list(COLUMNS)], index)


def price_files(root: Path, tickers: Sequence[str]) -> list[Path]:
    """The .csv files of a folder, of the given tickers or of all; or the one file."""
    if not root.exists():
        raise FileNotFoundError(f"data.root: there is no file or folder {root}")
    found = [root]
    if root.is_dir():
        tables = [p for p in root.iterdir() if re.search(r"\.csv(\.|$)", p.name.lower()) and not p.name.startswith(".")]
        found = sorted(p for p in tables if not tickers or ticker_of(p) in tickers)
    missing = sorted(set(tickers) - {ticker_of(path) for path in found})
    if missing or not found:
        raise FileNotFoundError(f"{root} has no {', '.join(missing) or 'csv file'}")
    return found


def read_prices(path: Path, columns: dict[str, str] | None = None) -> pd.DataFrame:
    """The daily prices of one .csv file, with its columns in any order and case."""
    return check(rename_columns(read_table(path), path, columns or {}), path.name)


def rename_columns(frame: pd.DataFrame, path: Path, columns: dict[str, str]) -> pd.DataFrame:
    """Find date, open, high, low, close and volume by their usual or given names; volume may be missing."""
    volumes = [
        str(c).lower() for c in frame.columns if "quantity" in str(c).lower() or str(c).lower().startswith("vol")
    ]
    usual = {"date": DATES, "volume": ("volume", *volumes)}
    if unknown := sorted(set(columns) - {"date", *COLUMNS}):
        raise ValueError(f"columns: unknown {', '.join(unknown)}; the columns are date, {', '.join(COLUMNS)}")
    setting, found = "data.columns '{close: last}' (predict: --columns ...)", {}
    for name in ("date", *COLUMNS):
        column = find_column(frame, setting, columns.get(name), usual.get(name, (name,)), path, name != "volume")
        if column is not None:
            found[name] = frame[column]
    dates = read_days(found.pop("date"), path)
    if dates.isna().any():
        raise ValueError(f"{path}, row {int(dates.isna().to_numpy().argmax()) + 2}: this is not a date")
    numbers = {name: _numbers(values, f"{path}, column {name}") for name, values in found.items()}
    return pd.DataFrame(numbers, index=pd.DatetimeIndex(dates, name="date").normalize())


def _numbers(values: pd.Series, where: str) -> np.ndarray:
    """Numbers, also with thousands separators (1,234,567.8). Raises ValueError for any other use of commas."""
    words = values.fillna("").astype(str).str.strip()
    commas = words[words.str.contains(",", regex=False)]
    invalid = commas[~commas.str.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?")]
    if len(invalid):
        raise ValueError(
            f"{where}: the comma in {invalid.iloc[0]} is not a thousands separator; write decimals with a dot"
        )
    return pd.to_numeric(words.str.replace(",", ""), errors="coerce").to_numpy()


def check(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Raise ValueError for implausible prices, sort the days, drop days without trading, and report anomalies."""
    index = frame.index
    if index.has_duplicates:
        day = index[index.duplicated()][0]
        raise ValueError(f"{name} has two rows for {day:%Y-%m-%d}; keep one")
    if not index.is_monotonic_increasing:
        print(f"{name}: the days were not in order; they are sorted now", flush=True)
        frame = frame.sort_index()
    prices = frame[["open", "high", "low", "close"]]
    missing = ~np.isfinite(prices).all(axis=1)
    if missing.any():
        print(f"{name}: {int(missing.sum())} days without a price are left out", flush=True)
        frame, prices = frame[~missing], prices[~missing]
    if frame.empty:
        raise ValueError(f"{name} has no day with all four prices")
    ranged = (prices["high"] != prices["low"]).to_numpy()
    if not ranged.any():
        raise ValueError(f"{name} has no range between low and high on any day; these are not daily prices")
    if (first := int(ranged.argmax())) > 1:  # old index data has closing prices only
        print(f"{name}: the first {first} days have no range between low and high and are left out", flush=True)
        frame, prices = frame[first:], prices[first:]
    filled = prices.eq(prices["close"].shift(), axis=0).all(axis=1)
    if filled.any():  # forward-filled holidays are trivial to forecast and distort the input
        print(f"{name}: {int(filled.sum())} days that only repeat the last close are left out (no trading)", flush=True)
        frame, prices = frame[~filled], prices[~filled]
    if (apart := frame.index.to_series().diff().dt.days.median()) > 4:
        raise ValueError(f"{name} has a row every {apart:.0f} days; these are not daily prices")
    if (prices <= 0).any(axis=None):
        day = frame.index[(prices <= 0).any(axis=1)][0]
        raise ValueError(f"{name} has a price of zero or less on {day:%Y-%m-%d}")
    top, bottom = prices[["open", "close"]].max(axis=1), prices[["open", "close"]].min(axis=1)
    wrong = (prices["high"] < top * 0.9999) | (prices["low"] > bottom * 1.0001)
    if wrong.mean() > 0.01:
        day = frame.index[wrong][0]
        raise ValueError(
            f"{name}: on {day:%Y-%m-%d} and {int(wrong.sum()) - 1} other days open or close is outside low and high"
        )
    if wrong.any():
        print(
            f"{name}: on {int(wrong.sum())} days open or close is outside low and high; the range was widened",
            flush=True,
        )
        frame = frame.assign(high=np.maximum(prices["high"], top), low=np.minimum(prices["low"], bottom))
    weekend = pd.DatetimeIndex(frame.index).dayofweek.to_numpy() >= 5
    unchanged = (frame["close"].diff() == 0).to_numpy()
    if weekend.mean() > 0.1 and unchanged[weekend].mean() > 0.9:
        raise ValueError(
            f"{name} has weekends filled with Friday's price, which are trivial to forecast; remove these rows"
        )
    change = (frame["close"] / frame["close"].shift()).to_numpy()[1:]
    for ratio in SPLITS:
        jump = (np.abs(change * ratio - 1) < 0.03) | (np.abs(change / ratio - 1) < 0.03)
        if jump.any():
            day = frame.index[1:][jump][0]
            factor = f"{change[jump][0]:.2f} on {day:%Y-%m-%d}"
            print(f"{name}: the close changes by a factor of {factor}: not adjusted for a split?", flush=True)
            break
    gaps = frame.index.to_series().diff().dt.days
    if gaps.max() > 14:
        print(f"{name}: a gap of {int(gaps.max())} days before {gaps.idxmax():%Y-%m-%d}", flush=True)
    return frame


def yahoo_prices(ticker: str, folder: Path) -> pd.DataFrame:
    """Daily prices adjusted for splits and dividends, downloaded once into `yahoo/<ticker>.csv`."""
    path = folder / "yahoo" / f"{ticker}.csv"
    if not path.is_file():
        try:
            import yfinance
        except ImportError:
            raise ValueError("data.source yahoo needs an extra package: pip install -e '.[yahoo]'") from None
        try:
            frame = yfinance.Ticker(ticker).history(period="max", auto_adjust=True)
        except Exception as error:  # yfinance raises many types
            reason = "rate limit; try again in an hour" if "ate limit" in str(error) else str(error)
            raise ValueError(f"Yahoo did not deliver {ticker}: {reason}") from None
        if frame.empty:
            raise ValueError(f"Yahoo has no prices for {ticker}, or cannot be reached")
        with atomic(path) as temporary:
            frame.tz_localize(None).rename_axis("date").to_csv(temporary)
    return read_prices(path)
