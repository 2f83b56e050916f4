"""Which answers are shown as examples, and what they are traced to."""

import numpy as np

from models.examples import as_levels, nearest, telling_right, telling_wrong

# Rows: pictures; the truth is 0, 0, 0, 1, 1, 2.
PROBABILITIES = np.array([[0.9, 0.1, 0.0], [0.1, 0.8, 0.1], [0.0, 0.95, 0.05], [0.2, 0.7, 0.1], [0.6, 0.3, 0.1], [0.0, 0.0, 1.0]])
TRUTH = np.array([0, 0, 0, 1, 1, 2])


def test_surest_wrong_answer_of_each_pair_is_told() -> None:
    # 0 was called 1 twice: the surer of both.
    assert telling_wrong(PROBABILITIES, TRUTH, limit=9) == [2, 4]
    assert telling_wrong(PROBABILITIES, TRUTH, limit=1) == [2]


def test_right_answers_go_from_sure_to_unsure() -> None:
    assert telling_right(PROBABILITIES, TRUTH, limit=9) == [5, 0, 3]
    assert telling_right(PROBABILITIES, TRUTH, limit=2) == [5, 3]
    assert telling_right(PROBABILITIES[[1]], TRUTH[[1]], limit=2) == []


def test_levels_are_shares_of_the_place_that_speaks_most_for_it() -> None:
    assert as_levels(np.array([[2.0, -3.0], [1.0, 0.0]])) == [[99, 0], [50, 0]]
    assert as_levels(np.array([[-1.0, 0.0]])) == [[0, 0]]


def test_nearest_pictures_are_those_in_the_same_direction() -> None:
    known = np.array([[1.0, 0.0], [0.0, 5.0], [-1.0, 0.0], [0.0, 0.0]])
    assert nearest(np.array([[3.0, 0.1]]), known, limit=2) == [[0, 1]]
    assert nearest(np.array([[0.0, 1.0], [-1.0, 0.1]]), known, limit=1) == [[1], [2]]
