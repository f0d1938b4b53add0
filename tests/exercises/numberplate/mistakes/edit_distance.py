"""Wrong bodies of `edit_distance`."""


def place_by_place(a, b):
    """Characters are compared place by place; after a missing one all later places count as errors."""
    return sum(one != other for one, other in zip(a, b)) + abs(len(a) - len(b))


def without_order(a, b):
    """Only how often each character occurs is compared; AB and BA are taken for the same."""
    letters = set(a) | set(b)
    return max(sum(max(0, x.count(c) - y.count(c)) for c in letters) for x, y in ((a, b), (b, a)))


def no_substitutions(a, b):
    """A substitution costs a deletion and an insertion; a wrong character is one error, not two."""
    row = list(range(len(b) + 1))
    for i, one in enumerate(a, 1):
        previous, row[0] = row[0], i
        for j, other in enumerate(b, 1):
            previous, row[j] = row[j], previous if one == other else min(row[j], row[j - 1]) + 1
    return row[-1]


def row_begins_with_zero(a, b):
    """The first value of each row stays 0; characters of `a` before the first match then cost nothing."""
    row = list(range(len(b) + 1))
    for one in a:
        previous = row[0] = 0
        for j, other in enumerate(b, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (one != other))
    return row[-1]
