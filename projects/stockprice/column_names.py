"""What the columns of price tables are called, in any language."""

from projects.stockprice.config import PRICES
from shared.data.tables import plain_name

NAMES = {
    "date": (
        "date", "day", "trade date", "trading date", "observation date", "datetime", "timestamp", "time",
        "open time", "gmt time", "local time", "date time", "unix", "unix timestamp", "exchange date", "as of date",
        "t", "datum", "tag", "zeit", "fecha", "data", "jour", "日期", "交易日期", "时间", "日付", "日付け", "일자",
        "날짜", "дата", "tarih", "dato", "key", "index", "unnamed0", "",
    ),
    "ticker": (
        "ticker", "symbol", "name", "stock", "tic", "ts code", "stock code", "code", "instrument", "asset", "pair",
        "isin", "security", "company", "coin", "crypto", "股票代码", "代码", "wertpapier",
    ),
    "open": (
        "open", "open price", "opening price", "o", "first", "eröffnung", "eröffn", "eröffnungskurs", "erster",
        "apertura", "abertura", "ouverture", "ouv", "px open", "mid open", "bid open", "开盘", "开盘价", "始値",
        "시가", "otwarcie", "откр", "открытие", "açılış", "öppning", "öppningskurs",
    ),
    "high": (
        "high", "high price", "h", "max", "day high", "hoch", "höchst", "höchstkurs", "tageshoch", "máximo", "máx",
        "maximum", "plus haut", "haut", "massimo", "máxima", "px high", "mid high", "bid high", "最高", "最高价",
        "高", "高値", "고가", "najwyższy", "макс", "максимум", "yüksek", "hoog", "högst", "högstakurs",
    ),
    "low": (
        "low", "low price", "l", "min", "day low", "tief", "tiefst", "tiefstkurs", "tagestief", "mínimo", "mín",
        "minimum", "plus bas", "bas", "minimo", "mínima", "px low", "mid low", "bid low", "最低", "最低价", "低",
        "安値", "저가", "najniższy", "мин", "минимум", "düşük", "laag", "lägst", "lägstakurs",
    ),
    "close": (
        "close", "close/last", "close price", "closing price", "closing", "closing value", "c", "last",
        "last price", "ltp", "settle", "settlement price", "price", "schlusskurs", "schluss", "zuletzt", "letzter",
        "letzter preis", "kurs", "último", "ultimo", "cierre", "fechamento", "chiusura", "clôture", "dernier",
        "cours", "px last", "mid close", "bid close", "nav", "net asset value", "value", "rate",
        "close close price adjusted for splits", "收盘", "收盘价", "終値", "종가", "zamknięcie", "zamkniecie",
        "цена", "закрытие", "şimdi", "kapanış", "laatst", "slot", "senast", "stängning", "stängningskurs",
    ),
    "volume": (
        "volume", "vol", "v", "tick volume", "tickvol", "shares traded", "total trade quantity",
        "total traded quantity", "no of shares", "quantity", "traded volume", "volumen", "volume btc", "成交量",
        "交易量", "出来高", "거래량", "wolumen", "объём", "hac", "omsättning",
    ),
    "adjusted open": ("adj open", "adjusted open", "open adj"),
    "adjusted high": ("adj high", "adjusted high", "high adj"),
    "adjusted low": ("adj low", "adjusted low", "low adj"),
    "adjusted close": (
        "adj close", "adjusted close", "close adj", "adjusted", "adj closing price", "adjusted closing price",
        "adj close adjusted close price adjusted for splits and dividend and or capital gain distributions",
    ),
}  # fmt: skip
"""Column -> its usual names, the more certain ones first; compared by `plain_name`, without currencies."""
KEYS = {plain_name(name): field for field, names in NAMES.items() for name in names if len(name) > 1}
FIELDS = {key for key, field in KEYS.items() if field.removeprefix("adjusted ") in (*PRICES, "volume")}
