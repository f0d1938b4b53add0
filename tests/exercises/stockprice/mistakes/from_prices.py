"""Wrong bodies of `Series.from_prices`."""


def scaled_by_everything(cls, name, frame, volatility_window):
    """The features are standardised by all days, also later ones; the future leaks into every feature."""
    close = frame["close"].to_numpy(float)
    days = frame.index.to_numpy().astype("datetime64[D]")
    returns = np.diff(np.log(close), prepend=np.log(close[0]))
    returns[after_gap(days)] = 0
    log_range = np.full(len(close), np.nan)
    if "high" in frame:
        log_range = np.log(frame["high"].to_numpy(float) / frame["low"].to_numpy(float))
    variance = np.where(log_range > 0, log_range**2 / (4 * np.log(2)), returns**2)
    smallest = pd.Series(np.where(variance > 0, variance, np.nan)).cummin().ffill().bfill().to_numpy()
    variance = np.where(variance > 0, variance, 0.01 * smallest)
    log_variance = pd.Series(np.log(variance))
    min_days = min(MIN_LEVEL_DAYS, volatility_window)
    level = log_variance.rolling(volatility_window, min_periods=min_days).mean().to_numpy()
    relative = returns / returns.std()
    wide = (log_variance - log_variance.mean()) / log_variance.std()
    features = [wide, relative, np.minimum(relative, 0), np.abs(relative), level - log_variance.mean()]
    features = np.clip(np.stack(features, axis=1), -8, 8).astype(np.float32)
    opened = frame["open" if "open" in frame else "close"].to_numpy(float)
    return cls(name, days, opened, close, returns, log_range, variance, level, features)


def smallest_of_all_days(cls, name, frame, volatility_window):
    """Days without any move get 1 % of the smallest variance of all days; later days are not known yet."""
    close = frame["close"].to_numpy(float)
    days = frame.index.to_numpy().astype("datetime64[D]")
    returns = np.diff(np.log(close), prepend=np.log(close[0]))
    returns[after_gap(days)] = 0
    log_range = np.full(len(close), np.nan)
    if "high" in frame:
        log_range = np.log(frame["high"].to_numpy(float) / frame["low"].to_numpy(float))
    variance = np.where(log_range > 0, log_range**2 / (4 * np.log(2)), returns**2)
    variance = np.where(variance > 0, variance, 0.01 * variance[variance > 0].min())
    log_variance = pd.Series(np.log(variance))
    min_days = min(MIN_LEVEL_DAYS, volatility_window)
    level = log_variance.rolling(volatility_window, min_periods=min_days).mean().to_numpy()
    relative = returns / np.exp(level / 2)
    mean_reversion = level - log_variance.expanding().mean().to_numpy()
    features = [log_variance - level, relative, np.minimum(relative, 0), np.abs(relative), mean_reversion]
    features = np.clip(np.stack(features, axis=1), -8, 8).astype(np.float32)
    opened = frame["open" if "open" in frame else "close"].to_numpy(float)
    return cls(name, days, opened, close, returns, log_range, variance, level, features)


def centred_level(cls, name, frame, volatility_window):
    """The level is centred on the day; half of its days are not known yet."""
    close = frame["close"].to_numpy(float)
    days = frame.index.to_numpy().astype("datetime64[D]")
    returns = np.diff(np.log(close), prepend=np.log(close[0]))
    returns[after_gap(days)] = 0
    log_range = np.full(len(close), np.nan)
    if "high" in frame:
        log_range = np.log(frame["high"].to_numpy(float) / frame["low"].to_numpy(float))
    variance = np.where(log_range > 0, log_range**2 / (4 * np.log(2)), returns**2)
    smallest = pd.Series(np.where(variance > 0, variance, np.nan)).cummin().ffill().bfill().to_numpy()
    variance = np.where(variance > 0, variance, 0.01 * smallest)
    log_variance = pd.Series(np.log(variance))
    min_days = min(MIN_LEVEL_DAYS, volatility_window)
    level = log_variance.rolling(volatility_window, min_periods=min_days, center=True).mean().to_numpy()
    relative = returns / np.exp(level / 2)
    mean_reversion = level - log_variance.expanding().mean().to_numpy()
    features = [log_variance - level, relative, np.minimum(relative, 0), np.abs(relative), mean_reversion]
    features = np.clip(np.stack(features, axis=1), -8, 8).astype(np.float32)
    opened = frame["open" if "open" in frame else "close"].to_numpy(float)
    return cls(name, days, opened, close, returns, log_range, variance, level, features)


def level_as_deviation(cls, name, frame, volatility_window):
    """Returns are divided by exp(level); the level is a log variance, so that a deviation is exp(level / 2)."""
    close = frame["close"].to_numpy(float)
    days = frame.index.to_numpy().astype("datetime64[D]")
    returns = np.diff(np.log(close), prepend=np.log(close[0]))
    returns[after_gap(days)] = 0
    log_range = np.full(len(close), np.nan)
    if "high" in frame:
        log_range = np.log(frame["high"].to_numpy(float) / frame["low"].to_numpy(float))
    variance = np.where(log_range > 0, log_range**2 / (4 * np.log(2)), returns**2)
    smallest = pd.Series(np.where(variance > 0, variance, np.nan)).cummin().ffill().bfill().to_numpy()
    variance = np.where(variance > 0, variance, 0.01 * smallest)
    log_variance = pd.Series(np.log(variance))
    min_days = min(MIN_LEVEL_DAYS, volatility_window)
    level = log_variance.rolling(volatility_window, min_periods=min_days).mean().to_numpy()
    relative = returns / np.exp(level)
    mean_reversion = level - log_variance.expanding().mean().to_numpy()
    features = [log_variance - level, relative, np.minimum(relative, 0), np.abs(relative), mean_reversion]
    features = np.clip(np.stack(features, axis=1), -8, 8).astype(np.float32)
    opened = frame["open" if "open" in frame else "close"].to_numpy(float)
    return cls(name, days, opened, close, returns, log_range, variance, level, features)


def over_the_gap(cls, name, frame, volatility_window):
    """The return after a gap is kept; it belongs to weeks and would count as that of one day."""
    close = frame["close"].to_numpy(float)
    days = frame.index.to_numpy().astype("datetime64[D]")
    returns = np.diff(np.log(close), prepend=np.log(close[0]))
    log_range = np.full(len(close), np.nan)
    if "high" in frame:
        log_range = np.log(frame["high"].to_numpy(float) / frame["low"].to_numpy(float))
    variance = np.where(log_range > 0, log_range**2 / (4 * np.log(2)), returns**2)
    smallest = pd.Series(np.where(variance > 0, variance, np.nan)).cummin().ffill().bfill().to_numpy()
    variance = np.where(variance > 0, variance, 0.01 * smallest)
    log_variance = pd.Series(np.log(variance))
    min_days = min(MIN_LEVEL_DAYS, volatility_window)
    level = log_variance.rolling(volatility_window, min_periods=min_days).mean().to_numpy()
    relative = returns / np.exp(level / 2)
    mean_reversion = level - log_variance.expanding().mean().to_numpy()
    features = [log_variance - level, relative, np.minimum(relative, 0), np.abs(relative), mean_reversion]
    features = np.clip(np.stack(features, axis=1), -8, 8).astype(np.float32)
    opened = frame["open" if "open" in frame else "close"].to_numpy(float)
    return cls(name, days, opened, close, returns, log_range, variance, level, features)
