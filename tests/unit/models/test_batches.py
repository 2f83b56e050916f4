"""Which rows of which batch a worker gets: all of them together see exactly what one alone would."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from models.batches import (
    Batch,
    Examples,
    class_weights,
    own_positions,
    steps_per_epoch,
    training_batches,
    validation_batches,
)

COUNT = 21
GLOBAL_BATCH = 8


def examples(count: int = COUNT) -> Examples:
    numbers = np.arange(count, dtype=np.int32)
    return Examples(rows=lambda at: 100 + numbers[at], class_index=numbers % 3, weight=np.linspace(1, 2, count, dtype=np.float32))


def training(rank: int, workers: int, *, seed: int = 5, global_batch: int = GLOBAL_BATCH, steps: int = 6) -> list[Batch]:
    batches = training_batches(examples(), global_batch=global_batch, seed=seed, noise_width=2, rank=rank, workers=workers)
    return list(islice(batches, steps))


@pytest.mark.parametrize("workers", [1, 2, 3, 4, 5])
def test_rows_of_all_workers_together_are_those_of_one_alone(workers: int) -> None:
    alone = training(0, 1)
    together = [training(rank, workers) for rank in range(workers)]

    for step, whole in enumerate(alone):
        parts = [batches[step] for batches in together]
        for name in ("inputs", "class_index", "weight", "noise"):
            joined = np.concatenate([getattr(part, name) for part in parts])
            np.testing.assert_array_equal(joined[:GLOBAL_BATCH], getattr(whole, name))
        # What is left over when the workers do not divide the batch counts for nothing.
        assert not np.concatenate([part.weight for part in parts])[GLOBAL_BATCH:].any()
        assert {part.total_weight for part in parts} == {whole.total_weight}


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("is_judged", [False, True])
def test_positions_of_a_worker_are_those_that_count_in_its_batches(workers: int, is_judged: bool) -> None:
    share = {"global_batch": GLOBAL_BATCH, "workers": workers}
    for rank in range(workers):
        if is_judged:
            batches = list(islice(validation_batches(examples(), rank=rank, **share), 3))
        else:
            batches = training(rank, workers, seed=5)

        own = own_positions(examples(), seed=None if is_judged else 5, rank=rank, **share)

        counted = {value - 100 for batch in batches for value in batch.inputs[batch.weight > 0].tolist()}
        assert counted <= set(own.tolist())
        assert len(own) == len(counted) or workers == 3


@pytest.mark.parametrize("workers", [1, 2])
def test_examples_that_come_later_leave_the_first_to_the_workers_that_had_them(workers: int) -> None:
    share = {"seed": 5, "global_batch": GLOBAL_BATCH, "workers": workers}
    grown = replace(examples(COUNT + 9), dealt_first=COUNT)

    for rank in range(workers):
        before, after = (set(own_positions(held, rank=rank, **share).tolist()) for held in (examples(), grown))
        assert {at for at in after if at < COUNT} == before
    (epoch,) = [list(islice(training_batches(grown, noise_width=0, rank=0, **share | {"workers": 1}), 4))]
    seen = np.concatenate([batch.inputs[batch.weight > 0] for batch in epoch])
    assert sorted(seen) == list(range(100, 100 + COUNT + 9))


def test_an_epoch_counts_every_example_once_in_a_new_order() -> None:
    steps = steps_per_epoch(COUNT, GLOBAL_BATCH)
    batches = training(0, 1, steps=2 * steps)
    seen = [np.concatenate([batch.inputs[batch.weight > 0] for batch in epoch]) for epoch in (batches[:steps], batches[steps:])]

    assert steps == 3
    for inputs in seen:
        assert sorted(inputs) == list(range(100, 100 + COUNT))
    assert list(seen[0]) != list(seen[1])


def test_last_batch_of_an_epoch_is_filled_up_with_real_examples_at_no_weight() -> None:
    last = training(0, 1)[2]

    assert (last.weight > 0).tolist() == [True] * 5 + [False] * 3
    assert all(100 <= value < 100 + COUNT for value in last.inputs)
    assert last.total_weight == pytest.approx(last.weight.sum())


def test_fewer_examples_than_a_batch_are_repeated_at_no_weight() -> None:
    (batch,) = islice(training_batches(examples(3), global_batch=8, seed=0, noise_width=0, rank=0, workers=1), 1)

    assert len(batch.inputs) == 8
    assert np.count_nonzero(batch.weight) == 3


def test_another_seed_gives_another_order_and_other_noise() -> None:
    one, other = training(0, 1)[0], training(0, 1, seed=6)[0]

    assert one.inputs.tolist() != other.inputs.tolist()
    assert one.noise.tolist() != other.noise.tolist()


def test_validation_comes_in_its_own_order_again_and_again() -> None:
    batches = list(islice(validation_batches(examples(), global_batch=GLOBAL_BATCH, rank=1, workers=2), 6))

    assert batches[0].inputs.tolist() == [104, 105, 106, 107]
    assert batches[3].inputs.tolist() == batches[0].inputs.tolist()


@pytest.mark.parametrize("workers", [2, 3])
def test_a_worker_sees_the_same_share_in_every_epoch_and_no_two_see_the_same(workers: int) -> None:
    steps = steps_per_epoch(COUNT, GLOBAL_BATCH)
    shares = []
    for rank in range(workers):
        batches = training(rank, workers, steps=3 * steps)
        seen = [
            {int(value) for batch in batches[start : start + steps] for value in batch.inputs} for start in (0, steps, 2 * steps)
        ]
        if workers == 2:
            assert seen[0] == seen[1] == seen[2]
        shares.append({int(value) for batch in batches for value in batch.inputs[batch.weight > 0]})

    assert sum(len(share) for share in shares) == COUNT
    assert set.union(*shares) == set(range(100, 100 + COUNT))


def test_training_that_begins_in_the_middle_goes_on_as_it_would_have() -> None:
    whole = training(1, 2, steps=8)
    batches = training_batches(examples(), global_batch=GLOBAL_BATCH, seed=5, noise_width=2, rank=1, workers=2, first_step=4)

    for batch, expected in zip(islice(batches, 4), whole[4:], strict=True):
        np.testing.assert_array_equal(batch.inputs, expected.inputs)
        np.testing.assert_array_equal(batch.noise, expected.noise)


def test_class_weights_make_all_classes_weigh_the_same() -> None:
    class_index = np.array([0, 0, 0, 2], np.int32)  # nobody is of class 1

    weights = class_weights(class_index, 3)

    assert weights[class_index == 0].sum() == pytest.approx(weights[class_index == 2].sum())
    assert weights.mean() == pytest.approx(1)
