"""The window: menus, keys, and what happens when they are used."""

import csv
import io
import tkinter as tk
from collections.abc import Callable
from pathlib import Path
from tkinter import filedialog, ttk

from projects.numberplate.config import GuiOptions
from projects.numberplate.formats import FORMATS
from projects.numberplate.gui.view import View
from projects.numberplate.gui.worker import DisplayItem, Event, Worker
from projects.numberplate.predictor import Predictor
from projects.numberplate.video import is_video
from shared.data.images import SUFFIXES, list_photos, read_image
from shared.files import write_text
from shared.runs import Run

ENGINES = {"our networks": "ours", "Tesseract": "tesseract", "classical (contours)": "classic"}
ANY = "any country"
HINT = "Open photos with Ctrl+O, a folder with Ctrl+D, a video with Ctrl+V, the webcam with Ctrl+W."
POLL_INTERVAL = 100  # milliseconds between two polls of the worker's events


class Window:
    """The window. All work happens in a `Worker`; this class shows its events and passes on the user's commands."""

    def __init__(self, root: tk.Tk, worker: Worker, engine: str = "ours", country: str | None = None) -> None:
        self.root, self.worker = root, worker
        self.paths: list[Path] = []
        self.video: Path | int | None = None
        self.items: list[DisplayItem] = []
        self.current = 0
        self.chosen = 0
        root.title("Number plates")
        if "clam" in ttk.Style().theme_names() and root.tk.call("tk", "windowingsystem") == "x11":
            ttk.Style().theme_use("clam")  # the default theme looks dated there
        root.geometry("1120x720")
        root.minsize(760, 480)
        self._build(next(name for name, value in ENGINES.items() if value == engine), country or ANY)
        self._bind()
        self.set_status(HINT)
        root.protocol("WM_DELETE_WINDOW", self.quit)
        self.poll_events()

    # --- building

    def _build(self, engine: str, country: str) -> None:
        bar = ttk.Frame(self.root, padding=6)
        bar.pack(fill="x")
        for label, action in (
            ("Photos…", self.ask_photos), ("Folder…", self.ask_folder), ("Video…", self.ask_video),
            ("Webcam", self.open_webcam),
        ):  # fmt: skip
            ttk.Button(bar, text=label, command=action).pack(side="left", padx=2)
        self.engine = ttk.Combobox(bar, values=list(ENGINES), state="readonly", width=17)
        self.engine.set(engine)
        self.country = ttk.Combobox(bar, values=[ANY, *FORMATS], state="readonly", width=11)
        self.country.set(country)
        for box in (self.engine, self.country):
            box.pack(side="left", padx=(10, 2))
            box.bind("<<ComboboxSelected>>", lambda _: self.read_again())
        for label, action, width in (
            ("Export CSV…", self.ask_export, 12), ("Copy", self.copy, 6), ("▶", self.next, 3), ("◀", self.previous, 3),
        ):  # fmt: skip
            ttk.Button(bar, text=label, command=action, width=width).pack(side="right", padx=2)

        body = ttk.Frame(self.root, padding=(6, 0))
        body.pack(fill="both", expand=True)
        self.view = View(body, resized=self.show)

        foot = ttk.Frame(self.root, padding=6)
        foot.pack(fill="x")
        self.status = ttk.Label(foot, text="", anchor="w")
        self.status.pack(side="left", fill="x", expand=True)
        self.cancel_button = ttk.Button(foot, text="Cancel", command=self.cancel, state="disabled")
        self.cancel_button.pack(side="right")
        self.progress = ttk.Progressbar(foot, length=180, mode="determinate")
        self.progress.pack(side="right", padx=8)

    def _bind(self) -> None:
        keys: dict[str, Callable[[], None]] = {
            "<Control-o>": self.ask_photos, "<Control-d>": self.ask_folder, "<Control-v>": self.ask_video,
            "<Control-w>": self.open_webcam, "<Control-e>": self.ask_export, "<Control-c>": self.copy,
            "<Right>": self.next, "<Left>": self.previous, "<Down>": lambda: self.choose(self.chosen + 1),
            "<Up>": lambda: self.choose(self.chosen - 1), "<Escape>": self.cancel, "<Control-q>": self.quit,
        }  # fmt: skip
        for key, action in keys.items():
            self.root.bind(key, lambda _, act=action: act())

    # --- commands of the user

    def ask_photos(self) -> None:
        patterns = " ".join(f"*{suffix}" for suffix in sorted(SUFFIXES))
        if names := filedialog.askopenfilenames(filetypes=[("Photos", patterns), ("All files", "*")]):
            self.open([Path(name) for name in names])

    def ask_folder(self) -> None:
        if name := filedialog.askdirectory():
            self.open([Path(name)])

    def ask_video(self) -> None:
        if name := filedialog.askopenfilename(
            filetypes=[("Videos", "*.mp4 *.avi *.mov *.mkv *.webm"), ("All files", "*")]
        ):
            self.open_video(Path(name))

    def ask_export(self) -> None:
        if not self.items:
            return self.set_status("there is nothing to export yet", problem=True)
        if name := filedialog.asksaveasfilename(defaultextension=".csv", filetypes=[("Table", "*.csv")]):
            self.export(Path(name))

    def open(self, paths: list[Path]) -> None:
        """Read photos and the photos of folders, or one video."""
        if len(paths) == 1 and is_video(paths[0]):
            return self.open_video(paths[0])
        photos = [path for path in list_photos(paths) if not path.is_dir()]
        if not photos:
            return self.set_status(f"there is no photo in {paths[0]}; open a video alone", problem=True)
        self.paths, self.video, self.items = photos, None, []
        self.read_again()

    def open_video(self, source: Path | int) -> None:
        """Read a video file, or a webcam by its number."""
        self.paths, self.video, self.items = [], source, []
        self.read_again()

    def open_webcam(self) -> None:
        self.open_video(0)

    def read_again(self) -> None:
        """Start again with the chosen engine and country."""
        if not self.paths and self.video is None:
            return
        self.current = min(self.current, max(0, len(self.paths) - 1)) if self.items else 0
        self.chosen = 0
        self.items = [DisplayItem(path.name) for path in self.paths] or [DisplayItem(str(self.video))]
        settings = (ENGINES[self.engine.get()], None if self.country.get() == ANY else self.country.get())
        if self.video is None:
            self.worker.read_photos(self.paths, settings)
        else:
            self.worker.read_video(self.video, settings)
        self.cancel_button.state(["!disabled"])
        self.set_status("reading …")
        self.show()

    def cancel(self) -> None:
        """Stop reading; results so far are kept."""
        if self.worker.busy:
            for event in self.worker.cancel():
                self.handle(event)
            self._show_idle()
            self.set_status("cancelled; results so far are kept")

    def next(self) -> None:
        self.go(self.current + 1)

    def previous(self) -> None:
        self.go(self.current - 1)

    def go(self, number: int) -> None:
        """Show another photo."""
        if 0 <= number < len(self.items):
            if number != self.current:
                self.items[self.current].image = None  # only one photo is kept in memory
            self.current, self.chosen = number, 0
            self.show()

    def choose(self, number: int) -> None:
        """Choose the plate of the photo that `copy` copies."""
        if self.items and 0 <= number < len(self.items[self.current].plates):
            self.chosen = number
            self.show()

    def copy(self) -> None:
        """Copy the text of the chosen plate to the clipboard."""
        plates = self.items[self.current].plates if self.items else []
        if not plates:
            return self.set_status("there is no plate to copy", problem=True)
        self.root.clipboard_clear()
        self.root.clipboard_append(plates[self.chosen].text)
        self.set_status(f"copied {plates[self.chosen].text}")

    def export(self, path: Path) -> None:
        """Write a table of all plates read so far: file, box, text, confidence."""
        table = io.StringIO()
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(["file", "x0", "y0", "x1", "y1", "text", "confidence"])
        files = self.paths or [item.name for item in self.items]
        plates = [item.plates if item.tracked_plates is None else item.tracked_plates for item in self.items]
        rows = [(file, plate) for file, several in zip(files, plates) for plate in several]
        for file, plate in rows:
            writer.writerow([file, *plate.box, plate.text, f"{plate.confidence:.3f}"])
        try:
            write_text(path, table.getvalue())
        except OSError as error:
            return self.set_status(f"{path} cannot be written: {error.strerror}", problem=True)
        self.set_status(f"{len(rows)} plates written to {path}")

    def quit(self) -> None:
        self.worker.cancel()
        self.root.destroy()

    # --- events of the worker

    def poll_events(self) -> None:
        """Handle the worker's events, then poll again after a moment."""
        for event in self.worker.drain():
            self.handle(event)
        self.root.after(POLL_INTERVAL, self.poll_events)

    def handle(self, event: Event) -> None:
        """Keep and show the result of an event."""
        if event.number >= len(self.items):
            return
        self.items[event.number] = event.item
        if event.number != self.current:
            event.item.image = None
        if event.total:
            self.progress.configure(maximum=event.total, value=event.done)
        rate = f" · {event.rate:.1f} frames/s" if event.rate else ""
        self.set_status(f"{event.done} of {event.total or '?'} read{rate}")
        if event.finished:
            self._show_idle()
            plates = sum(len(item.plates) for item in self.items)
            self.set_status(
                f"{event.done} read, {plates} plates"
                if self.video is None
                else f"the video ended after {event.done} frames"
            )
        if event.number == self.current:
            self.show()
        if event.item.problem and len(self.items) == 1:
            self.set_status(event.item.problem, problem=True)

    def _show_idle(self) -> None:
        self.cancel_button.state(["disabled"])
        self.progress.configure(value=0)

    def set_status(self, text: str, problem: bool = False) -> None:
        """Show a sentence at the bottom of the window."""
        self.status.configure(text=text, foreground="#b3261e" if problem else "#3c474f")

    # --- display

    def show(self) -> None:
        """Show the current photo with its plates, and the plates one by one beside it."""
        if self.items:
            position = f"({self.current + 1} of {len(self.items)})"
            self.view.show(self._current(), position, self.chosen, self.choose)
        else:
            self.view.show_message(HINT)

    def _current(self) -> DisplayItem:
        """The current photo, decoded again if it was released."""
        item = self.items[self.current]
        if item.image is None and item.done and not item.problem and self.paths:
            try:
                item.image = read_image(self.paths[self.current])
            except (ValueError, OSError) as error:
                item.problem, item.plates = str(error), []
        return item


def open_window(options: GuiOptions, run: Run) -> None:
    """Open the window and wait until it is closed. Raises ValueError with one sentence where there is no screen."""
    predictor = Predictor.load(run.model_file)
    predictor.pipeline(options.engine, options.country)  # mistakes are reported before the window opens
    try:
        root = tk.Tk()
    except tk.TclError as error:
        raise ValueError(f"there is no screen to open a window on ({error})") from None
    window = Window(root, Worker(predictor.pipeline), options.engine, options.country)
    if options.input:
        root.after(POLL_INTERVAL, lambda: window.open(list(options.input)))
    root.mainloop()
