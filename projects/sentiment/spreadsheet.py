"""Tables as sheets of an .xlsx file."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from shared.files import atomic


def require_writer(path: Path) -> None:
    """Raises ValueError with one sentence if the name or the packages do not allow it."""
    if path.suffix.lower() != ".xlsx":
        raise ValueError(f"--xlsx {path}: the name must end with .xlsx")
    if not find_spec("xlsxwriter"):
        raise ValueError("--xlsx needs a package of the extra `tables`: pip install -e '.[tables]'")


def write_spreadsheet(path: Path, tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """A sheet for each table that has rows, with a bold header that stays in sight. Texts are never formulas."""
    import xlsxwriter

    with atomic(path) as part:
        settings = {"strings_to_formulas": False, "strings_to_urls": False, "nan_inf_to_errors": True}
        with xlsxwriter.Workbook(str(part), settings) as book:
            bold = book.add_format({"bold": True})
            for name, rows in tables.items():
                sheet = book.add_worksheet(name)
                columns = list(rows[0]) if rows else []
                sheet.write_row(0, 0, columns, bold)
                sheet.freeze_panes(1, 1)
                for number, row in enumerate(rows, start=1):
                    sheet.write_row(number, 0, [row[column] for column in columns])
                if rows:
                    sheet.autofilter(0, 0, len(rows), len(columns) - 1)
                    sheet.autofit(300)
