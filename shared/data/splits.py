"""Ways to divide data into train, validation and test. All are functions of their arguments and the seed alone.

Each returns an array of the words `train`, `validation`, `test`, and `unused` where a way leaves data out.
"""

from collections.abc import Hashable, Sequence

import numpy as np

TRAIN, VALIDATION, TEST, UNUSED = "train", "validation", "test", "unused"
NAMES = (TRAIN, VALIDATION, TEST)
PART_OF: dict[str, str] = {
    word: part
    for part, words in {
        TRAIN: "train training trainset trn entrenamiento treino treinamento apprentissage entrainement",
        VALIDATION: "val valid validation valset validset dev validacion validacao validierung convalida",
        TEST: "test testing testset tst teste prueba eval evaluation holdout",
    }.items()
    for word in words.split()
}
"""The words that people write for a set -> its name here."""
Fractions = tuple[float, float]


def stratified(labels: Sequence[Hashable], fractions: Fractions, seed: int) -> np.ndarray:
    """Each item by itself, every label in its proportion. fractions: (validation, test)."""
    return grouped(list(range(len(labels))), labels, fractions, seed)


def grouped(groups: Sequence[Hashable], labels: Sequence[Hashable], fractions: Fractions, seed: int) -> np.ndarray:
    """All items of a group on one side, every label about in its proportion.

    A group belongs to the label of its first item. fractions: (validation, test) as parts of the items.
    """
    members: dict[Hashable, list[int]] = {}
    for index, group in enumerate(groups):
        members.setdefault(group, []).append(index)
    of_label: dict[Hashable, list[list[int]]] = {}
    for indices in members.values():
        of_label.setdefault(labels[indices[0]], []).append(indices)

    split = np.full(len(groups), TRAIN, dtype=object)
    generator = np.random.default_rng(seed)
    for label in sorted(of_label, key=str):
        parts = of_label[label]
        total = sum(len(part) for part in parts)
        least = 0.5 if total >= len(NAMES) else 0  # of three items each set gets one
        sizes = [max(fraction * total, least) if fraction else 0 for fraction in fractions]
        wanted = [(TEST, sizes[1]), (VALIDATION, sizes[0])]
        for position in generator.permutation(len(parts)):
            part = parts[position]
            if wanted and len(part) <= wanted[0][1] + len(part) / 2:
                split[part] = wanted[0][0]
                wanted[0] = (wanted[0][0], wanted[0][1] - len(part))
            if wanted and wanted[0][1] <= 0.5:
                wanted.pop(0)
    return split


def contiguous(
    sources: Sequence[Hashable], positions: Sequence[int], fractions: Fractions, guard: int, seed: int
) -> np.ndarray:
    """One contiguous stretch of every source for test, the next one for validation, the rest for training.

    Where the stretch begins is drawn from the seed; after the last position comes the first.
    Training and validation items within `guard` positions of another part are left out (`unused`). A source of fewer
    than 20 items is used for training only: a stretch of it would be a handful of shots of one thing.
    """
    split = np.full(len(sources), TRAIN, dtype=object)
    generator = np.random.default_rng(seed)
    of_source: dict[Hashable, list[int]] = {}
    for index, source in enumerate(sources):
        of_source.setdefault(source, []).append(index)
    at = np.asarray(positions)
    for source in sorted(of_source, key=str):
        members = sorted(of_source[source], key=lambda i: (at[i], i))
        start = int(generator.integers(len(members)))
        if len(members) < 20:
            continue
        ring = np.asarray(members[start:] + members[:start])
        test_end = round(fractions[1] * len(ring))
        validation_end = round((fractions[0] + fractions[1]) * len(ring))
        split[ring[:test_end]] = TEST
        split[ring[test_end:validation_end]] = VALIDATION
        for protected, others in ((TEST, (VALIDATION, TRAIN)), (VALIDATION, (TRAIN,))):
            kept = ring[split[ring] == protected]
            for index in ring[np.isin(split[ring], others)]:
                if kept.size and np.abs(at[kept] - at[index]).min() <= guard:
                    split[index] = UNUSED
    return split
