"""Call a function on several of Spark's workers at once, each in a process of its own, which knows the addresses of all.

Spark's Python workers only wait there: what is called travels as bytes through them, so that they load nothing of what it needs.
Loading the catalogue, the store and TensorFlow takes many seconds of the core on which the process does the same.
"""

import pickle
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from functools import partial
from typing import TypeVar

from pyspark import BarrierTaskContext, SparkContext

from spark_jobs.tensorflow_process import fresh_process

Result = TypeVar("Result")


def call_together(context: SparkContext, function: Callable[[int, list[str]], Result], *, workers: int) -> Result:
    """Call a function with each worker's rank, from 0, and all addresses by rank, and return what rank 0's gives.

    Args:
        function: pickles. One alone is given no addresses. Whoever listens at an own one must allow its address to be in use.

    Raises:
        Py4JJavaError: Spark could not start so many at once, or the function raised something, which its text then holds.
    """
    tasks = context.parallelize(range(workers), workers).barrier()
    (answer,) = tasks.mapPartitions(partial(_task, pickle.dumps(function))).collect()
    # Made by `_called`, in a process of this run.
    result: Result = pickle.loads(answer)  # noqa: S301
    return result


def _task(pickled: bytes, _positions: Iterable[int]) -> Iterator[bytes]:
    """Call the function as one of the workers; rank 0 hands on what it gives."""
    context = BarrierTaskContext.get()
    rank = context.partitionId()
    host = context.getTaskInfos()[rank].address.partition(":")[0]
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as held, fresh_process(_own_gpu(context)) as call:
        # Bound here for as long as the call takes, so that nobody else is given the port. TensorFlow's server may listen
        # there all the same: both set this option.
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind((host, 0))
        addresses = context.allGather(f"{host}:{held.getsockname()[1]}")
        answer = call(_called, pickled, rank, addresses if len(addresses) > 1 else [])
        # Whoever left first would look lost to the others.
        context.barrier()
    if rank == 0:
        yield answer


def _called(pickled: bytes, rank: int, addresses: list[str]) -> bytes:
    """Runs in a process of its own."""
    # Made by `call_together`, in the job's own driver.
    function = pickle.loads(pickled)  # noqa: S301
    return pickle.dumps(function(rank, addresses))


def _own_gpu(context: BarrierTaskContext) -> dict[str, str]:
    """Return what lets a process see the task's GPU alone; nothing where Spark gives tasks none."""
    gpu = context.resources().get("gpu")
    return {} if gpu is None else {"CUDA_VISIBLE_DEVICES": gpu.addresses[0]}
