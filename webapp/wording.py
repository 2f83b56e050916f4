"""How numbers, times and findings are said in a page: Jinja filters, all pure."""

import math
from datetime import UTC, datetime

from flask import Flask
from markupsafe import Markup, escape

from deep_images_hub.batches.report import CAUSE_WORDS, reason_words
from deep_images_hub.catalogue.images import Picture
from deep_images_hub.licences import LICENCE_NAMES

# What a check asks of a picture.
CHECK_WORDS = {
    "bytes": "Is it a photograph, by its content?",
    "decode": "Can all of it be read?",
    "exact_duplicates": "Is it new to the hub?",
    "near_duplicates": "Is nothing in the hub nearly the same?",
    "odd_size": "Is it large enough?",
    "odd_aspect_ratio": "Is its shape that of a photograph?",
    "dark": "Is it bright enough?",
    "light": "Is it free of glare?",
    "low_information": "Does it show something?",
    "blurry": "Is it sharp?",
    "grayscale": "Is it in colour?",
    "label_agreement": "Does it show what its label says?",
    "review": "Did somebody look at it, and let it in?",
}
# What was done to an account, before what it was and what it became.
DEED_WORDS = {
    "made": "Account made",
    "role": "Role changed",
    "closed": "Account closed",
    "reopened": "Account opened again",
    "password": "Password changed",
    "email": "Address changed",
    "name": "Name changed",
    "signed_out": "Signed out everywhere",
    "tokens_revoked": "API tokens revoked",
    "deleted": "Account deleted",
}
_OUTCOME_WORDS = {"pass": "yes", "flag": "worth a look", "fail": "no"}

# Widths of pictures in a gallery's rows go by class, since pages may hold no inline styles. 2 % apart: nobody sees it.
RATIO_STEP = math.log(1.02)
MIN_RATIO, MAX_RATIO = 0.4, 3.0


def register(app: Flask) -> None:
    """Give the filters to the templates."""
    app.jinja_env.filters.update(
        number=number,
        size=size,
        percent=percent,
        more=more,
        moment=moment,
        reason=reason_words,
        cause=lambda name: CAUSE_WORDS.get(name, name),
        check=lambda name: CHECK_WORDS.get(name, name),
        outcome=lambda name: _OUTCOME_WORDS.get(name, name),
        licence=lambda code: LICENCE_NAMES.get(code, code),
        deed=lambda name: DEED_WORDS.get(name, name),
        plural=plural,
        at_most=at_most,
        ordinal=ordinal,
    )
    app.jinja_env.globals.update(ratio_class=ratio_class, shown_width_px=shown_width_px)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True


def number(value: float) -> str:
    """1234567 -> 1,234,567."""
    return f"{value:,}"


def plural(count: int, singular: str, several: str | None = None) -> str:
    """Return a count with its noun: 1 picture, 2 pictures."""
    return f"{count:,} {singular if count == 1 else several or singular + 's'}"


def at_most(count: int, limit: int) -> str:
    """Return a count, or the limit with a plus: 999+."""
    return f"{count:,}" if count <= limit else f"{limit:,}+"


def ordinal(place: int) -> str:
    """Return a place in an order: 1st, 2nd, 3rd, 11th."""
    ending = "th" if place % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place:,}{ending}"


def size(size_bytes: int) -> str:
    """Return a length in bytes as people say it: 812 bytes, 3.4 MB."""
    if size_bytes < 1000:
        return plural(size_bytes, "byte")
    units = ["TB", "GB", "MB", "kB"]
    value = size_bytes / 1000
    while value >= 999.5 and len(units) > 1:
        value /= 1000
        units.pop()
    return f"{value:.1f} {units[-1]}" if value < 10 else f"{value:.0f} {units[-1]}"


def percent(fraction: float | None, digits: int = 0) -> str:
    """0.734 -> 73 %. None: a dash."""
    return "–" if fraction is None else f"{100 * fraction:.{digits}f}\u202f%"


def more(count: int | None) -> str:
    """Return how many more of something, to two digits: 0, 37, 140. None: a dash."""
    if count is None:
        return "–"
    return f"{round(count, 2 - len(str(count))):,}" if count > 99 else str(count)


def moment(time: datetime | None) -> Markup:
    """Return a <time>, in UTC to the minute. None: a dash."""
    if time is None:
        return Markup("–")
    utc = time.astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(
        utc.isoformat(timespec="seconds"), escape(f"{utc:%-d %b %Y, %H:%M} UTC")
    )


def ratio_class(width_px: int, height_px: int) -> str:
    """Return the class that gives a picture its width in a gallery's rows."""
    return f"ratio-{_ratio_step(width_px / height_px)}"


def shown_width_px(picture: Picture, side_px: int) -> int:
    """Return how wide a picture is whose short side, or whose row, measures so much."""
    return round(side_px * max(1.0, picture.width_px / picture.height_px))


def ratio_rules() -> str:
    """Return the style rules of every class that `ratio_class` names."""
    steps = range(_ratio_step(MIN_RATIO), _ratio_step(MAX_RATIO) + 1)
    return "\n".join(f".ratio-{step} {{ --ratio: {math.exp(step * RATIO_STEP):.4f}; }}" for step in steps) + "\n"


def _ratio_step(ratio: float) -> int:
    return round(math.log(min(MAX_RATIO, max(MIN_RATIO, ratio))) / RATIO_STEP)
