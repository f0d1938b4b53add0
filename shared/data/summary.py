"""What was understood of the data: printed before every training, and all that `train --check` does."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from shared.data import splits
from shared.names import shown

LISTED = 40  # classes


@dataclass(frozen=True)
class DataSummary:
    """How data were read, for a person to compare with what they are."""

    items: str
    """What is counted, such as `photos`."""
    source: str
    """The file, folder or name of the source."""
    parts: Mapping[str, int]
    """Number of items in each set: train, validation, test, unused."""
    split: str
    """How the sets were formed, such as `session` or `random`."""
    classes: Mapping[str, int] = field(default_factory=dict)
    """Number of items of each class."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """What is read -> the column of the table that it is read from."""
    left_out: Mapping[str, int | Sequence[str]] = field(default_factory=dict)
    """Reason -> how many items, or their names."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What else there is to check, such as the first and the last day."""

    def __str__(self) -> str:
        """One line: `52 photos, 3 classes, split leaf: 40 train, 6 validation, 6 test (left out: ...)`."""
        parts = ", ".join(f"{count} {part}" for part, count in self._sizes().items())
        classes = f", {len(self.classes)} classes" if self.classes else ""
        line = f"{sum(self.parts.values())} {self.items}{classes}, split {self.split}: {parts}"
        reasons = ", ".join(self._reasons())
        return line + (f" (left out: {reasons})" if reasons else "")

    def details(self) -> str:
        """Several lines: the source, its columns, the classes with their counts, what was left out, the split."""
        classes = sorted(self.classes.items(), key=lambda pair: -pair[1])
        more = f", and {len(classes) - LISTED} more classes" if len(classes) > LISTED else ""
        rows = {
            "data": f"{sum(self.parts.values()):,} {self.items} from {shown(self.source)}",
            "columns": ", ".join(f"{name} = {shown(column)}" for name, column in self.columns.items()),
            "classes": ", ".join(f"{shown(name)} {count:,}" for name, count in classes[:LISTED]) + more,
            **self.facts,
            "left out": "; ".join(self._reasons()),
            f"split {self.split}": ", ".join(f"{count:,} {part}" for part, count in self._sizes().items()),
        }
        width = min(20, max(map(len, rows)))
        return "\n".join(f"{name:{width}}  {text}" for name, text in rows.items() if text)

    def _sizes(self) -> dict[str, int]:
        """The sets that are not empty, in their usual order."""
        return {part: self.parts[part] for part in (*splits.NAMES, splits.UNUSED) if self.parts.get(part)}

    def _reasons(self) -> list[str]:
        return [
            f"{reason} ({named(names)})" if not isinstance(names, int) else reason
            for reason, names in (
                (f"{why if isinstance(why, int) else len(why)} {reason}", why) for reason, why in self.left_out.items()
            )
            if names
        ]


def summary_of_classes(
    items: str, source: object, split: str, sets: Mapping[str, Sequence[tuple[object, int]]], classes: Sequence[str]
) -> DataSummary:
    """The summary of records (item, class number) that are sorted into sets."""
    counts = Counter(classes[label] for records in sets.values() for _, label in records)
    parts = {name: len(records) for name, records in sets.items()}
    return DataSummary(items, str(source), parts, split, {name: counts[name] for name in classes})


def named(names: Sequence[str], most: int = 3) -> str:
    """`a.jpg, b.jpg, c.jpg, ...`"""
    return ", ".join(map(shown, names[:most])) + (", ..." if len(names) > most else "")
