"""The embedded sample: synthetic scenes, each with five captions of different wording.

The test set measures compositional generalisation: certain pairs of object and colour, or action and colour, occur
in test scenes only. The training set has every word of their captions but not the combination.
"""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from shared.data.cache import sample_folder
from shared.files import write_bytes, write_text

SIDE = 96
COLOURS = {
    "red": (205, 50, 45), "blue": (55, 90, 205), "green": (40, 140, 60), "yellow": (235, 200, 50),
    "purple": (140, 60, 160), "orange": (235, 130, 40),
}  # fmt: skip
OBJECTS = {
    "ball": ("ball",), "box": ("box", "crate"), "house": ("house", "hut"), "car": ("car",), "boat": ("boat", "ship"),
    "tree": ("tree",), "star": ("star",), "cup": ("cup", "mug"),
}  # fmt: skip
ACTIONS = {"jumping": "jumps", "sitting": "sits", "lying": "lies", "running": "runs", "waving": "waves"}
GROUNDS = {"grass": (175, 205, 150), "sand": (228, 214, 178), "snow": (240, 242, 246)}
SIZES = {"small": 9, "large": 16}
SYNONYMS = {"small": ("small", "little", "tiny"), "large": ("large", "big", "big")}
RELATIONS = {
    "left": ("to the left of", "left of"), "right": ("to the right of", "right of"), "above": ("above", "over"),
    "below": ("below", "under"),
}  # fmt: skip
OPPOSITE = {"left": "right", "right": "left", "above": "below", "below": "above"}
CHILD = (
    "{a} is {doing} {to} {b}", "{a} {does} {on} next to {b}", "{a} {doing} {to} {b} {on}",
    "{b} {back} {a} who is {doing}", "{a} {does} near {b}", "{a} {does}", "there is {a} {doing} {on}", "{a} and {b}",
)  # fmt: skip
PAIR = (
    "{a} {to} {b}", "there {is_} {a} {to} {b}", "{b} {back} {a} {on}", "{a} and {b} {on}", "{a} {is_} {to} {b} {on}",
    "{b} {back} {a}", "{a} next to {b}", "{b} and {a}",
)  # fmt: skip
NUMBERS = ("", "a", "two", "three")
HELD_OUT = {  # combined in test scenes only
    *zip(COLOURS, ("boat", "star", "cup", "ball", "house", "car")),
    ("red", "running"), ("blue", "sitting"), ("yellow", "lying"),
}  # fmt: skip


@dataclass(frozen=True)
class Group:
    """One to three equal objects, or one child (whose `noun` is its action)."""

    noun: str
    colour: str
    size: str
    count: int
    place: tuple[int, int]
    """Centre in pixels."""

    @property
    def is_child(self) -> bool:
        return self.noun in ACTIONS


@dataclass(frozen=True)
class Scene:
    """Two groups, the relation of the first to the second, and the ground."""

    first: Group
    second: Group
    relation: str
    ground: str

    @property
    def held_out(self) -> bool:
        """Whether it shows a combination that is held out of the training set."""
        return any((group.colour, group.noun) in HELD_OUT for group in (self.first, self.second))


def draw_sample(folder: Path, scenes: int, seed: int) -> Path:
    """Draw the scenes and `captions.csv` below `folder` unless they are there already; return their folder."""
    target = sample_folder(folder, "imagecaption", (scenes, seed), Path(__file__))
    if (target / "captions.csv").is_file():
        return target
    target.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(seed)
    page = io.StringIO()
    writer = csv.writer(page, lineterminator="\n")
    writer.writerow(("image", "caption", "split"))
    for number in range(scenes):
        scene, name = compose(generator), f"scene-{number:05d}.png"
        part = "test" if scene.held_out else "validation" if generator.random() < 0.1 else "train"
        write_bytes(target / name, cv2.imencode(".png", draw(scene, generator)[:, :, ::-1])[1].tobytes())
        writer.writerows((name, caption, part) for caption in describe(scene, generator))
    write_text(target / "captions.csv", page.getvalue())  # written last: without it the sample is incomplete
    return target


