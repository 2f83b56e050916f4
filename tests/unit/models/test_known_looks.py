"""Pictures near what was learned from pass, far ones do not; and the threshold rests on looks that had no part in the means."""

import numpy as np
import pytest

from models.known_looks import LOOKS, known_looks, nearest_known

# Two labels of two looks each, in a space of 16.
_LOOKS = np.eye(16)[:4] + 0.2
_LABELS = np.repeat([0, 0, 1, 1], 30)


def pictures_of(looks: np.ndarray, seed: int, spread: float = 0.05) -> np.ndarray:
    return (np.repeat(looks, 30, axis=0) + np.random.default_rng(seed).normal(0, spread, (30 * len(looks), 16))).astype(
        np.float32
    )


@pytest.mark.parametrize("scale", [1.0, 1e-3])
def test_planted_looks_pass_and_a_far_one_is_none_of_these(scale: float) -> None:
    known = known_looks(scale * pictures_of(_LOOKS, 1), _LABELS, validation=pictures_of(_LOOKS, 2), seed=0)

    assert known is not None
    assert known.rests_on == "validation"
    assert known.images == 120
    assert known.means.shape[0] <= 2 * LOOKS
    np.testing.assert_allclose(np.linalg.norm(known.means, axis=1), 1, rtol=1e-5)
    # That of the validation split is 95 % by the definition of the threshold; another draw comes near it.
    assert known.share_that_passes(pictures_of(_LOOKS, 2)) == pytest.approx(0.95)
    assert known.share_that_passes(pictures_of(_LOOKS, 3)) > 0.8
    assert known.share_that_passes(pictures_of(np.eye(16)[8:10] + 0.2, 4)) == 0
    assert known.share_that_passes(np.zeros((0, 16))) is None


def test_score_is_the_cosine_to_the_nearest_mean() -> None:
    means = np.array([[1, 0], [0.6, 0.8]], np.float32)

    found = nearest_known(np.array([[5, 0], [0, 2], [-1, 0], [0, 0]]), means)

    np.testing.assert_allclose(found, [1, 0.8, -0.6, 0], atol=1e-6)


def test_threshold_on_held_out_looks_lets_an_unseen_look_of_a_label_pass_more_often() -> None:
    features = pictures_of(_LOOKS, 1)

    held_out = known_looks(features, _LABELS, seed=0)
    easy = known_looks(features, _LABELS, validation=features, seed=0)

    assert held_out is not None
    assert easy is not None
    assert held_out.rests_on == "held_out_looks"
    assert held_out.threshold < easy.threshold
    assert known_looks(features, _LABELS, seed=0).threshold == held_out.threshold


def test_labels_of_one_picture_and_too_few_pictures_are_borne() -> None:
    assert known_looks(np.ones((1, 4)), np.zeros(1, np.int32), seed=0) is None
    assert known_looks(np.eye(30), np.arange(30), seed=0) is not None
    assert known_looks(pictures_of(_LOOKS, 1), _LABELS, validation=np.ones((19, 16)), seed=0) is None
