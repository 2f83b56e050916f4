from dataclasses import fields
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deep_images_hub.errors import InvalidInputError
from deep_images_hub.images.gallery_places import GalleryPlace, place_at, place_from_text
from deep_images_hub.images.picture_filter import SORTS, PictureFilter, picture_filter_from_query
from deep_images_hub.licences import LICENCES

DAYS = st.dates(max_value=date(9998, 12, 31))
QUALITIES = st.integers(0, 10_000).map(lambda parts: parts / 10_000)
SIDES = st.integers(0, 10**6)


def _range(values: st.SearchStrategy, lowest: str, highest: str) -> st.SearchStrategy[dict]:
    pairs = st.tuples(st.none() | values, st.none() | values)
    ordered = pairs.map(lambda pair: pair if None in pair else tuple(sorted(pair)))
    return ordered.map(lambda pair: {lowest: pair[0], highest: pair[1]})


@st.composite
def filters(draw: st.DrawFn) -> PictureFilter:
    days = draw(_range(DAYS, "since", "until"))
    has_days = any(days.values())
    return PictureFilter(
        own_only=draw(st.booleans()),
        country=draw(st.none() | st.from_regex(r"[A-Z]{2}", fullmatch=True)),
        city=draw(st.none() | st.sampled_from(["Toronto", "Hell's Kitchen", "<script>", "São Paulo", "a&b=c;d#e", "50 %"])),
        time=draw(st.sampled_from(["received", "taken"])) if has_days else "received",
        licences=tuple(draw(st.lists(st.sampled_from(LICENCES)))),
        is_reviewed=draw(st.none() | st.booleans()),
        supplier_id=draw(st.none() | st.integers(0, 2**59)),
        sort=draw(st.sampled_from(SORTS)),
        **days,
        **draw(_range(QUALITIES, "min_quality", "max_quality")),
        **draw(_range(SIDES, "min_side_px", "max_side_px")),
    )


def lists(query: dict) -> dict[str, list[str]]:
    return {name: value if isinstance(value, list) else [value] for name, value in query.items()}


@given(filters())
def test_filter_that_an_address_says_is_read_as_the_same(wanted: PictureFilter) -> None:
    assert picture_filter_from_query(lists(wanted.query())) == wanted


@given(filters())
def test_conditions_are_what_a_filter_asks_for_and_each_can_be_left_out(wanted: PictureFilter) -> None:
    assert bool(wanted.conditions) == wanted.has_conditions
    for name, other in wanted.conditions.items():
        assert set(other.conditions) == set(wanted.conditions) - {name}
        assert (other.own_only, other.sort) == (wanted.own_only, wanted.sort)


