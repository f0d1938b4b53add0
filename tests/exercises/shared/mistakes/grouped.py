"""Wrong bodies of `grouped`."""


def by_item(groups, labels, fractions, seed):
    """Items are drawn one by one; the items of a group end up in several sets, which is data leakage."""
    split = np.full(len(groups), TRAIN, dtype=object)
    order = np.random.default_rng(seed).permutation(len(groups))
    test, validation = round(fractions[1] * len(groups)), round(fractions[0] * len(groups))
    split[order[:test]] = TEST
    split[order[test : test + validation]] = VALIDATION
    return split


def without_labels(groups, labels, fractions, seed):
    """Groups stay whole, but labels play no part; a rare class may be missing from the test set."""
    names = sorted(set(groups), key=str)
    order = [names[i] for i in np.random.default_rng(seed).permutation(len(names))]
    split = np.full(len(groups), TRAIN, dtype=object)
    counts = {TEST: fractions[1] * len(groups), VALIDATION: fractions[0] * len(groups)}
    for name in order:
        rows = [i for i, group in enumerate(groups) if group == name]
        for part in (TEST, VALIDATION):
            if counts[part] >= len(rows) / 2 and counts[part] > 0.5:
                split[rows] = part
                counts[part] -= len(rows)
                break
    return split


def fraction_of_groups(groups, labels, fractions, seed):
    """The fractions are counted in groups; where groups differ in size the sets hold other parts of the items."""
    split = np.full(len(groups), TRAIN, dtype=object)
    generator = np.random.default_rng(seed)
    rows = {}
    for index, group in enumerate(groups):
        rows.setdefault(group, []).append(index)
    for label in sorted(set(labels), key=str):
        mine = sorted((g for g in rows if labels[rows[g][0]] == label), key=lambda g: len(rows[g]))
        order = [mine[i] for i in generator.permutation(len(mine))]
        order.sort(key=lambda g: len(rows[g]))
        test, validation = round(fractions[1] * len(order)), round(fractions[0] * len(order))
        for number, group in enumerate(order[: test + validation]):
            split[rows[group]] = TEST if number < test else VALIDATION
    return split


def neighbours_only(groups, labels, fractions, seed):
    """A group is taken to be a run of neighbours; items of one group that lie apart end up in several sets."""
    split = np.full(len(groups), TRAIN, dtype=object)
    runs, start = [], 0
    for index in range(1, len(groups) + 1):
        if index == len(groups) or groups[index] != groups[start]:
            runs.append(list(range(start, index)))
            start = index
    generator = np.random.default_rng(seed)
    for label in sorted(set(labels), key=str):
        mine = [run for run in runs if labels[run[0]] == label]
        total = sum(map(len, mine))
        wanted = [(TEST, fractions[1] * total), (VALIDATION, fractions[0] * total)]
        for position in generator.permutation(len(mine)):
            if wanted and len(mine[position]) <= wanted[0][1] + len(mine[position]) / 2:
                split[mine[position]] = wanted[0][0]
                wanted[0] = (wanted[0][0], wanted[0][1] - len(mine[position]))
            if wanted and wanted[0][1] <= 0.5:
                wanted.pop(0)
    return split
