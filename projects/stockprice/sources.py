"""Sources of prices (the sample, files in any layout, Yahoo) -> one validated table per ticker."""

import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from projects.stockprice.cleaning import clean
from projects.stockprice.config import PRICES, DataConfig, PriceTable
from projects.stockprice.layouts import read_columns
from projects.stockprice.record import Record
from shared.data.summary import named
from shared.data.tables import COMPRESSED, SUFFIXES, is_table
from shared.files import atomic
from shared.names import shown

AUTO = PriceTable()
Prices = dict[str, pd.DataFrame]
"""Ticker -> table of open, high, low, close (or the close alone) and volume by day."""


def load_prices(config: DataConfig, record: Record | None = None) -> Prices:
    """The prices of every ticker, `data.auxiliary_tickers` included. What was left out goes into the record.

    Raises ValueError or FileNotFoundError with one sentence.
    """
    record = Record() if record is None else record
    if config.source == "sample":
        indices = dict.fromkeys((config.index, *config.auxiliary_tickers, *set(config.inputs) - {"volume"}))
        frames = {index: index_prices(index, config, record) for index in indices}
    elif config.source == "yahoo":
        folder = config.root or Path("data")
        others = [name for name in config.inputs if name != "volume"]
        frames = {name: yahoo_prices(name, folder, config, record) for name in (*_wanted(config), *others)}
    else:
        assert config.root is not None  # DataConfig requires it
        frames = files_of_prices(config.root, config, record)
    if absent := [name for name in config.auxiliary_tickers if name not in frames]:
        raise ValueError(f"data.auxiliary_tickers: {config.root} has no {', '.join(absent)}")
    frames = with_inputs(frames, config)
    if set(frames) <= set(config.auxiliary_tickers):
        raise ValueError("data.auxiliary_tickers names all tickers; none is left to forecast")
    return frames


def with_inputs(frames: Prices, config: DataConfig) -> Prices:
    """Every ticker with a column for each of `data.inputs`: its own, or the closes of the ticker of that name, which is
    not forecast itself."""
    for name in config.inputs:
        without = [ticker for ticker, frame in frames.items() if name not in frame]
        if name in frames:
            closes = frames[name]["close"]
            frames = {ticker: joined(frame, name, closes) for ticker, frame in frames.items() if ticker != name}
        elif without:
            raise ValueError(
                f"data.inputs: {without[0]} has no column {name}, and {config.root or config.source} no such ticker"
            )
    return frames


def joined(frame: pd.DataFrame, name: str, closes: pd.Series) -> pd.DataFrame:
    """A ticker's table with the last known closes of another one, at most five days old, as a column."""
    return frame.assign(**{name: closes.reindex(frame.index, method="ffill", tolerance=pd.Timedelta(days=5))})


def own_data(folder: Path, config: DataConfig) -> tuple[Path, Path]:
    """The sample in Yahoo's format, for `--data.source csv --data.root` and for `predict`."""
    path = folder / f"{config.index}.csv"
    folder.mkdir(parents=True, exist_ok=True)
    table = index_prices(config.index).rename_axis("date").reset_index().rename(columns=str.capitalize)
    table.to_csv(path, index=False)
    return path, path


def ticker_of(path: Path) -> str:
    """`BRK.A.csv.gz` -> `BRK.A`."""
    endings = "|".join(re.escape(suffix) for suffix in SUFFIXES)
    packed = "|".join(re.escape(suffix) for suffix in COMPRESSED)
    return re.sub(rf"({endings})?({packed})?$", "", path.name, count=1, flags=re.IGNORECASE)


def index_prices(index: str, form: PriceTable = AUTO, record: Record | None = None) -> pd.DataFrame:
    """The S&P 500 or the NASDAQ composite, 1999-2018, from the package `arch`."""
    if index == "sp500":
        from arch.data import sp500 as source
    elif index == "nasdaq":
        from arch.data import nasdaq as source
    else:
        raise ValueError(f"data.auxiliary_tickers: the sample has no {index}, only sp500 and nasdaq")
    frame = source.load().rename(columns=str.lower)[[*PRICES, "volume"]]
    return clean(frame, index, form, record or Record())


