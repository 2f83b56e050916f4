"""What the pages with a gallery share: filter, order, counts and the way from page to page, all of it said by the address."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

from flask import render_template, request, url_for
from sqlalchemy import Connection

from deep_images_hub.catalogue.galleries import (
    MAX_COUNTED,
    MAX_WALKED,
    FittingPictures,
    Gallery,
    count_fitting,
    gallery_page,
    open_gallery,
)
from deep_images_hub.images.gallery_places import place_at, place_from_text
from deep_images_hub.images.picture_filter import (
    MAX_SIDE_PX,
    QUALITY_STEPS,
    SIDE_STEPS_PX,
    PictureFilter,
    picture_filter_from_query,
)
from deep_images_hub.licences import LICENCE_NAMES, LICENCES
from deep_images_hub.places.gazetteer import load_gazetteer
from webapp.gallery_choices import Choice, Way

GALLERY_PAGE = 60

# What may stand in the query of an address as it is.
_SAFE_IN_QUERY = "!$'()*,/:;?@"
_SORT_WORDS = {"newest": "Newest first", "oldest": "Oldest first", "quality": "Best quality first", "size": "Largest first"}
_REVIEWED_WORDS = {"yes": "Looked at by an operator", "no": "Not looked at"}


def gallery_answer(connection: Connection, template: str, *, label_id: int | None, address: dict[str, Any], **shown: Any) -> str:
    """Render a page with a gallery as the request's address asks for it, or only the pictures that come next.

    Args:
        template: of the whole page; it gets what `gallery.html` needs, and `shown`.
        label_id: None: pictures of the whole hub.
        address: of the page without a filter, as `url_for` takes it.

    Raises:
        InvalidInputError: the address asks for something that cannot be.
    """
    wanted = picture_filter_from_query(dict(request.args.lists()))
    after = place_from_text(wanted.sort, request.args.get("after"))
    entered_at = request.args.get("at", "").strip()
    if after is None and entered_at:
        after = place_at(wanted.sort, entered_at)

    # Asking url_for for each of thirty ways took a tenth of a page's time.
    here = url_for(**address)

    def to(other: PictureFilter, **place: str) -> str:
        query = urlencode({**other.query(), **place}, doseq=True, safe=_SAFE_IN_QUERY)
        return f"{here}?{query}" if query else here

    gallery = open_gallery(connection, label_id=label_id, wanted=wanted)
    page = gallery_page(connection, gallery, after=after, limit=GALLERY_PAGE)
    more = to(wanted, after=page.after.text) if page.after else None
    if request.args.get("part") == "1":
        return render_template("gallery_part.html", page=page, more=more)
    fitting = count_fitting(connection, gallery)
    first_page = to(wanted)
    # Months and steps need no quoting, and to quote what else is asked once for each took a thirtieth of a page's time.
    jump = f"{first_page}{'&' if '?' in first_page else '?'}at="
    return render_template(
        template,
        wanted=wanted,
        page=page,
        more=more,
        fitting=fitting,
        max_counted=MAX_COUNTED,
        max_walked=MAX_WALKED,
        is_first_page=after is None,
        here=here,
        first_page=first_page,
        unfiltered=to(PictureFilter(own_only=wanted.own_only, sort=wanted.sort)),
        choices=_choices(gallery, fitting),
        without=[Way(_words(name, wanted, gallery), to(other)) for name, other in wanted.conditions.items()],
        sorts=[Way(words, to(replace(wanted, sort=sort)), sort == wanted.sort) for sort, words in _SORT_WORDS.items()],
        marks=[Way(words, f"{jump}{at}", at == entered_at, images) for at, words, images in _marks(gallery)],
        **shown,
    )


def country_words(code: str) -> str:
    """Return a country's name, or its code where nobody told."""
    return _country_names().get(code, code)


def _country_names() -> dict[str, str]:
    return load_gazetteer().country_names