def pick(generator: np.random.Generator, options: tuple[str, ...]) -> str:
    return options[generator.integers(len(options))]


def compose(generator: np.random.Generator) -> Scene:
    """A random scene: a child and an object, or two kinds of objects."""
    relation = pick(generator, tuple(OPPOSITE))
    across = relation in ("left", "right")
    near, far = ((26, 48), (70, 48)) if across else ((48, 26), (48, 70))
    places = (near, far) if relation in ("left", "above") else (far, near)
    child = generator.random() < 0.5
    names = tuple(COLOURS)
    groups = []
    for place, is_child in zip(places, (child, False)):
        noun = pick(generator, tuple(ACTIONS) if is_child else tuple(OBJECTS))
        count = 1 if is_child or generator.random() < 0.6 else int(generator.integers(2, 4))
        size = "large" if is_child else pick(generator, tuple(SIZES)) if count == 1 else "small"
        moved = tuple(int(v + generator.integers(-4, 5)) for v in place)
        groups.append(Group(noun, pick(generator, names), size, count, (moved[0], moved[1])))
    if groups[0].noun == groups[1].noun and groups[0].colour == groups[1].colour:
        return compose(generator)
    return Scene(groups[0], groups[1], relation, pick(generator, tuple(GROUNDS)))


def describe(scene: Scene, generator: np.random.Generator) -> list[str]:
    """Five captions from different templates; omissions and synonyms are random."""
    a, b, to, back = scene.first, scene.second, RELATIONS[scene.relation], RELATIONS[OPPOSITE[scene.relation]]
    lines = []
    for template in generator.permutation(len(CHILD if a.is_child else PAIR))[:5]:
        line = (CHILD if a.is_child else PAIR)[template].format(
            a=name(a, generator), b=name(b, generator), is_="is" if a.count == 1 else "are", doing=a.noun,
            does=ACTIONS.get(a.noun, ""), to=pick(generator, to), back=pick(generator, back),
            on=f"on {pick(generator, ('', 'the '))}{scene.ground}",
        )  # fmt: skip
        lines.append(f"{line[0].upper()}{line[1:]} .")
    return lines


def name(group: Group, generator: np.random.Generator) -> str:
    """`a small red ball`, `three blue cups`, `a kid in red`."""
    if group.is_child:
        return f"{pick(generator, ('a child', 'a kid', 'somebody'))} in {group.colour}"
    size = f"{pick(generator, SYNONYMS[group.size])} " if group.count == 1 and generator.random() < 0.5 else ""
    noun = pick(generator, OBJECTS[group.noun])
    plural = "" if group.count == 1 else "es" if noun.endswith("x") else "s"
    article = "an" if group.count == 1 and not size and group.colour[0] in "aeiou" else NUMBERS[group.count]
    return f"{article} {size}{group.colour} {noun}{plural}"


def draw(scene: Scene, generator: np.random.Generator) -> np.ndarray:
    """RGB uint8 (96, 96, 3): ground with a little noise, then the groups."""
    ground = np.array(GROUNDS[scene.ground], np.float32) + generator.normal(0, 6, (SIDE, SIDE, 1))
    image = np.ascontiguousarray(ground.clip(0, 255).astype(np.uint8))
    for group in (scene.first, scene.second):
        x, y = group.place
        steps = np.arange(group.count) - (group.count - 1) / 2
        along = (0, 1) if scene.relation in ("left", "right") else (1, 0)  # perpendicular to the relation
        for step in steps:
            at = (int(x + 22 * step * along[0]), int(y + 22 * step * along[1]))
            (draw_child if group.is_child else draw_object)(image, group, at)
    return image


