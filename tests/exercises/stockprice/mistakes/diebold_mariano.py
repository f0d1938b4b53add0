"""Wrong bodies of `diebold_mariano`."""


def unpaired(ours, theirs):
    """The spread of both losses is used instead of that of their daily differences; wild days then hide everything."""
    n = len(ours)
    deviation = np.sqrt(ours.var() + theirs.var())
    if (ours == theirs).all():
        return 0.0, 1.0
    statistic = (ours - theirs).mean() / (deviation / np.sqrt(n)) * np.sqrt((n - 1) / n)
    return float(statistic), float(2 * student.sf(abs(statistic), df=n - 1))


def one_sided(ours, theirs):
    """The p value is one-sided; which forecast is better was not known before, so it must be two-sided."""
    difference = ours - theirs
    n = len(difference)
    deviation = difference.std()
    if deviation == 0:
        return 0.0, 1.0
    statistic = difference.mean() / (deviation / np.sqrt(n)) * np.sqrt((n - 1) / n)
    return float(statistic), float(student.sf(abs(statistic), df=n - 1))


def uncorrected(ours, theirs):
    """The small-sample correction is missing, and p is that of the normal distribution: too many false alarms."""
    difference = ours - theirs
    n = len(difference)
    deviation = difference.std()
    if deviation == 0:
        return 0.0, 1.0
    statistic = difference.mean() / (deviation / np.sqrt(n))
    return float(statistic), float(2 * student.sf(abs(statistic), df=10**9))


def without_root_of_n(ours, theirs):
    """The mean is divided by the deviation of one day; that of the mean is smaller by the square root of n."""
    difference = ours - theirs
    n = len(difference)
    deviation = difference.std()
    if deviation == 0:
        return 0.0, 1.0
    statistic = difference.mean() / deviation * np.sqrt((n - 1) / n)
    return float(statistic), float(2 * student.sf(abs(statistic), df=n - 1))


def absolute(ours, theirs):
    """The statistic has lost its sign; it must be negative where our loss is smaller."""
    difference = ours - theirs
    n = len(difference)
    deviation = difference.std()
    if deviation == 0:
        return 0.0, 1.0
    statistic = abs(difference.mean()) / (deviation / np.sqrt(n)) * np.sqrt((n - 1) / n)
    return float(statistic), float(2 * student.sf(statistic, df=n - 1))
