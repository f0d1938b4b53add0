"""Wrong bodies of `qlike`."""


def upside_down(variance, forecast):
    """The ratio is upside down; then a forecast that is too high costs more, and the mean is not the best constant."""
    ratio = forecast / variance
    return ratio - np.log(ratio) - 1


def of_volatility(variance, forecast):
    """Volatilities are compared instead of variances; their mean ratio is not 1 for the right forecast."""
    ratio = np.sqrt(variance / forecast)
    return ratio - np.log(ratio) - 1


def already_averaged(variance, forecast):
    """The mean over the days is returned; tests of significance need the loss of every day."""
    ratio = variance / forecast
    return (ratio - np.log(ratio) - 1).mean()


def depends_on_the_unit(variance, forecast):
    """This is log f + v / f; it ranks forecasts alike, but a perfect one does not cost 0 and the unit matters."""
    return np.log(forecast) + variance / forecast


def squared_log(variance, forecast):
    """This is the squared error of the log variance; it prefers forecasts below the mean variance."""
    return np.log(variance / forecast) ** 2