def draw_object(image: np.ndarray, group: Group, at: tuple[int, int]) -> None:
    """One object, centred at a point."""
    (x, y), r = at, SIZES[group.size]
    colour = COLOURS[group.colour]
    dark = tuple(int(0.5 * c) for c in colour)

    def polygon(points: list[tuple[float, float]], fill: tuple[int, ...] = colour) -> None:
        corners = np.array([[x + r * px, y + r * py] for px, py in points]).round().astype(np.int32)
        cv2.fillPoly(image, [corners], fill, cv2.LINE_AA)

    def disc(px: float, py: float, part: float, fill: tuple[int, ...] = colour) -> None:
        cv2.circle(image, (round(x + r * px), round(y + r * py)), max(1, round(r * part)), fill, -1, cv2.LINE_AA)

    if group.noun == "ball":
        disc(0, 0, 0.9)
        disc(-0.3, -0.3, 0.25, tuple(int(c + 0.6 * (255 - c)) for c in colour))
    elif group.noun == "box":
        polygon([(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)])
        cv2.line(image, (x - r, y), (x + r, y), dark, 1, cv2.LINE_AA)
    elif group.noun == "house":
        polygon([(-0.8, -0.1), (0.8, -0.1), (0.8, 1), (-0.8, 1)])
        polygon([(-1.1, -0.1), (0, -1.1), (1.1, -0.1)], dark)
    elif group.noun == "car":
        polygon([(-1.1, 0), (-0.6, 0), (-0.4, -0.6), (0.5, -0.6), (0.7, 0), (1.1, 0), (1.1, 0.5), (-1.1, 0.5)])
        disc(-0.6, 0.55, 0.28, (40, 40, 40))
        disc(0.6, 0.55, 0.28, (40, 40, 40))
    elif group.noun == "boat":
        polygon([(-1.1, 0.3), (1.1, 0.3), (0.6, 0.9), (-0.6, 0.9)])
        polygon([(0, -1.1), (0.8, 0.1), (0, 0.1)], (250, 250, 250))
    elif group.noun == "tree":
        polygon([(-0.15, 0.3), (0.15, 0.3), (0.15, 1), (-0.15, 1)], (110, 75, 45))
        polygon([(-0.9, 0.4), (0, -1.1), (0.9, 0.4)])
    elif group.noun == "star":
        angles = np.arange(10) * np.pi / 5 - np.pi / 2
        polygon([(np.cos(t) * (1.1 if i % 2 == 0 else 0.45), np.sin(t) * (1.1 if i % 2 == 0 else 0.45))
                 for i, t in enumerate(angles)])  # fmt: skip
    else:  # a cup
        polygon([(-0.7, -0.7), (0.5, -0.7), (0.35, 0.8), (-0.55, 0.8)])
        cv2.circle(image, (round(x + 0.6 * r), y), max(2, round(0.4 * r)), colour, 2, cv2.LINE_AA)


def draw_child(image: np.ndarray, group: Group, at: tuple[int, int]) -> None:
    """A stick figure with a shirt; the action is its pose."""
    x, y = at
    poses = {  # head, hip, hands, feet, relative to the centre
        "jumping": ((0, -13), (0, 2), ((-9, -14), (9, -14)), ((-8, 9), (8, 9))),
        "sitting": ((0, -9), (0, 6), ((-7, 4), (7, 4)), ((11, 7), (13, 8))),
        "lying": ((-14, 5), (2, 7), ((-8, 12), (-4, 12)), ((14, 8), (14, 11))),
        "running": ((3, -13), (0, 2), ((-8, -1), (10, -6)), ((-11, 9), (9, 13))),
        "waving": ((0, -13), (0, 3), ((-7, 4), (11, -15)), ((-3, 14), (3, 14))),
    }
    head, hip, hands, feet = poses[group.noun]

    def point(p: tuple[int, int]) -> tuple[int, int]:
        return x + p[0], y + p[1]

    neck = (head[0] + (hip[0] - head[0]) * 2 // 5, head[1] + (hip[1] - head[1]) * 2 // 5)
    for end in feet:
        cv2.line(image, point(hip), point(end), (50, 50, 70), 2, cv2.LINE_AA)
    for end in hands:
        cv2.line(image, point(neck), point(end), (190, 140, 110), 2, cv2.LINE_AA)
    cv2.line(image, point(neck), point(hip), COLOURS[group.colour], 6, cv2.LINE_AA)
    cv2.circle(image, point(head), 4, (190, 140, 110), -1, cv2.LINE_AA)
