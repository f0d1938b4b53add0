"""A window that detects and reads number plates; `python -m projects.numberplate.gui` opens it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from projects.numberplate.config import GuiOptions
    from shared.runs import Run


def gui(options: "GuiOptions", run: "Run") -> None:
    """Open the window and wait until it is closed. Raises ValueError where there is no Tk or no screen."""
    try:
        from projects.numberplate.gui.window import open_window  # tkinter and torch are imported here
    except ImportError as error:
        if error.name not in ("tkinter", "_tkinter"):
            raise
        raise ValueError("the window needs Tk: `apt install python3-tk` (Debian, Ubuntu)") from None
    open_window(options, run)
