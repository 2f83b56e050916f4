"""Holding names against objects."""

import random
from datetime import UTC, datetime

from deep_images_hub.object_store import ObjectStat
from deep_images_hub.object_store.reconcile import Missing, Orphan, Sound, reconcile

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def stat(key: str) -> ObjectStat:
    return ObjectStat(key, 1, NOW)


def test_every_key_of_either_side_comes_out_once_and_in_order() -> None:
    alphabet = ["a", "b", "a-", "a/b", "é", "\U0001f600", "\ufffd", "z", "Z", "0"]
    for seed in range(50):
        rng = random.Random(seed)
        named, stored = (sorted(rng.sample(alphabet, rng.randint(0, len(alphabet))), key=str.encode) for _ in range(2))
        expected = [
            Sound(stat(key)) if key in named and key in stored else Missing(key) if key in named else Orphan(stat(key))
            for key in sorted({*named, *stored}, key=str.encode)
        ]
        assert list(reconcile(named, map(stat, stored))) == expected