def files_of_prices(root: Path, config: DataConfig, record: Record) -> Prices:
    """The tickers of one file, or of all files of a folder. In a folder, unusable files are left out and named."""
    wanted = _wanted(config)
    paths = price_files(root, wanted)
    if wanted and root.is_dir():
        paths += [path for path in price_files(root, []) if ticker_of(path) in config.inputs and path not in paths]
    frames: Prices = {}
    errors = []
    for path in paths:
        try:
            found = read_tickers(path, config, record, several=len(paths) > 1)
        except (ValueError, OSError) as error:
            if len(paths) == 1 or ticker_of(path) in wanted:
                raise
            errors.append(error)
            record.leave_out("files", [shown(error).removeprefix(f"{path.parent}/")])
            continue
        if double := set(frames) & set(found):
            raise ValueError(f"{root} contains two files for one ticker, {', '.join(sorted(double))}; keep one")
        frames |= found
    if not frames and errors:
        raise errors[0]
    if missing := [name for name in wanted if name not in frames]:
        there = [*frames] or [ticker_of(path) for path in paths]
        raise FileNotFoundError(f"{root} has no {', '.join(missing)}; it has {named(there, 20)} (data.tickers)")
    return frames if not wanted else {name: frames[name] for name in frames if name in (*wanted, *config.inputs)}


def _wanted(config: DataConfig) -> list[str]:
    """The tickers that are read, or none for all."""
    return [*config.tickers, *config.auxiliary_tickers] if config.tickers else []


def price_files(root: Path, tickers: Sequence[str]) -> list[Path]:
    """The tables of a folder (else of its subfolders), of the given tickers if there are files of these names; or the
    one file."""
    if not root.exists():
        raise FileNotFoundError(f"data.root: there is no file or folder {root}")
    if not root.is_dir():
        return [root]
    for inside in (root.iterdir(), root.rglob("*")):
        found = sorted(p for p in inside if is_table(p) and p.is_file() and not p.name.startswith("."))
        if found:
            named_so = [path for path in found if ticker_of(path) in tickers]
            return named_so if {ticker_of(path) for path in named_so} >= set(tickers) and tickers else found
    raise FileNotFoundError(f"{root} has no csv file or other table")


def read_tickers(path: Path, form: PriceTable, record: Record, several: bool = False) -> Prices:
    """The prices of every ticker of one file. several: it is one of several files.

    Raises ValueError with one sentence; in a table of several tickers the unusable ones are left out and named.
    """
    record.source = "" if several else path.name
    table = read_columns(path, form, record)
    groups = [(str(name) or ticker_of(path), rows) for name, rows in table.groupby("ticker", sort=False)]
    chosen = [group for group in groups if group[0] in _names(form)] or groups
    frames, errors = {}, []
    for ticker, rows in chosen:
        label = path.name if len(chosen) == 1 else ticker
        frame = rows.set_index("stamp").drop(columns="ticker")
        try:
            frames[ticker] = clean(frame.dropna(axis=1, how="all"), label, form, record)
        except ValueError as error:
            if len(chosen) == 1:
                raise
            errors.append(error)
            record.leave_out("tickers", [shown(error)])
    if not frames:
        raise errors[0]
    return frames


def _names(form: PriceTable) -> list[str]:
    return _wanted(form) if isinstance(form, DataConfig) else form.tickers


def read_ticker(path: Path, form: PriceTable = AUTO, record: Record | None = None) -> tuple[str, pd.DataFrame]:
    """Name and prices of the one ticker of a file. Raises ValueError where there are several."""
    record = Record() if record is None else record
    frames = read_tickers(path, form, record)
    if len(frames) > 1:
        names = list(frames)
        raise ValueError(
            f"{path} has {len(names)} tickers ({named(names, 10)}); name one: --data.tickers '[{names[0]}]'"
        )
    name, frame = next(iter(frames.items()))
    for wanted in (wanted for wanted in form.inputs if wanted not in frame):
        beside = [other for other in price_files(path.parent, []) if ticker_of(other) == wanted]
        if not beside:
            raise ValueError(f"{path} has no column {wanted}, which this run needs, and no file of that name beside it")
        frame = joined(frame, wanted, read_prices(beside[0])["close"])
    record.say(path)
    return name, frame


def read_prices(path: Path, form: PriceTable = AUTO) -> pd.DataFrame:
    """The daily prices of a file of one ticker, with its columns in any order and case."""
    return read_ticker(path, form)[1]


def yahoo_prices(ticker: str, folder: Path, form: PriceTable, record: Record) -> pd.DataFrame:
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
    return read_tickers(path, form.model_copy(update={"tickers": []}), record, several=True)[ticker]
