"""Writers of counts at the same time: nobody waits for ever, nothing is lost."""

import random
import threading
import time
from collections.abc import Callable

from sqlalchemy import Engine, text

from deep_images_hub.catalogue.label_counts import add_image_counts, recount
from deep_images_hub.catalogue.labels import add_label, label_by_code, load_graph
from deep_images_hub.labels.graph import LabelEdge, LabelGraph
from tests.integration.catalogue.planting import GRAPH, plant_batch, plant_labels


def run_together(*tasks: Callable[[], None]) -> list[BaseException]:
    """Run tasks at once and return what they raised."""
    raised: list[BaseException] = []
    start = threading.Barrier(len(tasks))

    def run(task: Callable[[], None]) -> None:
        start.wait()
        try:
            task()
        except BaseException as error:  # noqa: BLE001  shown by the test, whatever it is
            raised.append(error)

    threads = [threading.Thread(target=run, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def wait_until_one_waits(engine: Engine) -> None:
    """Return once a transaction of this database waits for a lock of another one."""
    waiting = text("select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")
    deadline = time.monotonic() + 30
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while connection.scalar(waiting) == 0:
            assert time.monotonic() < deadline, "nobody waits"
            time.sleep(0.02)


def test_counts_added_by_many_writers_in_any_order_neither_deadlock_nor_get_lost(hub) -> None:
    with hub.engine.begin() as connection:
        plant_labels(connection)
        label_ids = [label_by_code(connection, code).id for code in ("apple", "pear", "hells-kitchen", "fruit", "car")]

    def write(seed: int) -> None:
        order = random.Random(seed)
        for _ in range(25):
            with hub.engine.begin() as connection:
                add_image_counts(connection, dict.fromkeys(order.sample(label_ids, 3), 1))
                # A second call in one transaction is what a merge of several batches does.
                add_image_counts(connection, {order.choice(label_ids): 1})

    raised = run_together(*(lambda seed=seed: write(seed) for seed in range(6)))

    with hub.engine.begin() as connection:
        counted = sum(label_by_code(connection, code).subtree_images for code in ("food", "car"))
    assert raised == []
    assert counted == 6 * 25 * 4


def test_counts_added_while_the_graph_grows_and_is_recounted_stay_right(hub) -> None:
    with hub.engine.begin() as connection:
        plant_labels(connection)

    def send(supplier: str) -> None:
        for number in range(10):
            with hub.engine.begin() as connection:
                plant_batch(connection, f"{supplier}-{number}", "apple", outcomes=["accepted", "blurry"], supplier=supplier)

    def grow() -> None:
        for number in range(5):
            code = f"above {number}"
            with hub.engine.begin() as connection:
                edges = frozenset({LabelEdge(code, "apple")})
                load_graph(connection, LabelGraph(names={code: code, "apple": "Apple"}, edges=edges), source="test")
            with hub.engine.begin() as connection:
                add_label(connection, code=f"below {number}", name="Below", parent_code="apple")
            with hub.engine.begin() as connection:
                assert recount(connection) == []

    raised = run_together(lambda: send("ada"), lambda: send("bo"), grow)

    with hub.engine.begin() as connection:
        assert raised == []
        assert recount(connection) == []
        assert label_by_code(connection, "above 4").subtree_images == 20
        assert label_by_code(connection, "food").subtree_images == 20


def test_graphs_loaded_by_several_at_once_are_loaded_once(hub) -> None:
    def load() -> None:
        with hub.engine.begin() as connection:
            load_graph(connection, GRAPH, source="test")

    assert run_together(*[load] * 4) == []
    with hub.engine.begin() as connection:
        assert load_graph(connection, GRAPH, source="test").labels_added == 0
