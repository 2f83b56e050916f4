"""Temperature and reliability of scores."""

import numpy as np
import pytest

from models.calibration import MIN_IMAGES, ReliabilityBin, at_temperature, fit_temperature, reliability, threshold_for


def softmax(logits: np.ndarray) -> np.ndarray:
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("boldness", [0.5, 1.0, 3.0])
def test_temperature_undoes_how_bold_the_scores_are(boldness: float) -> None:
    random = np.random.default_rng(1)
    honest = softmax(2 * random.normal(size=(4000, 5)))
    truth = (honest.cumsum(axis=1) > random.random((4000, 1))).argmax(axis=1)
    said = softmax(np.log(honest) * boldness)

    temperature = fit_temperature(said, truth)

    assert temperature == pytest.approx(boldness, rel=0.1)
    np.testing.assert_allclose(at_temperature(said, boldness), honest, atol=1e-3)


def test_temperature_of_a_handful_of_pictures_is_not_told() -> None:
    assert fit_temperature(np.full((MIN_IMAGES - 1, 2), 0.5), np.zeros(MIN_IMAGES - 1, int)) is None


def test_temperature_of_scores_of_zero_and_one_is_within_bounds() -> None:
    sure = np.eye(2)[np.arange(40) % 2]

    # Nothing speaks for another temperature than 1 where all is right anyhow.
    assert fit_temperature(sure, np.arange(40) % 2) == pytest.approx(1, rel=0.01)
    assert fit_temperature(sure, (np.arange(40) + 1) % 2) == pytest.approx(10, rel=0.01)


def test_reliability_of_twenty_answers_has_ten_bins_from_the_lowest() -> None:
    bins = reliability(np.linspace(1, 0.05, 20), np.arange(20) < 10)

    assert bins[0] == ReliabilityBin(pytest.approx(0.075), 0.0, 2)
    assert bins[-1] == ReliabilityBin(pytest.approx(0.975), 1.0, 2)
    assert sum(part.count for part in bins) == 20
    assert len(reliability(np.array([0.4]), np.array([True]))) == 1


def test_threshold_keeps_answers_of_one_score_together() -> None:
    scores, is_right = np.array([0.9, 0.7, 0.7, 0.7, 0.2]), np.array([True, True, True, False, True])

    assert threshold_for(0.75, scores, is_right) == (0.2, 1.0)
    assert threshold_for(0.9, scores, is_right) == (0.9, 0.2)
    assert threshold_for(0.9, scores, np.zeros(5, bool)) is None
