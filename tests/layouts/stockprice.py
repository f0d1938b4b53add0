"""Daily prices in the layouts of vendors, libraries and terminals: the layouts are theirs, the prices are made."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

Write = Callable[[Path, pd.DataFrame], Path]
Row = tuple[pd.Timestamp, float, float, float, float, int]
NAMES = ["open", "high", "low", "close", "volume"]


def made_prices(days: int = 120, seed: int = 0, start: str = "2012-01-03", freq: str = "B") -> pd.DataFrame:
    """Prices with two decimals on working days, as a table of open, high, low, close, volume by day."""
    generator = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(generator.normal(0, 0.01, days)))
    first = np.append(100, close[:-1]) * np.exp(generator.normal(0, 0.004, days))
    high, low = np.maximum(first, close) * 1.006, np.minimum(first, close) * 0.994
    frame = pd.DataFrame({"open": first, "high": high, "low": low, "close": close}).round(2)
    frame["volume"] = generator.integers(10**6, 10**7, days)
    return frame.set_axis(pd.date_range(start, periods=days, freq=freq, name="date"))


def rows(frame: pd.DataFrame) -> list[Row]:
    return list(frame[NAMES].itertuples(name=None))  # type: ignore[arg-type]


def lines(
    header: str,
    row: Callable[[Row], str],
    name: str = "prices.csv",
    newest_first: bool = False,
    encoding: str = "utf-8",
) -> Write:
    """A text file with a header (or none) and one line a day."""

    def write(folder: Path, frame: pd.DataFrame) -> Path:
        body = [row(one) for one in rows(frame)]
        text = "\n".join([*([header] if header else []), *(body[::-1] if newest_first else body)]) + "\n"
        (folder / name).write_bytes(text.encode(encoding))
        return folder / name

    return write


def comma(number: float) -> str:
    """1234.5 -> 1.234,50"""
    return f"{number:,.2f}".translate(str.maketrans(",.", ".,"))


def epoch(day: pd.Timestamp, unit: int = 1, zone: str = "UTC", at: str = "00:00") -> int:
    return int(pd.Timestamp(f"{day:%Y-%m-%d} {at}", tz=zone).timestamp() * unit)


def plain(day: object, *cells: object) -> str:
    return ",".join(map(str, (day, *cells)))


def quoted(*cells: str) -> str:
    return ",".join(f'"{cell}"' for cell in cells)


def german(r: Row) -> str:
    return quoted(
        f"{r[0]:%d.%m.%Y}", comma(r[4]), comma(r[1]), comma(r[2]), comma(r[3]), f"{comma(r[5] / 1e6)}M", "0,1%"
    )


def investing(*header: str) -> Write:
    """Investing.com in the languages that write 31.01.2012 and 1.234,50."""
    return lines(quoted(*header), german, newest_first=True)


def yfinance(header: Callable[[pd.DataFrame], pd.DataFrame], name: str = "prices.csv", **options: bool) -> Write:
    def write(folder: Path, frame: pd.DataFrame) -> Path:
        header(frame).to_csv(folder / name, **options)  # type: ignore[call-overload]
        return folder / name

    return write


def two_levels(frame: pd.DataFrame, tickers: tuple[str, ...], levels: tuple[str, str]) -> pd.DataFrame:
    """As yfinance.download returns it: columns (Price, Ticker)."""
    order = ["close", "high", "low", "open", "volume"]
    parts = {(c.title(), t): frame[c] * (1 + n if c != "volume" else 1) for c in order for n, t in enumerate(tickers)}
    wide = pd.DataFrame(parts).rename_axis("Date")
    return wide.rename_axis(levels, axis=1)


def flat(join: Callable[[str, str], str]) -> Write:
    def columns(frame: pd.DataFrame) -> pd.DataFrame:
        wide = two_levels(frame, ("AAPL", "MSFT"), ("Price", "Ticker"))
        return wide.set_axis([join(*pair) for pair in wide.columns], axis=1)

    return yfinance(columns)


def as_json(content: Callable[[list[Row]], object]) -> Write:
    def write(folder: Path, frame: pd.DataFrame) -> Path:
        (folder / "prices.json").write_text(json.dumps(content(rows(frame))))
        return folder / "prices.json"

    return write


def fields(*names: str) -> Callable[[Row], dict[str, object]]:
    """A row as a dictionary: its day, open, high, low, close, volume under these names."""
    return lambda r: dict(zip(names, (f"{r[0]:%Y-%m-%d}", *r[1:])))


def parquet(folder: Path, frame: pd.DataFrame) -> Path:
    frame.rename(columns=str.title).rename_axis("Date").to_parquet(folder / "prices.parquet")
    return folder / "prices.parquet"


LAYOUTS: dict[str, Write] = {
    "Yahoo": lines("Date,Open,High,Low,Close,Adj Close,Volume", lambda r: plain(r[0].date(), *r[1:5], r[4], r[5])),
    "Yahoo, copied from its page": lines(
        "Date\tOpen\tHigh\tLow\tClose Close price adjusted for splits.\tAdj Close Adjusted close price adjusted for "
        "splits and dividend and/or capital gain distributions.\tVolume",
        lambda r: (
            "\t".join([f"{r[0]:%b %d, %Y}", *map(str, r[1:5]), str(r[4]), f"{r[5]:,}"])
            + (f"\n{r[0]:%b %d, %Y}\t0.63 Dividend\t\t\t\t\t" if r[0].day == 10 else "")
        ),
        newest_first=True,
    ),
    "yfinance, one ticker": yfinance(lambda f: two_levels(f, ("AAPL",), ("Price", "Ticker"))),
    "yfinance, several tickers": yfinance(lambda f: two_levels(f, ("AAPL", "MSFT"), ("Price", "Ticker"))),
    "yfinance, grouped by ticker": yfinance(
        lambda f: two_levels(f, ("AAPL", "MSFT"), ("Price", "Ticker")).swaplevel(axis=1).sort_index(axis=1)
    ),
    "yfinance, index reset": yfinance(
        lambda f: two_levels(f, ("AAPL", "MSFT"), ("Price", "Ticker")).reset_index(), index=False
    ),
    "pandas_datareader": yfinance(lambda f: two_levels(f, ("AAPL", "MSFT"), ("Attributes", "Symbols"))),
    "columns Close_AAPL": flat(lambda field, ticker: f"{field}_{ticker}"),
    "columns ('Close', 'AAPL')": flat(lambda field, ticker: str((field, ticker))),
    "quantmod": flat(lambda field, ticker: f"{ticker}.{field}"),
    "yfinance history of New York": lines(
        "Date,Open,High,Low,Close,Volume,Dividends,Stock Splits",
        lambda r: plain(r[0].tz_localize("America/New_York"), *r[1:], 0.0, 0.0),
    ),
    "days of Tokyo in UTC": lines(
        "Date,Open,High,Low,Close,Volume",
        lambda r: plain(f"{r[0].tz_localize('Asia/Tokyo').tz_convert('UTC'):%Y-%m-%dT%H:%M:%SZ}", *r[1:]),
    ),
    "days of London in UTC": lines(
        "Date,Open,High,Low,Close,Volume",
        lambda r: plain(r[0].tz_localize("Europe/London").tz_convert("UTC"), *r[1:]),
    ),
    "days of Sydney in seconds": lines(
        "timestamp,open,high,low,close,volume",
        lambda r: plain(epoch(r[0], zone="Australia/Sydney", at="10:00"), *r[1:]),
    ),
    "Stooq": lines("Date,Open,High,Low,Close,Volume", lambda r: plain(r[0].date(), *r[1:])),
    "Stooq, Polish": lines(
        "Data,Otwarcie,Najwyzszy,Najnizszy,Zamkniecie,Wolumen", lambda r: plain(r[0].date(), *r[1:])
    ),
    "Stooq, archive": lines(
        "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>",
        lambda r: plain("AAPL.US", "D", f"{r[0]:%Y%m%d}", "000000", *r[1:], 0),
        name="aapl.us.txt",
    ),
    "Investing.com": lines(
        quoted("Date", "Price", "Open", "High", "Low", "Vol.", "Change %"),
        lambda r: quoted(
            f"{r[0]:%m/%d/%Y}", *(f"{r[n] * 10:,.2f}" for n in (4, 1, 2, 3)), f"{r[5] / 1e6:.2f}M", "0.1%"
        ).replace('"0.1%"', '"-0.33%"'),
        newest_first=True,
        encoding="utf-8-sig",
    ),
    "Investing.com, German": investing("Datum", "Zuletzt", "Eröffn.", "Hoch", "Tief", "Vol.", "+/- %"),
    "Investing.com, French": investing("Date", "Dernier", "Ouv.", " Plus Haut", "Plus Bas", "Vol.", "Variation %"),
    "Investing.com, Spanish": investing("Fecha", "Último", "Apertura", "Máximo", "Mínimo", "Vol.", "% var."),
    "Investing.com, Italian": investing("Data", "Ultimo", "Apertura", "Massimo", "Minimo", "Vol.", "Var. %"),
    "Investing.com, Portuguese": investing("Data", "Último", "Abertura", "Máxima", "Mínima", "Vol.", "Var%"),
    "Investing.com, Turkish": investing("Tarih", "Şimdi", "Açılış", "Yüksek", "Düşük", "Hac.", "Fark %"),
    "Investing.com, Russian": investing("Дата", "Цена", "Откр.", "Макс.", "Мин.", "Объём", "Изм. %"),
    "Investing.com, Chinese": investing("日期", "收盘", "开盘", "高", "低", "交易量", "涨跌幅"),
    "Investing.com, Japanese": investing("日付け", "終値", "始値", "高値", "安値", "出来高", "変化率 %"),
    "Alpha Vantage": lines(
        "timestamp,open,high,low,close,volume", lambda r: plain(r[0].date(), *r[1:]), newest_first=True
    ),
    "Alpha Vantage, JSON": as_json(
        lambda all_rows: {
            "Meta Data": {"1. Information": "Daily Prices", "2. Symbol": "IBM"},
            "Time Series (Daily)": {
                f"{r[0]:%Y-%m-%d}": {
                    f"{n}. {name}": str(value) for n, (name, value) in enumerate(zip(NAMES, r[1:]), start=1)
                }
                for r in all_rows[::-1]
            },
        }
    ),
    "Polygon, JSON": as_json(
        lambda all_rows: {
            "ticker": "AAPL",
            "results": [dict(zip("ohlcv", r[1:]), t=epoch(r[0], 1000, "America/New_York")) for r in all_rows],
        }
    ),
    "Finnhub, JSON": as_json(
        lambda all_rows: {
            **{name: [r[n] for r in all_rows] for n, name in enumerate("ohlcv", start=1)},
            "s": "ok",
            "t": [epoch(r[0]) for r in all_rows],
        }
    ),
    "JSON lines": lines(
        "", lambda r: json.dumps(fields("date", "open", "high", "low", "close", "volume")(r)), name="prices.jsonl"
    ),
    "NSE": lines(
        quoted(
            "Date ", "series ", "OPEN ", "HIGH ", "LOW ", "PREV. CLOSE ", "ltp ", "close ", "vwap ", "52W H ", "VOLUME "
        ),
        lambda r: quoted(
            f"{r[0]:%d-%b-%Y}", "EQ", *(f"{v:,.2f}" for v in (r[1], r[2], r[3], 1.0, r[1], r[4], 2.0, 3.0)), f"{r[5]:,}"
        ),
        newest_first=True,
        encoding="utf-8-sig",
    ),
    "NSE, index": lines(
        "Date,Open,High,Low,Close,Shares Traded,Turnover (Rs. Cr)",
        lambda r: plain(f"{r[0]:%d-%b-%Y}".upper(), *r[1:], 1),
    ),
    "BSE": lines(
        "Date,Open Price,High Price,Low Price,Close Price,WAP,No.of Shares,No. of Trades,Total Turnover (Rs.)",
        lambda r: plain(f"{r[0].day}-{r[0]:%B-%Y}", *r[1:5], r[4], r[5], 1, 1),
        newest_first=True,
    ),
    "Nasdaq.com": lines(
        "Date,Close/Last,Volume,Open,High,Low",
        lambda r: plain(f"{r[0]:%m/%d/%Y}", f"${r[4]}", r[5], f"${r[1]}", f"${r[2]}", f"${r[3]}"),
        newest_first=True,
    ),
    "Nasdaq Nordic": lines(
        "sep=;\nDate;Bid;Ask;Opening price;High price;Low price;Closing price;Average price;Total volume;Trades",
        lambda r: f"{r[0]:%Y-%m-%d};1,0;2,0;" + ";".join(comma(r[n]) for n in (1, 2, 3, 4)) + f";1,5;{r[5]};7",
        newest_first=True,
    ),
    "MarketWatch": lines(
        "Date,Open,High,Low,Close,Volume",
        lambda r: plain(f"{r[0]:%m/%d/%Y}", *r[1:5], f'"{r[5]:,}"'),
        newest_first=True,
    ),
    "Tiingo": lines(
        "date,close,high,low,open,volume,adjClose,adjHigh,adjLow,adjOpen,adjVolume,divCash,splitFactor",
        lambda r: plain(
            f"{r[0]:%Y-%m-%dT00:00:00.000Z}",
            *(round(7 * r[n], 2) if r[0].month < 4 else r[n] for n in (4, 2, 3, 1)),
            r[5],
            *(r[n] for n in (4, 2, 3, 1)),
            r[5],
            0.0,
            1.0,
        ),
    ),
    "WIKI": lines(
        "Date,Open,High,Low,Close,Volume,Ex-Dividend,Split Ratio,Adj. Open,Adj. High,Adj. Low,Adj. Close,Adj. Volume",
        lambda r: plain(r[0].date(), *(round(2 * v, 2) for v in r[1:5]), r[5], 0.0, 1.0, *r[1:]),
        newest_first=True,
    ),
    "Sharadar": lines(
        "ticker,date,open,high,low,close,volume,closeadj,closeunadj,lastupdated",
        lambda r: plain("AAPL", r[0].date(), *r[1:], r[4], r[4] * 4, "2020-01-01"),
    ),
    "Binance": lines(
        "",
        lambda r: plain(
            epoch(r[0], 1000), *(f"{v:.8f}" for v in r[1:5]), r[5], epoch(r[0], 1000) + 86399999, 1, 2, 3, 4, 0
        ),
        name="BTCUSDT-1d.csv",
    ),
    "Binance, microseconds": lines(
        "", lambda r: plain(epoch(r[0], 10**6), *r[1:], epoch(r[0], 10**6) + 1, "1e9", 2, 3.5, 4, 0)
    ),
    "Kraken": lines("", lambda r: plain(epoch(r[0]), *r[1:], 1234)),
    "CryptoDataDownload": lines(
        "https://www.CryptoDataDownload.com\nunix,date,symbol,open,high,low,close,Volume BTC,Volume USD",
        lambda r: plain(epoch(r[0]), f"{r[0]:%Y-%m-%d 00:00:00}", "BTC/USD", *r[1:], "1e6"),
        newest_first=True,
    ),
    "CoinDesk": lines(
        "Currency,Date,Closing Price (USD),24h Open (USD),24h High (USD),24h Low (USD)",
        lambda r: plain("BTC", r[0].date(), r[4], *r[1:4]),
    ),
    "CoinMarketCap": lines(
        "timeOpen;timeClose;timeHigh;timeLow;name;open;high;low;close;volume;marketCap;timestamp",
        lambda r: ";".join(
            [f'"{r[0]:%Y-%m-%dT00:00:00.000Z}"'] * 4
            + ["2781", *map(str, r[1:]), "1e9", f'"{r[0]:%Y-%m-%dT23:59:59.999Z}"']
        ),
        newest_first=True,
    ),
    "MetaTrader 4": lines("", lambda r: plain(f"{r[0]:%Y.%m.%d,00:00}", *r[1:])),
    "MetaTrader 5": lines(
        "<DATE>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>",
        lambda r: "\t".join([f"{r[0]:%Y.%m.%d}", *map(str, r[1:]), "0", "9"]),
    ),
    "MetaTrader 5 without header": lines(
        "", lambda r: "\t".join([f"{r[0]:%Y.%m.%d}", "00:00:00", *map(str, r[1:]), "0", "9"])
    ),
    "histdata": lines("", lambda r: ";".join([f"{r[0]:%Y%m%d} 000000", *map(str, r[1:])])),
    "Dukascopy": lines("Gmt time,Open,High,Low,Close,Volume", lambda r: plain(f"{r[0]:%d.%m.%Y} 00:00:00.000", *r[1:])),
    "TradingView": lines("time,open,high,low,close,Volume", lambda r: plain(epoch(r[0], at="14:30"), *r[1:])),
    "tushare": lines(
        "ts_code,trade_date,open,high,low,close,pre_close,change,pct_chg,vol,amount",
        lambda r: plain("000001.SZ", f"{r[0]:%Y%m%d}", *r[1:5], r[1], 0.1, 0.2, r[5], 1e5),
        newest_first=True,
    ),
    "akshare": lines(
        "日期,开盘,收盘,最高,最低,成交量,成交额,振幅,涨跌幅,涨跌额,换手率",
        lambda r: plain(r[0].date(), r[1], r[4], r[2], r[3], r[5], 1, 2, 3, 4, 5),
    ),
    "baostock": lines(
        "date,code,open,high,low,close,preclose,volume,amount,adjustflag,turn,tradestatus,pctChg,isST",
        lambda r: plain(r[0].date(), "sh.600000", *r[1:5], r[1], r[5], 1, 3, 0.1, 1, 0.2, 0),
    ),
    "Google Finance": lines(
        "Date,Open,High,Low,Close,Volume", lambda r: plain(f"{r[0].month}/{r[0].day}/{r[0].year} 16:00:00", *r[1:])
    ),
    "Google Finance, old": lines(
        "Date,Open,High,Low,Close,Volume", lambda r: plain(f"{r[0].day}-{r[0]:%b-%y}", *r[1:]), newest_first=True
    ),
    "German, semicolons, cp1252": lines(
        "Datum;Eröffnung;Hoch;Tief;Schlusskurs;Volumen",
        lambda r: ";".join([f"{r[0]:%d.%m.%Y}", *map(comma, r[1:5]), str(r[5])]),
        encoding="cp1252",
    ),
    "long table of one ticker": lines(
        "date,open,high,low,close,volume,Name", lambda r: plain(r[0].date(), *r[1:], "AAL")
    ),
    "Parquet": parquet,
}
"""Name of a layout -> what writes the first ticker's prices in it."""
CLOSES: dict[str, Write] = {
    "FRED": lines("observation_date,SP500", lambda r: plain(r[0].date(), r[4])),
    "FRED, old": lines("DATE,VALUE", lambda r: plain(r[0].date(), "." if r[0].day == 25 else r[4])),
    "date and close": lines("date,close", lambda r: plain(r[0].date(), r[4])),
    "date and close without header": lines("", lambda r: plain(r[0].date(), r[4])),
    "fund": lines("Date;Net Asset Value", lambda r: f"{r[0]:%d.%m.%Y};{comma(r[4])}"),
    "close in every column": lines("Date,Open,High,Low,Close", lambda r: plain(r[0].date(), r[4], r[4], r[4], r[4])),
}
"""Layouts that hold closes only."""
