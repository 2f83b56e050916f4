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


def drawn_looks(random: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What two classifiers say of looks of three pictures each, some hard for both, and the truth. The first is bolder."""
    hard = random.normal(size=(count, 1, 1)).repeat(3, axis=0)
    signal = 3 * np.eye(4)[np.newaxis, 0] + random.normal(size=(3 * count, 1, 4)) - 2.5 * hard * np.eye(4)[np.newaxis, 0]
    logits = [signal[:, 0] + 0.7 * random.normal(size=(3 * count, 4)) for _ in range(2)]
    return softmax(1.3 * logits[0]), softmax(logits[1]), np.zeros(3 * count, int)


def test_few_pictures_tell_more_beside_a_classifier_whose_temperature_is_known() -> None:
    random = np.random.default_rng(4)
    many = drawn_looks(random, 20_000)
    best, known = (fit_temperature(said, many[2]) for said in many[:2])
    alone, beside = [], []
    for _ in range(60):
        said, other, truth = drawn_looks(random, 70)
        alone.append(np.log(fit_temperature(said, truth) / best))
        beside.append(np.log(fit_temperature(said, truth, beside=at_temperature(other, known)) / best))

    assert np.std(beside) < 0.6 * np.std(alone)
    assert abs(np.mean(beside)) < 0.03


def test_classifier_beside_that_is_in_line_on_these_pictures_or_sure_of_all_changes_nothing() -> None:
    said, other, truth = drawn_looks(np.random.default_rng(5), 70)
    in_line = at_temperature(other, fit_temperature(other, truth))

    assert fit_temperature(said, truth, beside=in_line) == pytest.approx(fit_temperature(said, truth), rel=0.01)
    assert fit_temperature(said, truth, beside=np.eye(4)[truth]) == pytest.approx(fit_temperature(said, truth), rel=1e-6)


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
