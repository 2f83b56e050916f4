"""The hub's training loop beside plain Keras, on the same network and pictures, each process held to one core.

    one, two   our loop, alone and as two workers that exchange their gradients, with the same batch for each worker
    apart      twice our loop at the same time, each alone, by the slower one: what two cores of this machine, which share its
               memory and need not be equally fast, let two workers reach at most, since these take every step together
    keras      `fit` of one process, on the same network, optimizer, schedule and distortions, with the pictures in memory

The network is `compact_vgg`, which needs no weights. The rate is that of the median epoch; the first, which compiles, does not
count. Then a run by its job, from request to stored model; and what the loop would do on up to 64 workers, by what was measured
here and the model of a ring all-reduce (Patarasuk and Yuan 2009, J. Parallel Distrib. Comput. 69): 2 (n - 1) / n of the
gradient's bytes over the bandwidth, and 2 (n - 1) latencies, none of it hidden behind computing.
"""

import os
import socket
import statistics
import sys
import threading
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from importlib.resources import as_file

from deep_images_hub.batches.manifest import manifest_from_json
from deep_images_hub.catalogue.batches import create_batch, crowd_label_codes
from deep_images_hub.catalogue.training import request_run
from deep_images_hub.datasets.freeze import freeze
from deep_images_hub.datasets.recipe import Recipe
from deep_images_hub.errors import UnavailableError
from deep_images_hub.labels.load import load_labels
from deep_images_hub.measuring.answering_processes import Answer, AnsweringProcess, answering_processes, ask_at_once
from deep_images_hub.measuring.own_hub import hub_of_its_own, settings_in_environment, submit_quietly
from deep_images_hub.object_store.keys import manifest_key
from deep_images_hub.resources import resource
from deep_images_hub.settings import Settings
from deep_images_hub.simulation.crowd import plan_crowd
from deep_images_hub.simulation.defects import rates_from_text
from deep_images_hub.simulation.photo_sources import RenderedPhotos
from deep_images_hub.simulation.sending import send_batches
from deep_images_hub.wiring import Hub

_IMAGES, _EPOCHS, _ROUNDS = 384, 5, 3
_QUICK_IMAGES, _QUICK_EPOCHS, _QUICK_ROUNDS = 144, 5, 1
_BACKBONE = "compact_vgg"
_WORKERS = (1, 2, 4, 8, 16, 32, 64)
_EXCHANGED_BYTES = 64 << 20
_ROUND_TRIPS = 200


def add_arguments(parser: ArgumentParser) -> None:
    """Add this bench's options."""
    parser.add_argument("--images", type=int, metavar="N", help=f"photographs ({_IMAGES}; {_QUICK_IMAGES} with --quick)")


def measure(settings: Settings, given: Namespace) -> dict[str, object]:
    """Take drawn photographs in, train on them in each way, in turn, and print what came of it."""
    cores = sorted(os.sched_getaffinity(0))[:2]
    if len(cores) < 2:
        raise UnavailableError("This process may use one core only. Two workers need a core each: give it two.")
    rounds = _QUICK_ROUNDS if given.quick else _ROUNDS
    epochs = _QUICK_EPOCHS if given.quick else _EPOCHS
    with hub_of_its_own(
        settings.model_copy(update={"backbone": _BACKBONE}), settings.home.resolve() / "bench" / "training"
    ) as hub:
        version_id = _frozen(hub, given.images or (_QUICK_IMAGES if given.quick else _IMAGES))
        time_to_model_s = _time_to_model_s(hub, version_id)
        found = _rounds(hub, version_id, cores, epochs=epochs, rounds=rounds)
    rates = {way: statistics.median(round_[way]["images_per_s"] for round_ in found) for way in found[0]}
    _print(rates, found[0]["one"])
    return {
        "scaling_efficiency": round(rates["two"] / (2 * rates["one"]), 3),
        "to_two_apart": round(rates["two"] / (2 * rates["apart"]), 3),
        "to_keras_fit": round(rates["one"] / rates["keras"], 3),
        "time_to_model_s": round(time_to_model_s, 1),
        "loader_images_per_s": round(statistics.median(round_["one"]["loader_images_per_s"] for round_ in found), 1),
    }


def _frozen(hub: Hub, images: int) -> int:
    """Let a crowd send photographs, take them in, and freeze them all."""
    with as_file(resource("config/labels/demo.csv")) as labels, hub.engine.begin() as connection:
        load_labels(connection, labels)
    drawn = RenderedPhotos(seed=0)
    crowd = plan_crowd(drawn.list(images), seed=0, rates=rates_from_text("none"))
    send_batches(crowd.batches, drawn, hub.store)
    with hub.engine.begin() as connection:
        for batch in crowd.batches:
            create_batch(connection, manifest=manifest_from_json(hub.store.read(manifest_key(batch.key))))
    submit_quietly(hub, "intake")
    with hub.engine.begin() as connection:
        recipe = Recipe(label_codes=tuple(crowd_label_codes(connection, crowd=crowd.name)), with_descendants=False)
        return freeze(connection, recipe, name="Bench", created_by=None).id