def _choices(gallery: Gallery, fitting: FittingPictures) -> dict[str, list[Choice]]:
    wanted = gallery.wanted

    def choices(facet: str, condition: str, chosen: Iterable[str], words: dict[str, str], *, by: Any = None) -> list[Choice]:
        # What is asked of a facet itself does not narrow what one may choose in it instead, and that was not counted.
        counts = None if condition in wanted.conditions else fitting.by_facet
        values = gallery.facets[facet]
        listed = [
            Choice(
                of.value,
                words.get(of.value, of.name),
                of.value in chosen,
                of.images if not wanted.has_conditions else counts[facet][of.value] if counts else None,
            )
            for of in (sorted(values, key=by) if by else values)
        ]
        missing = set(chosen) - {of.value for of in values}
        return [*(Choice(value, words.get(value, value), True, 0) for value in sorted(missing)), *listed]

    return {
        "country": choices(
            "country",
            "place",
            [wanted.country] if wanted.country else [],
            _country_names(),
            by=lambda of: country_words(of.value),
        ),
        "city": choices("city", "place", [], {}),
        "licence": choices(
            "licence",
            "licence",
            wanted.licences,
            LICENCE_NAMES,
            by=lambda of: LICENCES.index(of.value),
        ),
        "reviewed": choices(
            "reviewed",
            "reviewed",
            [] if wanted.is_reviewed is None else ["yes" if wanted.is_reviewed else "no"],
            _REVIEWED_WORDS,
        ),
        "supplier": choices("supplier", "supplier", [str(wanted.supplier_id)] if wanted.supplier_id is not None else [], {}),
        "min_quality": _steps([f"{step:g}" for step in QUALITY_STEPS[1:]], wanted.min_quality, "{}"),
        "max_quality": _steps([f"{step:g}" for step in QUALITY_STEPS[1:]], wanted.max_quality, "{}"),
        "min_side": _steps([str(step) for step in SIDE_STEPS_PX[1:]], wanted.min_side_px, "{} px"),
        "max_side": _steps([str(step) for step in SIDE_STEPS_PX[1:]], wanted.max_side_px, "{} px"),
    }


def _steps(values: list[str], chosen: float | None, words: str) -> list[Choice]:
    asked = None if chosen is None else f"{chosen:.10g}"
    if asked is not None and asked not in values:
        values = sorted([*values, asked], key=float)
    return [Choice(value, words.format(value), value == asked) for value in values]


def _marks(gallery: Gallery) -> list[tuple[str, str, int]]:
    """Return where one may jump to, in order: as `at` says it, in words, and how many pictures are there before any filter."""
    sort = gallery.wanted.sort
    facet = {"quality": "quality", "size": "side"}.get(sort, "received")
    values = sorted(gallery.facets[facet], key=lambda of: (len(of.value), of.value), reverse=sort != "oldest")
    return [(*_mark(sort, of.value), of.images) for of in values]


def _mark(sort: str, value: str) -> tuple[str, str]:
    if sort == "quality":
        lowest, highest = QUALITY_STEPS[int(value)], (*QUALITY_STEPS[1:], 1)[int(value)]
        return f"{highest:g}", f"{lowest:g} to {highest:g}"
    if sort == "size":
        lowest_px, next_px = SIDE_STEPS_PX[int(value)], (*SIDE_STEPS_PX[1:], None)[int(value)]
        if next_px is None:
            return str(MAX_SIDE_PX), f"from {lowest_px} px"
        return str(next_px - 1), f"{lowest_px} to {next_px - 1} px"
    return value, f"{date.fromisoformat(value + '-01'):%B %Y}"


def _words(condition: str, wanted: PictureFilter, gallery: Gallery) -> str:
    """Say what a filter asks for, as a name of PictureFilter.conditions."""
    if condition == "place":
        return ", ".join(filter(None, (wanted.city, wanted.country and country_words(wanted.country))))
    if condition == "time":
        return f"{wanted.time.capitalize()} {_range(wanted.since, wanted.until)}"
    if condition == "licence":
        return ", ".join(LICENCE_NAMES[licence] for licence in wanted.licences)
    if condition == "quality":
        return f"Quality {_range(wanted.min_quality, wanted.max_quality)}"
    if condition == "size":
        return f"Short side {_range(wanted.min_side_px, wanted.max_side_px)} px"
    if condition == "reviewed":
        return _REVIEWED_WORDS["yes" if wanted.is_reviewed else "no"]
    names = {of.value: of.name for of in gallery.facets["supplier"]}
    return f"Sent by {names.get(str(wanted.supplier_id), 'nobody here')}"


def _range(lowest: object, highest: object) -> str:
    if lowest == highest:
        return str(lowest)
    return " ".join(f"{word} {end}" for word, end in (("from", lowest), ("to", highest)) if end is not None)
