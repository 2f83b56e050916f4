from datetime import UTC, datetime, timedelta, timezone

import pytest

from deep_images_hub.batches.report import CAUSE_WORDS, REASON_WORDS
from deep_images_hub.verdicts import CHECKS, DECISION_CAUSES, REASONS
from webapp import charts, wording


def test_every_reason_and_check_has_words() -> None:
    assert REASON_WORDS.keys() == set(REASONS)
    assert CAUSE_WORDS.keys() == set(DECISION_CAUSES)
    assert wording.CHECK_WORDS.keys() == set(CHECKS)


@pytest.mark.parametrize(
    ("size_bytes", "words"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (5 * 10**15, "5000 TB"),
    ],
)
def test_size_is_said_with_two_or_three_digits(size_bytes: int, words: str) -> None:
    assert wording.size(size_bytes) == words


def test_moment_is_said_in_utc() -> None:
    time = datetime(2026, 3, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    assert str(wording.moment(time)) == '<time datetime="2026-02-28T23:30:00+00:00">28 Feb 2026, 23:30 UTC</time>'
    assert wording.moment(None) == "–"
    assert wording.moment(datetime(2026, 3, 1, tzinfo=UTC)).startswith("<time")


@pytest.mark.parametrize(("width_px", "height_px"), [(1, 5000), (400, 300), (300, 400), (5000, 1), (100, 100)])
def test_every_ratio_has_a_rule_close_to_it(width_px: int, height_px: int) -> None:
    rules = dict(line.removeprefix(".").split(" { --ratio: ") for line in wording.ratio_rules().splitlines())
    shown = float(rules[wording.ratio_class(width_px, height_px)].removesuffix("; }"))
    meant = min(wording.MAX_RATIO, max(wording.MIN_RATIO, width_px / height_px))
    assert shown == pytest.approx(meant, rel=0.0101)


def test_polyline_runs_from_left_to_right_and_stays_inside() -> None:
    points = [tuple(map(float, point.split(","))) for point in charts.polyline([4.0, 2.0, 0.0, float("nan")]).split()]
    assert points == [(30.0, 10.0), (125.3, 60.0), (220.7, 110.0), (316.0, 110.0)]
    assert charts.polyline([]) == ""
