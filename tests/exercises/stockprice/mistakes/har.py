"""Wrong bodies of `har`."""


def fitted_on_all_days(series, end):
    """The weights are fitted on all days; the test days are among them, which is data leakage."""
    forecast = _least_squares(_means(series.variance), _shift(series.variance, -1), 22, len(series.variance))
    return np.maximum(forecast, series.variance[22:end].min())


def one_day_too_many(series, end):
    """Day end - 1 is in the fit; its target is day `end`, the first test day."""
    forecast = _least_squares(_means(series.variance), _shift(series.variance, -1), 22, end + 1)
    return np.maximum(forecast, series.variance[22:end].min())


def centred_means(series, end):
    """The means are centred on the day; half of their days are not known yet."""
    means = [pd.Series(series.variance).rolling(n, center=True, min_periods=1).mean() for n in (1, 5, 22)]
    forecast = _least_squares(np.stack(means, axis=1), _shift(series.variance, -1), 22, end)
    return np.maximum(forecast, series.variance[22:end].min())


def of_the_day_itself(series, end):
    """The target is the variance of the day itself instead of the next one; there is nothing to forecast."""
    forecast = _least_squares(_means(series.variance), series.variance, 22, end)
    return np.maximum(forecast, series.variance[22:end].min())


def may_be_negative(series, end):
    """Forecasts are not bounded below; far from the training days the line falls below 0."""
    return _least_squares(_means(series.variance), _shift(series.variance, -1), 22, end)
