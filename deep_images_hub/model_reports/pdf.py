"""A model's report as a PDF: scores, plots, confusions, labels, example pictures with what speaks for the answer, the card."""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from PIL import Image

from deep_images_hub.images.network_input import seen_box
from deep_images_hub.model_reports.confusions import largest_confusions, matrix_cells
from deep_images_hub.model_reports.page import ACCENT, BAD, LINE, Page
from deep_images_hub.model_reports.words import fine_tuning_words, none_of_these_words, percent, purpose_words, scores_words
from deep_images_hub.wire.model_reports import ModelReport, ReportExample

_CONFUSIONS = 15
# A larger matrix than this is left to the other forms of the report.
_MATRIX_LABELS = 120
_NAMED_MATRIX_LABELS = 40
_EXAMPLES_A_ROW = 4
_CURVE_STEPS = 40
_MAX_OPACITY = 0.62


@dataclass(frozen=True)
class _Names:
    """Names of labels as they can be written: a label whose name has letters that no font has goes by its code."""

    by_code: Mapping[str, str]

    def __call__(self, code: str) -> str:
        return self.by_code[code]


def report_pdf(report: ModelReport, *, picture: Callable[[str], bytes], url: str) -> bytes:
    """Return a report as a PDF.

    Args:
        picture: gives an example's picture, by its sha256, as JPEG.
        url: of the model's page.
    """
    with Page(f"{report.version_name}: {report.backbone}") as page:
        names = _Names({label.code: label.name if page.can_write(label.name) else label.code for label in report.labels})
        page.set_creation_date(report.created_at)
        _title(page, report, url)
        _scores(page, report)
        _plots(page, report)
        _none_of_these(page, report)
        _confusions(page, report, names)
        _labels(page, report, names)
        _examples(page, "Its surest mistakes", report.wrong, names, picture)
        _examples(page, "Right answers, from sure to unsure", report.right, names, picture)
        _card(page, report)
        return bytes(page.output())


def _title(page: Page, report: ModelReport, url: str) -> None:
    page.set_font("main", "B", 20)
    page.multi_cell(page.epw, 9, page.fitting(report.version_name, page.epw), align="L", new_x="LMARGIN", new_y="NEXT")
    page.write_text(f"{report.backbone}, {report.made}. It tells {len(report.labels)} labels apart. {url}", is_soft=True)
    if report.taken_down:
        page.write_text(f"{report.taken_down:,} pictures of its dataset were taken down since. Train another model.")


def _scores(page: Page, report: ModelReport) -> None:
    scores = report.scores
    interval = f" ({percent(scores.top1_interval[0])} to {percent(scores.top1_interval[1])})" if scores.top1_interval else ""
    rows = [
        (f"Right on {scores.test_images:,} test pictures, with its 95 % interval", scores.top1, interval),
        (f"Right within its {scores.k} likeliest answers", scores.top_k, ""),
        ("Right, or of the right family", scores.family_top1, ""),
        ("Mean F1, each label counting the same", scores.macro_f1, ""),
        ("Right by always naming the commonest label", scores.majority_top1, ""),
        ("Right with random features of coarse grey pictures", scores.random_features_top1, ""),
    ]
    page.rows((), [(name, percent(value) + more) for name, value, more in rows if value is not None], (3, 2))


def _plots(page: Page, report: ModelReport) -> None:
    calibration, curve = report.calibration, report.learning_curve
    if calibration is None and curve is None:
        return
    page.heading("What its scores are worth, and how it grows with pictures", room_mm=75)
    top, width = page.get_y() + 2, page.epw / 2 - 5
    if calibration is not None:
        points = [(part.score, part.accuracy) for part in calibration.bins]
        page.plot(points, [(0, 0), (1, 1)], left_mm=page.l_margin, top_mm=top, width_mm=width, ends=("score 0 %", "100 %"))
    if curve is not None:
        widest = 2 * curve.points[-1].images
        smallest = min(point.images for point in curve.points)
        sizes = [smallest + (widest - smallest) * step / _CURVE_STEPS for step in range(_CURVE_STEPS + 1)]
        line = [(size / widest, 1 - curve.floor - curve.scale * size**-curve.exponent) for size in sizes]
        points = [(point.images / widest, point.accuracy) for point in curve.points]
        ends = ("0 pictures a label", f"{widest:,.0f}")
        page.plot(points, line, left_mm=page.l_margin + width + 10, top_mm=top, width_mm=width, ends=ends)
    page.set_xy(page.l_margin, top + width * 0.5 + 7)
    if calibration is not None:
        page.write_text(f"Left: right answers by score; on the line, scores are what they say. {scores_words(calibration)}")
        rows = [(percent(row.precision), percent(row.score), percent(row.share)) for row in calibration.thresholds]
        page.rows(("To be right so often", "take scores from", "answers left"), rows, (2, 2, 2))
        page.ln(2)
    if curve is not None:
        low, high = curve.twice_interval
        page.write_text(
            f"{'Right' if calibration is not None else 'Above'}: right answers by training pictures a label, as measured and as "
            f"expected. Of twice as many, {percent(curve.twice)} is expected ({percent(low)} to {percent(high)})."
        )


def _none_of_these(page: Page, report: ModelReport) -> None:
    if report.none_of_these is not None:
        page.heading("When it answers “none of these”", room_mm=25)
        page.write_text(none_of_these_words(report.none_of_these))


def _confusions(page: Page, report: ModelReport, names: _Names) -> None:
    found = largest_confusions(matrix_cells(report.confusion), limit=_CONFUSIONS)
    if not found:
        return
    page.heading("What it takes for what")
    said = [names(label.code) for label in report.labels]
    page.rows(("Label, taken for", "Pictures"), [(f"{said[of.row]}, {said[of.column]}", str(of.count)) for of in found], (5, 1))
    if len(report.labels) <= _MATRIX_LABELS:
        _matrix(page, report, names)