def test_nothing_asked_is_the_bare_address_and_empty_fields_of_a_form_ask_nothing() -> None:
    assert PictureFilter().query() == {}
    empty = {name: [""] for name in (*(field.name for field in fields(PictureFilter)), "from", "to", "licence", "min_side")}
    assert picture_filter_from_query(empty) == PictureFilter()
    assert picture_filter_from_query({"utm_source": ["x"], "page": ["7"]}) == PictureFilter()


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"sort": ["best"]}, "sort is 'best'; expected one of: newest, oldest, quality, size"),
        ({"licence": ["by", "mit"]}, "licence is 'mit'; expected one of: cc0"),
        ({"country": ["Canada"]}, "country is 'Canada'; expected a country's code of two letters, such as CA"),
        ({"city": ["x" * 101]}, "city has 101 characters"),
        ({"from": ["1.3.2026"]}, "from is '1.3.2026'; expected a day such as 2026-03-01"),
        ({"to": ["2026-02-30"]}, "to is '2026-02-30'"),
        ({"to": ["9999-12-31"]}, "to is '9999-12-31'"),
        ({"to": ["٢٠٢٦-٠٣-٠١"]}, "expected a day"),
        ({"time": ["sent"], "to": ["2026-01-01"]}, "time is 'sent'; expected one of: received, taken"),
        ({"from": ["2026-02-01"], "to": ["2026-01-01"]}, "The range of days begins at 2026-02-01 and ends at 2026-01-01"),
        ({"min_quality": ["nan"]}, "min_quality is 'nan'; expected a score from 0 .worst. to 1 .best."),
        ({"max_quality": ["1.5"]}, "max_quality is 1.5"),
        ({"min_quality": ["inf"]}, "min_quality is inf"),
        ({"min_quality": ["0.7"], "max_quality": ["0.6"]}, "Quality begins at 0.7 and ends at 0.6"),
        ({"min_side": ["-1"]}, "min_side is '-1'; expected a whole number of pixels"),
        ({"min_side": ["9" * 30]}, "min_side"),
        ({"reviewed": ["maybe"]}, "reviewed is 'maybe'; expected yes or no"),
        ({"supplier": ["ada"]}, "supplier is 'ada'; expected the number of a supplier"),
        ({"supplier": ["9" * 19]}, "expected the number of a supplier"),
    ],
)
def test_value_that_cannot_be_used_is_refused_in_words(query: dict[str, list[str]], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        picture_filter_from_query(query)


def test_days_are_whole_days_in_utc() -> None:
    wanted = PictureFilter(since=date(2026, 3, 1), until=date(2026, 3, 1))
    assert wanted.since_time == datetime(2026, 3, 1, tzinfo=UTC)
    assert wanted.until_time == datetime(2026, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("sort", "key"),
    [("newest", datetime(2026, 3, 1, 12, 0, 0, 123456, UTC)), ("oldest", datetime(1969, 1, 1, tzinfo=UTC)), ("quality", 0.4375),
     ("quality", 1e-05), ("size", 348)],
)  # fmt: skip
def test_place_in_a_gallery_is_read_from_an_address_as_it_was(sort: str, key: float | datetime) -> None:
    place = GalleryPlace(key, 2**59)
    assert place_from_text(sort, place.text) == place


@pytest.mark.parametrize(
    ("sort", "text"),
    [
        *(("newest", text) for text in ("x", "-1", "9" * 30, "1~-2", "0.5~1", "nan~3", "1~1~1", "١~1", "1~" + "9" * 19)),
        *(("quality", text) for text in ("1.5~1", "1e-99~1", "-0.5~1")),
        *(("size", text) for text in ("2147483648~1", "0.5~1")),
    ],
)
def test_place_that_is_none_is_refused_in_words(sort: str, text: str) -> None:
    with pytest.raises(InvalidInputError, match="is not a place in this list"):
        place_from_text(sort, text)


def test_gallery_can_be_entered_at_a_time_a_score_and_a_size() -> None:
    assert place_at("newest", "2026-02") == GalleryPlace(datetime(2026, 3, 1, tzinfo=UTC), 0)
    assert place_at("oldest", "2026-02") == GalleryPlace(datetime(2026, 2, 1, tzinfo=UTC), 0)
    assert place_at("newest", "2026-02-10") == GalleryPlace(datetime(2026, 2, 11, tzinfo=UTC), 0)
    assert place_at("quality", "0.5").key == 0.5
    assert place_at("size", "512").key == 512
    # Less than single precision can hold.
    assert place_at("quality", "1e-300").key == 0


@pytest.mark.parametrize(
    ("sort", "text"),
    [
        *(("newest", text) for text in ("0.5", "2026-13", "9999-12")),
        ("oldest", "0000-00"),
        *(("quality", text) for text in ("2026-02", "nan", "inf", "1.01")),
        *(("size", text) for text in ("-3", "1e3", "9" * 400)),
    ],
)
def test_gallery_cannot_be_entered_at_what_it_does_not_go_by(sort: str, text: str) -> None:
    with pytest.raises(InvalidInputError, match="is no place to jump to"):
        place_at(sort, text)
