"""Work on the exercises: python -m shared.coursework.learn [PROJECT]

Shows the next exercise and runs its tests whenever a file is saved. Keys: h next hint, n next exercise, p previous one,
q quit. What is done is kept in `.progress.json`.
"""

import queue
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated

from pydantic import Field
from rich.console import Console
from rich.panel import Panel
from tyro import conf

from shared.config import Section
from shared.coursework.exercises import ROOT, Exercise, load_exercises
from shared.coursework.options import command
from shared.coursework.sandbox import Outcome, run_visible
from shared.files import read_json, write_json

PROGRESS = Path(".progress.json")
KEYS = "h hint · n next · p previous · q quit · save a file to test it"


class LearnOptions(Section):
    """Work on the exercises in the terminal."""

    input: Annotated[list[str], conf.Positional] = Field([], max_length=1)
    """A project, or `shared`; all exercises by default."""
    once: bool = False
    """Test the first exercise that is not done, show the result and stop."""


class Lesson:
    """Where a student is: the exercises, which are done, and how many hints were shown."""

    def __init__(self, exercises: list[Exercise], root: Path, screen: Console) -> None:
        self.exercises, self.root, self.screen = exercises, root, screen
        kept = read_json(root / PROGRESS) if (root / PROGRESS).is_file() else {}
        self.done: set[str] = set(kept.get("done", []))
        self.hints: dict[str, int] = kept.get("hints", {})
        self.number = next((n for n, e in enumerate(exercises) if e.id not in self.done), len(exercises) - 1)

    @property
    def exercise(self) -> Exercise:
        """The present exercise."""
        return self.exercises[self.number]

    def test(self) -> Outcome:
        """Test the present exercise, show the result, and go on to the next one where it passes."""
        exercise = self.exercise
        outcome = run_visible(exercise.visible_tests, self.root)
        if outcome.passed and not outcome.failed and not outcome.problem:
            self.done.add(exercise.id)
            self.screen.print(f"[green]✓ {exercise.id}: all {len(outcome.passed)} visible tests pass[/green]")
            self.screen.print("The hidden tests try other inputs: empty ones, one item, ties, other shapes.")
            later = [n for n, e in enumerate(self.exercises) if e.id not in self.done]
            self.number = later[0] if later else self.number
        else:
            failures = list(dict.fromkeys(outcome.failed.values())) or [outcome.problem]
            written = not any("NotImplementedError" in text for text in failures)
            for text in failures if written else [f"{exercise.qualname} is not written yet"]:
                self.screen.print(f"[red]✗[/red] {text}", markup=True, highlight=True)
        self.keep()
        return outcome

    def show(self) -> None:
        """The present exercise: where it is, what it is for, what helps."""
        e = self.exercise
        bar = "".join("●" if one.id in self.done else "◉" if one is e else "○" for one in self.exercises)
        text = f"{e.goal}\n\n[bold]{e.module_file}[/bold], {e.qualname}\ntests: {e.visible_tests}\nreading: {e.reading}"
        title = f"{e.id} {'★' * e.stars} · {e.points} points · {e.minutes} minutes"
        self.screen.print(Panel(text, title=title, subtitle=f"{bar} {len(self.done)} of {len(self.exercises)}"))

    def hint(self) -> None:
        """The next hint; after the last one all of them."""
        e = self.exercise
        shown = self.hints[e.id] = min(self.hints.get(e.id, 0) + 1, len(e.hints))
        for number in range(shown):
            self.screen.print(f"[yellow]hint {number + 1} of {len(e.hints)}:[/yellow] {e.hints[number]}")
        self.keep()

    def turn(self, by: int) -> None:
        """Go to another exercise."""
        self.number = (self.number + by) % len(self.exercises)
        self.show()

    def keep(self) -> None:
        """Write down what is done."""
        write_json(self.root / PROGRESS, {"done": sorted(self.done), "hints": self.hints})


def watch(lesson: Lesson) -> None:
    """Answer to keys and to saved files until q or Ctrl-C."""
    from watchfiles import watch as changes

    events: queue.Queue[str] = queue.Queue()
    stop = threading.Event()

    def files() -> None:
        folders = [lesson.root / "projects", lesson.root / "shared", lesson.root / "tests"]
        for changed in changes(*folders, stop_event=stop, debounce=300):
            if any(path.endswith(".py") for _, path in changed):
                events.put("test")

    threading.Thread(target=files, daemon=True).start()
    threading.Thread(target=keys, args=(events.put,), daemon=True).start()
    lesson.show()
    lesson.test()
    actions = {"h": lesson.hint, "n": lambda: lesson.turn(1), "p": lambda: lesson.turn(-1)}
    while True:
        lesson.screen.print(f"[dim]{KEYS}[/dim]")
        event = events.get()
        if event == "q":
            stop.set()
            return
        if event == "test":
            before = lesson.exercise
            lesson.test()
            if lesson.exercise is not before:
                lesson.show()
        elif event in actions:
            actions[event]()


def keys(put: Callable[[str], None]) -> None:
    """Pass on every key that is pressed; where the terminal gives whole lines only, their first letters."""
    with suppress(ImportError, OSError, ValueError):
        import termios
        import tty

        before = termios.tcgetattr(sys.stdin)
        try:
            tty.setcbreak(sys.stdin)
            while key := sys.stdin.read(1):
                put(key.lower())
        finally:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
        return
    for line in sys.stdin:
        put(line.strip()[:1].lower() or "test")
    put("q")


def main(options: LearnOptions) -> None:
    """Show, test, and go on until q."""
    exercises = load_exercises(ROOT, options.input[0] if options.input else None)
    lesson = Lesson(exercises, ROOT, Console())
    if options.once:
        lesson.show()
        lesson.test()
    else:
        watch(lesson)


if __name__ == "__main__":
    command(LearnOptions, main, __doc__)