def _matrix(page: Page, report: ModelReport, names: _Names) -> None:
    count = len(report.labels)
    is_named = count <= _NAMED_MATRIX_LABELS
    left = 38.0 if is_named else 0.0
    cell = min(9.0, (page.epw - left) / count)
    page.heading("The whole matrix: rows are labels, columns are answers in the same order", room_mm=cell * count + 14)
    top = page.get_y()
    page.set_fill_color(*LINE)
    page.set_draw_color(*LINE)
    page.rect(page.l_margin + left, top, cell * count, cell * count)
    page.set_font("main", size=min(8.0, cell * 2.2))
    for row, counts in enumerate(report.confusion):
        total = sum(counts) or 1
        for column, number in enumerate(counts):
            if number:
                page.set_fill_color(*(ACCENT if row == column else BAD))
                with page.local_context(fill_opacity=0.15 + 0.85 * number / total):
                    page.rect(page.l_margin + left + column * cell, top + row * cell, cell, cell, style="F")
        if is_named:
            page.set_xy(page.l_margin, top + row * cell)
            page.cell(left - 2, cell, page.fitting(names(report.labels[row].code), left - 3), align="R")
    page.set_xy(page.l_margin, top + cell * count + 2)


def _labels(page: Page, report: ModelReport, names: _Names) -> None:
    if not report.labels:
        return
    goals = report.learning_curve.goals if report.learning_curve else []
    goal = goals[0] if goals else None
    page.heading("Label by label, from where it does worst")
    if goal is not None:
        page.write_text(
            f"More: training pictures that a label is expected to need for {percent(goal.accuracy)}, with 80 % bounds."
        )
    rows = []
    for label in sorted(report.labels, key=lambda label: (label.recall is None, label.recall or 0.0, label.name)):
        row = [names(label.code), str(label.support), percent(label.recall), percent(label.precision)]
        row.append(percent(label.f1 if label.support or label.precision is not None else None))
        if goal is not None:
            need = goal.needs[label.code]
            row += [_count(need.likely), f"{_count(need.low)} to {_count(need.high)}"]
        rows.append(row)
    head = ["Label", "Test", "Found", "Right when named", "F1", *(["More", "Bounds"] if goal is not None else [])]
    page.rows(head, rows, (5, 1.2, 1.6, 2.2, 1.6, *((1.3, 2.2) if goal is not None else ())))


def _examples(
    page: Page, heading: str, examples: Sequence[ReportExample], names: _Names, picture: Callable[[str], bytes]
) -> None:
    if not examples:
        return
    side = page.epw / _EXAMPLES_A_ROW - 4
    page.heading(heading, room_mm=side + 30)
    page.write_text("Bright is what speaks for the answer, the brighter the more.", is_soft=True)
    for start in range(0, len(examples), _EXAMPLES_A_ROW):
        if page.will_page_break(side + 14):
            page.add_page()
        top = page.get_y()
        for place, example in enumerate(examples[start : start + _EXAMPLES_A_ROW]):
            left = page.l_margin + place * (side + 5)
            page.image(_dimmed(picture(example.sha256), example.evidence), left, top, side, side, keep_aspect_ratio=True)
            page.set_font("main", size=7.5)
            words = [names(example.said), f"{percent(example.score)}"]
            if example.said != example.truth:
                words = [names(example.truth), f"taken for {names(example.said)}", percent(example.score)]
            for line, said in enumerate(words):
                page.set_xy(left, top + side + 1 + 3.5 * line)
                page.cell(side, 3.5, page.fitting(said, side))
        page.set_xy(page.l_margin, top + side + 14)


def _dimmed(body: bytes, evidence: Sequence[Sequence[int]]) -> io.BytesIO:
    """Return a picture dimmed but for what speaks for the answer, as its page shows it."""
    with Image.open(io.BytesIO(body)) as opened:
        image = opened.convert("RGB")
    rows, columns = len(evidence), len(evidence[0])
    strongest = max(max(row) for row in evidence) or 1
    shades = Image.new("L", (columns, rows))
    shades.putdata([round(255 * _MAX_OPACITY * (1 - level / strongest)) for row in evidence for level in row])
    left, top, side = (round(value) for value in seen_box(*image.size))
    mask = Image.new("L", image.size, round(255 * _MAX_OPACITY))
    mask.paste(shades.resize((side, side), Image.Resampling.BICUBIC), (left, top))
    image.paste((16, 18, 20), mask=mask)
    dimmed = io.BytesIO()
    image.save(dimmed, "JPEG", quality=85)
    dimmed.seek(0)
    return dimmed


def _card(page: Page, report: ModelReport) -> None:
    page.heading("What it is")
    counts = ", ".join(f"{count:,} {split}" for split, count in report.images.items())
    rows = [
        ("Dataset", f"{page.fitting(report.version_name, 80)} {report.version_digest[:12]}"),
        ("Pictures", counts or "-"),
        ("Network", report.backbone),
        *([("Fine-tuning", fine_tuning_words(report.fine_tuning))] if report.fine_tuning else []),
        ("First weights", report.weights[:24]),
        ("Made", f"{report.created_at:%Y-%m-%d %H:%M} UTC, training run {report.run_id}"),
        *((file.name, file.sha256[:32]) for file in report.files),
    ]
    page.rows((), rows, (1, 3), of="L")
    page.ln(2)
    page.write_text(f"{purpose_words(report.none_of_these)} Labels and preprocessing are inside its files.")


def _count(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"
