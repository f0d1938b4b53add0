"""Images in one folder per class."""

from collections.abc import Sequence
from pathlib import Path

from shared.data.images import find_images
from shared.data.summary import named
from shared.names import shown


def class_folders(root: Path, classes: Sequence[str] | None = None) -> dict[str, list[Path]]:
    """Class -> its images, in the order of the class numbers. Hidden folders and those of macOS are passed over.

    With the `classes` of a finished run given, all images must be of these. Raises ValueError with one sentence.
    """
    folders = [path.name for path in root.glob("*") if path.is_dir() and not path.name.startswith((".", "__MACOSX"))]
    images = {name: find_images(root / name) for name in sorted(folders)}
    names = images if classes is None else classes
    if unknown := [name for name in images if images[name] and name not in names]:
        raise ValueError(
            f"data.root: {shown(root)} has classes that the run does not know: {named(unknown, 10)} "
            f"(it knows {named(list(names), 50)})"
        )
    if len(names) < 2 or not any(images.values()):
        raise ValueError(f"data.root: {shown(root)} must hold one folder of images per class, and at least two classes")
    return {name: images.get(name, []) for name in names}
