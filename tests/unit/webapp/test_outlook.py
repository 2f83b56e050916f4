"""What a model's page says of its scores and of more pictures."""

from webapp.charts import mark
from webapp.outlook import LabelNeed, calibration, outlook
from webapp.wording import more

METRICS = {
    "per_class": [{"code": "a", "name": "Apple"}, {"code": "b", "name": "Bun"}, {"code": "c", "name": "Cake"}],
    "learning_curve": {
        "points": [{"images": 5.0, "accuracy": 0.5}, {"images": 10.0, "accuracy": 0.7}],
        "train_counts": [10, 8, 12],
        "floor": 0.1,
        "scale": 0.8,
        "exponent": 0.5,
        "twice": 0.75,
        "twice_interval": [0.7, 0.8],
        "goals": [
            {
                "accuracy": 0.8,
                "needs": [
                    {"low": 0, "likely": 0, "high": 3},
                    {"low": 20, "likely": None, "high": None},
                    {"low": 5, "likely": 30, "high": None},
                ],
            },
            {"accuracy": 0.9, "needs": [{"low": None, "likely": None, "high": None}] * 3},
        ],
    },
    "calibration": {
        "temperature": 1.3,
        "error": 0.04,
        "error_before": 0.1,
        "bins": [{"score": 0.5, "accuracy": 0.4, "count": 10}],
        "thresholds": [{"precision": 0.9, "score": 0.8, "share": 0.5}, {"precision": 0.99, "score": None, "share": None}],
    },
}


def test_outlook_asks_for_the_lowest_goal_and_says_what_each_label_needs() -> None:
    found = outlook(METRICS, goal=None)

    assert found is not None
    assert (found.goal, found.goals, found.images) == (0.8, [0.8, 0.9], 10.0)
    assert found.needs == {
        "a": LabelNeed(10, 0, 0, 3),
        "b": LabelNeed(8, 20, None, None),
        "c": LabelNeed(12, 5, 30, None),
    }
    # The last that was measured stands in the middle; the line goes on to twice the pictures.
    assert found.marks[-1] == mark(0.5, 0.7, "10 pictures a label: 70.0%")
    first, last = mark(5 / 20, 0.9 - 0.8 * 5**-0.5, ""), mark(1, 0.9 - 0.8 * 20**-0.5, "")
    assert (found.line.split()[0], found.line.split()[-1]) == (f"{first.x},{first.y}", f"{last.x},{last.y}")


def test_outlook_takes_another_goal_that_is_known_and_no_other() -> None:
    known, unknown = outlook(METRICS, goal=0.9), outlook(METRICS, goal=0.33)

    assert known is not None
    assert unknown is not None
    assert (known.goal, unknown.goal) == (0.9, 0.8)


def test_calibration_reads_bins_and_thresholds() -> None:
    found = calibration(METRICS)

    assert found is not None
    assert found.words.startswith("Its scores are off by 4.0 % on average. The scores to take were found on the test split")
    assert found.marks == [mark(0.5, 0.4, "10 answers of about 50%: 40% right")]
    assert found.thresholds[1].score is None


def test_calibration_says_once_what_several_thresholds_come_to() -> None:
    scores = [(0.8, 0.2), (0.9, 0.2), (0.95, None), (0.99, None)]
    told = METRICS | {"calibration": METRICS["calibration"] | {"thresholds": [_threshold(*score) for score in scores]}}

    found = calibration(told)

    assert found is not None
    assert [(row.precision, row.score) for row in found.thresholds] == [(0.9, 0.2), (0.95, None)]


def _threshold(precision: float, score: float | None) -> dict[str, float | None]:
    return {"precision": precision, "score": score, "share": 0.5}


def test_model_from_before_has_neither() -> None:
    assert calibration({}) is None
    assert outlook({"learning_curve": None}, goal=None) is None


def test_counts_of_more_pictures_are_told_to_two_digits() -> None:
    assert [more(count) for count in (None, 0, 37, 143, 1288)] == ["–", "0", "37", "140", "1,300"]
