"""The middle of the window: a photo with its plates, and the plates one by one beside it."""

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

import numpy as np
from PIL import Image, ImageTk

from projects.numberplate.gui.worker import DisplayItem
from projects.numberplate.pipeline import Plate, colour_of, mark, rectified

HEADING, PLATE_HEIGHT = 80, 165
"""Height in pixels of the heading and of one plate beside the photo."""


class View:
    """The photo and its plates. resized: called when the size of the window changes."""

    def __init__(self, parent: ttk.Frame, resized: Callable[[], None]) -> None:
        self.pictures: list[ImageTk.PhotoImage] = []  # Tk drops pictures without a Python reference
        self.canvas = tk.Canvas(parent, background="#22272b", highlightthickness=0)
        self.canvas.pack(side="left", fill="both", expand=True)
        self.canvas.bind("<Configure>", lambda _: resized())
        self.side = ttk.Frame(parent, padding=(10, 0), width=300)
        self.side.pack(side="right", fill="y")
        self.side.pack_propagate(False)

    def show_message(self, text: str) -> None:
        """A sentence instead of a photo."""
        self._clear()
        self._write(text)

    def show(self, item: DisplayItem, position: str, chosen: int, choose: Callable[[int], None]) -> None:
        """A photo, its position among all (`(2 of 7)`), and which of its plates is chosen; choose is called with the
        number of a plate that is clicked."""
        self._clear()
        if item.image is None:
            self._write(item.problem or f"{item.name}: waiting")
        else:
            self._draw_photo(mark(item.image, item.plates))
        heading = ttk.Label(
            self.side, text=f"{item.name}  {position}", wraplength=280, font=("TkDefaultFont", 10, "bold")
        )
        heading.pack(anchor="w", pady=(4, 8))
        if item.done and not item.plates:
            ttk.Label(self.side, text=item.problem or "no plate", wraplength=280).pack(anchor="w")
        visible = max(1, (self.side.winfo_height() - HEADING) // PLATE_HEIGHT)
        first = max(0, chosen - visible + 1)
        if len(item.plates) > visible:
            ttk.Label(self.side, text=f"{len(item.plates)} plates, choose with ↓ and ↑").pack(anchor="w")
        for number, plate in list(enumerate(item.plates))[first : first + visible]:
            assert item.image is not None
            frame = self._draw_plate(plate, rectified(item.image, plate), number == chosen)
            for widget in (frame, *frame.winfo_children()):
                widget.bind("<Button-1>", lambda _, n=number: choose(n))

    def _clear(self) -> None:
        self.canvas.delete("all")
        for child in self.side.winfo_children():
            child.destroy()
        self.pictures = []

    def _write(self, text: str) -> None:
        middle = (self.canvas.winfo_width() // 2, self.canvas.winfo_height() // 2)
        self.canvas.create_text(
            *middle, text=text, fill="#c8d0d6", width=self.canvas.winfo_width() - 40, justify="center"
        )

    def _draw_photo(self, image: np.ndarray) -> None:
        canvas = max(50, self.canvas.winfo_width()), max(50, self.canvas.winfo_height())
        scale = min(canvas[0] / image.shape[1], canvas[1] / image.shape[0])
        size = (max(1, int(image.shape[1] * scale)), max(1, int(image.shape[0] * scale)))
        picture = ImageTk.PhotoImage(Image.fromarray(image).resize(size))
        self.pictures.append(picture)
        self.canvas.create_image(canvas[0] // 2, canvas[1] // 2, image=picture)

    def _draw_plate(self, plate: Plate, flat: np.ndarray, chosen: bool) -> ttk.Frame:
        frame = ttk.Frame(self.side, padding=6, relief="solid" if chosen else "flat")
        frame.pack(fill="x", pady=3)
        image = Image.fromarray(flat)
        image.thumbnail((270, 90))
        picture = ImageTk.PhotoImage(image)
        self.pictures.append(picture)
        ttk.Label(frame, image=picture).pack(anchor="w")
        line = ttk.Frame(frame)
        line.pack(anchor="w", pady=(4, 0))
        for character, confidence in zip(plate.text, plate.confidences):
            colour = "#{:02x}{:02x}{:02x}".format(*colour_of(confidence))
            tk.Label(line, text=character, foreground=colour, font=("TkFixedFont", 20, "bold"), padx=1).pack(
                side="left"
            )
        ttk.Label(
            frame, text=f"confidence {plate.confidence:.0%}, {plate.ms:.0f} ms" if plate.text else "cannot be read"
        ).pack(anchor="w")
        return frame
