import pytest

from deep_images_hub.batches.thresholds import THRESHOLD_CHECKS, require_threshold, threshold_setting
from deep_images_hub.errors import InvalidInputError
from deep_images_hub.images.quality import thresholds_from_settings
from deep_images_hub.settings import Settings, load_settings
from deep_images_hub.verdicts import QUALITY_REASONS


@pytest.mark.parametrize(
    ("check", "message"),
    [
        ("blurr", "no check 'blurr'. Did you mean 'blurry'"),
        ("exact_duplicates", "'exact_duplicates' gives no score"),
        ("near_duplicates", "'near_duplicates' refuses nothing"),
        ("decode", "'decode' gives no score.*blurry"),
        ("x", "no check 'x'. Checks with a threshold: odd_size"),
    ],
)
def test_check_without_a_threshold_is_refused(check: str, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        require_threshold(check, 0.5)


@pytest.mark.parametrize("threshold", [-0.01, 1.01, float("nan"), float("inf")])
def test_threshold_out_of_range_is_refused(threshold: float) -> None:
    with pytest.raises(InvalidInputError, match="Expected 0 to 1"):
        require_threshold("blurry", threshold)


def test_ends_of_the_range_are_thresholds_of_every_check() -> None:
    for check in THRESHOLD_CHECKS:
        require_threshold(check, 0)
        require_threshold(check, 1)


@pytest.mark.parametrize("check", QUALITY_REASONS)
@pytest.mark.parametrize("threshold", [0.125, 0.5])
def test_setting_that_is_named_makes_intake_judge_by_that_threshold(check: str, threshold: float) -> None:
    found = threshold_setting(check, threshold, load_settings())

    assert found is not None
    changed = Settings(**{found.name: found.value})  # type: ignore[arg-type]
    assert getattr(thresholds_from_settings(changed), check) == threshold
