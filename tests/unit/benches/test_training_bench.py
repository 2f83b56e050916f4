"""What the bench of training foretells of many workers."""

import pytest

from deep_images_hub.benches.training import predicted_efficiency


def test_prediction_for_one_worker_is_that_it_waits_for_nobody() -> None:
    assert predicted_efficiency(1, 0.5, 1e9, 1e9, 1e-3) == 1


def test_prediction_for_many_workers_nears_two_gradients_over_the_bandwidth() -> None:
    # A gigabyte over 10 GB/s, twice, against 0.2 s of computing.
    assert predicted_efficiency(1_000_000, 0.2, 1e9, 1e10, 0) == pytest.approx(0.5, rel=1e-3)
    assert predicted_efficiency(2, 0.2, 1e9, 1e10, 0) == pytest.approx(2 / 3)


def test_latency_grows_with_the_ring() -> None:
    assert predicted_efficiency(11, 0.2, 0, 1e10, 0.01) == pytest.approx(0.5)
