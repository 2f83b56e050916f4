"""Hold what a catalogue names against what a store holds, both in order of the key, in one pass and with flat memory."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from deep_images_hub.object_store.interface import ObjectStat


@dataclass(frozen=True)
class Missing:
    """A key that the catalogue names and the store does not have."""

    key: str


@dataclass(frozen=True)
class Orphan:
    """An object that the catalogue does not name."""

    found: ObjectStat


@dataclass(frozen=True)
class Sound:
    """An object that the catalogue names."""

    found: ObjectStat


def reconcile(named: Iterable[str], stored: Iterable[ObjectStat]) -> Iterator[Missing | Orphan | Sound]:
    """Yield what became of every key on either side, in order.

    Args:
        named: distinct keys in order of their UTF-8 bytes.
        stored: likewise, as `ObjectStore.list` gives them.
    """
    keys, objects = iter(named), iter(stored)
    key, found = next(keys, None), next(objects, None)
    while key is not None or found is not None:
        if found is None or (key is not None and key.encode() < found.key.encode()):
            assert key is not None
            yield Missing(key)
            key = next(keys, None)
        elif key is None or found.key.encode() < key.encode():
            yield Orphan(found)
            found = next(objects, None)
        else:
            yield Sound(found)
            key, found = next(keys, None), next(objects, None)
