"""What a gallery's filter offers, as HTML."""

from webapp.gallery_choices import Choice, Way, city_names, options, ways

HOSTILE = '"><script>alert(1)</script>'


def test_options_say_what_is_chosen_and_how_many_fit() -> None:
    written = options([Choice("by", "CC BY", True, 1200), Choice("cc0", "CC0", False)])
    assert written == '<option value="by" selected>CC BY (1,200)</option><option value="cc0">CC0</option>'


def test_ways_say_where_one_is() -> None:
    written = ways([Way("Newest", "/images", True), Way("May 2026", "/images?own=1&at=2026-05", images=3)])
    assert written == (
        '<li><a href="/images" aria-current="true">Newest</a></li>'
        '<li><a href="/images?own=1&amp;at=2026-05">May 2026 <span>3</span></a></li>'
    )


def test_names_that_people_typed_write_no_html() -> None:
    choice, way = Choice(HOSTILE, HOSTILE, False), Way(HOSTILE, HOSTILE)
    for written in (options([choice]), city_names([choice]), ways([way])):
        assert "<script" not in written
