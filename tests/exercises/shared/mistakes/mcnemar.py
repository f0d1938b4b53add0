"""Wrong bodies of `mcnemar`."""


def counts_disagreement(targets, first, second):
    """It counts where the models disagree, also where both are wrong; only items that one of them gets right count."""
    only_first = int(((first == targets) & (first != second)).sum())
    only_second = int((first != second).sum()) - only_first
    discordant = only_first + only_second
    return only_first, only_second, float(binomtest(only_first, discordant).pvalue) if discordant else 1.0


def all_items(targets, first, second):
    """The binomial test runs over all items; items on which the models agree say nothing about their difference."""
    only_first = int(((first == targets) & (second != targets)).sum())
    only_second = int(((first != targets) & (second == targets)).sum())
    return (
        only_first,
        only_second,
        float(binomtest(only_first, len(targets)).pvalue) if only_first + only_second else 1.0,
    )


def one_sided(targets, first, second):
    """The test is one-sided; which model is better was not known before, so it must be two-sided."""
    only_first = int(((first == targets) & (second != targets)).sum())
    only_second = int(((first != targets) & (second == targets)).sum())
    discordant = only_first + only_second
    p = binomtest(only_first, discordant, alternative="greater").pvalue if discordant else 1.0
    return only_first, only_second, float(p)
