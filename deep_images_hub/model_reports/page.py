"""An A4 page to write on: letters of many scripts, headings, plots and shares as bars. Knows nothing of models.

Letters are those of FiraGO (Latin, Greek, Cyrillic, Arabic, Hebrew, Thai, Devanagari, Georgian) with Noto Sans behind it. What
neither has, such as Chinese, is left to whoever writes: `can_write` tells. Letters of Arabic stand unjoined.
"""

import logging
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Self

import pymupdf_fonts
from fpdf import FPDF
from fpdf.enums import TableBordersLayout
from fpdf.fonts import FontFace, TTFFont

MARGIN_MM = 16.0
INK, SOFT, LINE, PAPER, ACCENT, BAD = (23, 25, 28), (88, 93, 99), (214, 214, 208), (255, 255, 255), (10, 102, 90), (163, 39, 31)
_FONTS = {("main", ""): "figo", ("main", "B"): "figbo", ("more", ""): "notos", ("more", "B"): "notosbo"}
_UNKNOWN = "\N{REPLACEMENT CHARACTER}"

# It says which letters a font lacks, again and again; `can_write` has asked before.
logging.getLogger("fpdf").setLevel(logging.ERROR)
logging.getLogger("fontTools").setLevel(logging.ERROR)


class Page(FPDF):
    """The pages of a document, as long as it gets, each with a title and its number at the foot. Use it in a `with` block."""

    def __init__(self, title: str) -> None:
        super().__init__(format="A4")
        with tempfile.TemporaryDirectory(prefix="fonts-") as folder:
            for (family, style), name in _FONTS.items():
                file = Path(folder) / f"{name}.otf"
                file.write_bytes(_font(name))
                self.add_font(family, style, file)
        self._letters = frozenset(letter for font in self.fonts.values() if isinstance(font, TTFFont) for letter in font.cmap)
        self.set_fallback_fonts(["more"], exact_match=False)
        self.set_title(title)
        self._foot = title
        self.set_margins(MARGIN_MM, MARGIN_MM)
        self.set_auto_page_break(True, margin=MARGIN_MM + 4)
        self.add_page()
        self.write_text("")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the fonts' files."""
        for font in self.fonts.values():
            if isinstance(font, TTFFont):
                font.ttfont.close()

    def footer(self) -> None:
        """Write the foot of a page; the library calls it."""
        self.set_y(-MARGIN_MM)
        self.set_font("main", size=8)
        self.set_text_color(*SOFT)
        self.cell(self.epw - 20, 5, self.fitting(self._foot, self.epw - 20))
        self.cell(20, 5, f"{self.page_no()} / {{nb}}", align="R")

    def can_write(self, words: str) -> bool:
        """Tell whether there is a letter for every sign."""
        return all(sign.isspace() or ord(sign) in self._letters for sign in words)

    def fitting(self, words: str, width_mm: float) -> str:
        """Return as much of some words as fits on a line."""
        line = "".join(sign if self.can_write(sign) else _UNKNOWN for sign in " ".join(words.split()))
        if self.get_string_width(line) <= width_mm:
            return line
        while line and self.get_string_width(f"{line}…") > width_mm:
            line = line[:-1]
        return f"{line.rstrip()}…"

    def heading(self, words: str, *, room_mm: float = 40.0) -> None:
        """Write a heading, on the next page where less than so much room is left below it."""
        if self.will_page_break(room_mm):
            self.add_page()
        else:
            self.ln(5)
        self.set_font("main", "B", 13)
        self.set_text_color(*INK)
        self.multi_cell(self.epw, 7, words, align="L", new_x="LMARGIN", new_y="NEXT")
        self.ln(1)

    def write_text(self, words: str, *, is_soft: bool = False, size: float = 9.5) -> None:
        """Write a paragraph."""
        self.set_font("main", size=size)
        self.set_text_color(*(SOFT if is_soft else INK))
        if words:
            shown = "".join(sign if sign.isspace() or self.can_write(sign) else _UNKNOWN for sign in words)
            self.multi_cell(self.epw, size * 0.5, shown, align="L", new_x="LMARGIN", new_y="NEXT")
            self.ln(1.5)

    def rows(self, head: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[float], *, of: str = "R") -> None:
        """Write a table; its head is said again on every page. Columns after the first are aligned as `of` says."""
        self.write_text("", size=8.5)
        self.set_draw_color(*LINE)
        self.set_fill_color(*PAPER)
        align = ("L", *[of] * (len(widths) - 1))
        with self.table(
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            col_widths=tuple(widths),
            text_align=align,
            line_height=5,
            headings_style=FontFace(emphasis="BOLD", color=SOFT),
            first_row_as_headings=any(head),
        ) as table:
            for row in [head, *rows] if any(head) else rows:
                written = table.row()
                for words in row:
                    written.cell(words)

    def plot(
        self,
        points: Sequence[tuple[float, float]],
        line: Sequence[tuple[float, float]],
        *,
        left_mm: float,
        top_mm: float,
        width_mm: float,
        ends: tuple[str, str],
    ) -> None:
        """Draw points and a line in a square of shares, x and y 0..1, with what stands at both ends of the x axis."""
        height_mm = width_mm * 0.5
        self.set_draw_color(*LINE)
        self.set_line_width(0.2)
        self.set_font("main", size=7)
        self.set_text_color(*SOFT)
        for share in (0.0, 0.5, 1.0):
            y = top_mm + height_mm * (1 - share)
            self.line(left_mm + 9, y, left_mm + width_mm, y)
            self.set_xy(left_mm, y - 1.5)
            self.cell(8, 3, f"{share:.0%}", align="R")
        self.set_xy(left_mm + 9, top_mm + height_mm + 1)
        self.cell((width_mm - 9) / 2, 3, ends[0])
        self.cell((width_mm - 9) / 2, 3, ends[1], align="R")

        def place(x: float, y: float) -> tuple[float, float]:
            return left_mm + 9 + (width_mm - 9) * min(1.0, max(0.0, x)), top_mm + height_mm * (1 - min(1.0, max(0.0, y)))

        self.set_draw_color(*SOFT)
        self.set_line_width(0.3)
        self.polyline([place(*point) for point in line])
        self.set_fill_color(*ACCENT)
        for point in points:
            x, y = place(*point)
            self.circle(x=x, y=y, radius=0.9, style="F")


@cache
def _font(name: str) -> bytes:
    return bytes(pymupdf_fonts.myfont(name))
