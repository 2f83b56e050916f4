"""What reports say of scores and of "none of these"."""

import pytest

from deep_images_hub.model_reports.words import fine_tuning_words, made_words, none_of_these_words, purpose_words, scores_words
from deep_images_hub.wire.model_reports import ReportCalibration, ReportFineTuning, ReportNoneOfThese

NONE_OF_THESE = ReportNoneOfThese(threshold=0.4321, rests_on="held_out_looks", images=1234, test_share=0.875)


@pytest.mark.parametrize(
    ("temperature", "rests_on", "words"),
    [
        (None, None, "too few pictures"),
        (0.9, None, "3.1 % on average."),
        (0.9, "validation", "may promise too much"),
        (0.9, "held_out_looks", "right more often than it says"),
    ],
)
def test_scores_are_told_with_what_they_rest_on(temperature: float | None, rests_on: str | None, words: str) -> None:
    found = ReportCalibration.model_validate(
        {"temperature": temperature, "rests_on": rests_on, "error": 0.031, "error_before": None, "bins": [], "thresholds": []}
    )

    assert scores_words(found).startswith("Its scores are off by 3.1 %")
    assert words in scores_words(found)


def test_scores_to_take_are_told_with_the_pictures_that_say_so() -> None:
    found = ReportCalibration(temperature=0.9, rests_on="held_out_looks", error=0.03, error_before=None, bins=[], thresholds=[])

    assert scores_words(found).endswith("found on the test split: of pictures that were taken elsewhere fewer may be right.")
    assert scores_words(found.model_copy(update={"threshold_images": 2110})).endswith("found on 2,110 such pictures.")


def test_none_of_these_is_told_with_its_limits_where_the_model_can_say_it() -> None:
    said = none_of_these_words(NONE_OF_THESE)

    assert all(words in said for words in ("0.432", "1,234 pictures that look like none", "87.5 % of its test pictures"))
    assert "validation" in none_of_these_words(NONE_OF_THESE.model_copy(update={"rests_on": "validation"}))
    assert "none of these" in purpose_words(NONE_OF_THESE)
    assert "none of these" not in purpose_words(None)


@pytest.mark.parametrize(
    ("weights", "mode", "words"),
    [
        ("scratch", "from_scratch", "without pretrained weights"),
        ("imagenet", None, "a head on features of ImageNet's"),
        ("sha256:ab", "head_on_features", "a head on features of pretrained"),
        ("imagenet", "fine_tuned", "top blocks fine-tuned from ImageNet's"),
    ],
)
def test_models_are_called_what_they_are(weights: str, mode: str | None, words: str) -> None:
    assert words in made_words(weights, mode)


def test_fine_tuning_is_told_beside_the_head_alone() -> None:
    found = ReportFineTuning(top1=0.8, head_top1=0.75, images=200, is_published=True)

    assert fine_tuning_words(found) == (
        "Fine-tuned, it was right on 80.0 % of 200 pictures that were held out, the head alone on 75.0 %."
    )
    assert fine_tuning_words(found.model_copy(update={"is_whole": True})).endswith(
        "Its scores were set by these; then it learned from them too, and was asked about no others of that kind again."
    )
    close = found.model_copy(update={"top1": 0.74})
    assert fine_tuning_words(close).endswith("the head alone on 75.0 %, which so few cannot tell apart.")
    worse = found.model_copy(update={"top1": 0.7, "is_published": False})
    assert fine_tuning_words(worse).endswith("so this is the head alone.")
    assert "no picture" in fine_tuning_words(found.model_copy(update={"top1": None, "head_top1": None}))
