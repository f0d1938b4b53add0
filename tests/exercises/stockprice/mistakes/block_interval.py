"""Wrong bodies of `block_interval`."""


def single_days(values, statistic, resamples=1000, block=22, seed=0):
    """Single days are drawn instead of blocks; their resemblance is lost, and the interval is too narrow."""
    generator = np.random.default_rng(seed)
    n = len(values)
    results = [statistic(values[generator.integers(n, size=n)]) for _ in range(resamples)]
    low, high = np.percentile(results, [2.5, 97.5])
    return [float(low), float(high)]


def not_circular(values, statistic, resamples=1000, block=22, seed=0):
    """Blocks end at the last day; the first and the last days are then drawn less often than the others."""
    generator = np.random.default_rng(seed)
    n = len(values)
    block = min(block, n)
    count = -(-n // block)
    results = []
    for _ in range(resamples):
        starts = generator.integers(n - block + 1, size=count)
        rows = (starts[:, None] + np.arange(block)).ravel()[:n]
        results.append(statistic(values[rows]))
    low, high = np.percentile(results, [2.5, 97.5])
    return [float(low), float(high)]


def ninety_percent(values, statistic, resamples=1000, block=22, seed=0):
    """The percentiles 5 and 95 enclose 90 %; for 95 % they are 2.5 and 97.5."""
    generator = np.random.default_rng(seed)
    n = len(values)
    count = -(-n // block)
    results = []
    for _ in range(resamples):
        starts = generator.integers(n, size=count)
        rows = (starts[:, None] + np.arange(block)).ravel()[:n] % n
        results.append(statistic(values[rows]))
    low, high = np.percentile(results, [5, 95])
    return [float(low), float(high)]


def longer_than_the_data(values, statistic, resamples=1000, block=22, seed=0):
    """A resample has whole blocks only, and so more days than the data; it must have as many."""
    generator = np.random.default_rng(seed)
    n = len(values)
    count = -(-n // block)
    results = []
    for _ in range(resamples):
        starts = generator.integers(n, size=count)
        rows = (starts[:, None] + np.arange(block)).ravel() % n
        results.append(statistic(values[rows]))
    low, high = np.percentile(results, [2.5, 97.5])
    return [float(low), float(high)]


def one_order_of_blocks(values, statistic, resamples=1000, block=22, seed=0):
    """The data are cut into fixed blocks that are shuffled; every day is then in every resample, so nothing varies."""
    generator = np.random.default_rng(seed)
    n = len(values)
    count = -(-n // block)
    results = []
    for _ in range(resamples):
        starts = generator.permutation(count) * block
        rows = (starts[:, None] + np.arange(block)).ravel()[:n] % n
        results.append(statistic(values[rows]))
    low, high = np.percentile(results, [2.5, 97.5])
    return [float(low), float(high)]
