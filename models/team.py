"""Workers that train together, and how they meet. TensorFlow's, because of `tf.distribute`."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass

import tensorflow as tf

from models.training_outcome import AddressTakenError


@dataclass(frozen=True)
class Team:
    """Workers that have met, as one of them sees them.

    Attributes:
        rank: which one this is, from 0.
        size: how many they are.
        strategy: how they reach one another.
    """

    rank: int
    size: int
    strategy: tf.distribute.Strategy


def join(rank: int = 0, addresses: Sequence[str] = ()) -> Team:
    """Meet the other workers; returns when all are there. A worker is one replica: of several GPUs it sees the first.

    Must be the first use of TensorFlow in its process when there are several.

    Args:
        rank: which worker this is, from 0.
        addresses: of all workers by rank, `host:port`; empty: this worker is alone.

    Raises:
        AddressTakenError: see there.
    """
    tf.config.set_visible_devices(tf.config.list_physical_devices("GPU")[:1], "GPU")
    if len(addresses) > 1:
        cluster = {"cluster": {"worker": list(addresses)}, "task": {"type": "worker", "index": rank}}
        os.environ["TF_CONFIG"] = json.dumps(cluster)
    else:
        os.environ.pop("TF_CONFIG", None)
    try:
        return Team(rank, max(1, len(addresses)), tf.distribute.MultiWorkerMirroredStrategy())
    except (tf.errors.UnknownError, tf.errors.InternalError) as error:
        if "server" not in str(error).lower():
            raise
        raise AddressTakenError(f"TensorFlow could not listen on {addresses[rank]}: {error.message}") from error