def _time_to_model_s(hub: Hub, version_id: int) -> float:
    began_s = time.monotonic()
    with hub.engine.begin() as connection:
        run = request_run(connection, version_id=version_id, requested_by=None, backbone=_BACKBONE, workers=2)
    submit_quietly(hub, "train_baseline", "--run", str(run.id), options=("--master", "local[2]"))
    return time.monotonic() - began_s


def _rounds(hub: Hub, version_id: int, cores: Sequence[int], *, epochs: int, rounds: int) -> list[dict[str, Answer]]:
    """Train in each way, in turn, so many times, and return what was found, by way."""
    found = []
    for _ in range(rounds):
        with _processes(hub, version_id, cores) as processes:
            first, fit = processes[0], {"way": "fit", "epochs": epochs}
            alone = {"way": "train", "epochs": epochs, "rank": 0, "addresses": []}
            round_ = {"one": first.ask(alone), "keras": first.ask(fit)}
            apart = ask_at_once([(process, alone) for process in processes])
            round_["apart"] = min(apart, key=lambda answer: answer["images_per_s"])
        # TensorFlow joins others only before its first use.
        with _processes(hub, version_id, cores) as processes:
            addresses = _addresses(len(cores))
            together = [(process, alone | {"rank": rank, "addresses": addresses}) for rank, process in enumerate(processes)]
            round_["two"] = ask_at_once(together)[0]
        found.append(round_)
    return found


def _processes(hub: Hub, version_id: int, cores: Sequence[int]) -> AbstractContextManager[list[AnsweringProcess]]:
    """Start a process a core, held to it. TensorFlow is not the domain's."""
    code = "from spark_jobs.training_rate import main; main()"
    commands = [(sys.executable, "-c", code, f"--version={version_id}", f"--core={core}") for core in cores]
    return answering_processes(commands, dict(os.environ) | settings_in_environment(hub.settings))


def _addresses(count: int) -> list[str]:
    with ExitStack() as held:
        servers = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [f"127.0.0.1:{server.getsockname()[1]}" for server in servers]


def _print(rates: Mapping[str, float], one: Mapping[str, float]) -> None:
    print(f"\n{_BACKBONE}, one thread and one core a process; photographs a second")
    print(f"  our loop, one worker    {rates['one']:8.1f}")
    print(f"  our loop, two workers   {rates['two']:8.1f}, {rates['two'] / 2:.1f} each")
    share = rates["apart"] / rates["one"]
    print(f"  our loop, twice alone   {2 * rates['apart']:8.1f}, {rates['apart']:.1f} the slower: {share:.2f} of one worker")
    print(f"  Keras' fit, one process {rates['keras']:8.1f}")
    bandwidth, latency_s = _loopback()
    print(
        f"\nPredicted: a step of {one['batch']:.0f} photographs a worker in {one['batch'] / rates['one']:.3f} s, "
        f"{one['gradient_bytes'] / 1e6:.2f} MB of gradients;\nscaling efficiency over this machine's own connections "
        f"({bandwidth / 1e9:.2f} GB/s, {latency_s * 1e6:.0f} us), and over 10 Gbit/s with 100 us"
    )
    for workers in _WORKERS:
        shares = [
            predicted_efficiency(workers, one["batch"] / rates["one"], one["gradient_bytes"], *network)
            for network in ((bandwidth, latency_s), (1.25e9, 1e-4))
        ]
        print(f"  {workers:3} workers  {shares[0]:.3f}  {shares[1]:.3f}")
    print(flush=True)


def predicted_efficiency(workers: int, step_s: float, gradient_bytes: float, bytes_per_s: float, latency_s: float) -> float:
    """Return which share of its time a worker computes, when it then waits for a ring all-reduce of all gradients."""
    exchange_s = 2 * (workers - 1) * (gradient_bytes / workers / bytes_per_s + latency_s)
    return step_s / (step_s + exchange_s)


def _loopback() -> tuple[float, float]:
    """Measure a connection of this machine to itself: bytes a second, and the seconds that a byte takes to the other end."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        answering = threading.Thread(target=_answer, args=(server,))
        answering.start()
        with socket.create_connection(server.getsockname()) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            began_s = time.perf_counter()
            for _ in range(_ROUND_TRIPS):
                connection.sendall(b"x")
                connection.recv(1)
            latency_s = (time.perf_counter() - began_s) / (2 * _ROUND_TRIPS)
            body = bytes(_EXCHANGED_BYTES)
            began_s = time.perf_counter()
            connection.sendall(body)
            connection.recv(1)
            bandwidth = _EXCHANGED_BYTES / (time.perf_counter() - began_s)
        answering.join()
    return bandwidth, latency_s


def _answer(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(_ROUND_TRIPS):
            connection.sendall(connection.recv(1))
        left = _EXCHANGED_BYTES
        while left:
            left -= len(connection.recv(min(left, 1 << 20)))
        connection.sendall(b"x")
