"""Open Images' lists against a web server of our own: what is missing is fetched by later runs, and nothing else."""

from __future__ import annotations

import base64
import hashlib
from argparse import Namespace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from deep_images_hub.catalogue import downloads
from deep_images_hub.errors import InvalidInputError, UnavailableError
from deep_images_hub.landing.download import NotFetched
from deep_images_hub.landing.fetching import Patience, fetch
from spark_jobs import fetch_open_images as job
from tests.builders import photograph
from tests.integration.intake.crowds import catalogue_of, objects_of
from tests.integration.landing.places import ADA, prepare, rows
from tests.integration.landing.web_server import Web, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deep_images_hub.wiring import Hub

PICTURES = {f"000{number}": photograph(number) for number in range(8)}
STATUSES = "select name, status from downloads order by name"


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    patience = Patience(silence_s=30.0, first_pause_s=0.001)
    monkeypatch.setattr(job, "fetch", partial(fetch, patience=patience, only_public=False))
    with serving() as web:
        web.files = {f"/{name}.jpg": body for name, body in PICTURES.items()}
        yield web


@pytest.fixture
def lists(web: Web, tmp_path: Path) -> dict[str, str]:
    images, labels = tmp_path / "images.csv", tmp_path / "labels.csv"
    image_rows = ["ImageID,OriginalURL,License,Author,OriginalSize,OriginalMD5"]
    label_rows = ["ImageID,Source,LabelName,Confidence"]
    for number, (name, body) in enumerate(PICTURES.items()):
        md5 = base64.b64encode(hashlib.md5(body).digest()).decode()
        licence = "https://creativecommons.org/licenses/by/2.0/"
        image_rows.append(f"{name},{web.url}/{name}.jpg,{licence},Author {number // 3},{len(body)},{md5}")
        label_rows.append(f"{name},verification,{'/m/pear' if number == 7 else 'apple'},1")
    images.write_text("\n".join(image_rows) + "\n")
    labels.write_text("\n".join(label_rows) + "\n")
    return {"images": str(images), "labels": str(labels)}


def run(hub: Hub, **given: Any) -> int:
    arguments = {
        "images": None,
        "labels": None,
        "label": None,
        "per_label": None,
        "supplier": ADA,
        "connections": 3,
        "again": False,
    }
    # It asks nothing of Spark.
    return job.fetch_open_images(hub, Namespace(**(arguments | given)), None)  # type: ignore[arg-type]


def test_what_is_missing_is_fetched_by_later_runs_and_nothing_else(
    hub: Hub, web: Web, lists: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(hub)
    web.faults = {"/0000.jpg": (404, 9), "/0001.jpg": (503, 3), "/0004.jpg": ("reset", 3), "/0007.jpg": ("cut", 1)}
    web.files["/0005.jpg"] = b"another picture"

    assert run(hub, **lists) == 1
    expected = dict.fromkeys(PICTURES, "fetched") | {"0000": "gone", "0001": "waiting", "0004": "waiting", "0005": "differs"}
    assert dict(rows(hub, STATUSES)) == expected
    out = capsys.readouterr().out.splitlines()
    assert out[:4] == [
        "fetch_open_images: 8 photographs are new, of 8 that show a label that is wanted.",
        "fetch_open_images: 4 photographs fetched in 4 batches.",
        "fetch_open_images: in all 4 are here, 1 gone for good, 1 not what the list says.",
        "fetch_open_images: 2 are still missing; run this again without lists to try only these.",
    ]
    batches = "select attribution, filename from submissions join batches on batches.id = batch_id order by filename"
    licence = "https://creativecommons.org/licenses/by/2.0/"
    assert rows(hub, batches) == [(f"Author {number // 3}, {licence}", f"000{number}.jpg") for number in (2, 3, 6, 7)]
    assert web.most_at_once <= 3

    asked = web.asked.copy()
    assert run(hub) == 0
    assert {path for path, times in web.asked.items() if times > asked[path]} == {"/0001.jpg", "/0004.jpg"}
    assert dict(rows(hub, STATUSES)) == expected | {"0001": "fetched", "0004": "fetched"}
    stored = objects_of(hub)
    for filename, key in rows(hub, "select filename, object_key from submissions"):
        assert stored[key] == PICTURES[filename.removesuffix(".jpg")]

    before, asked = (catalogue_of(hub), objects_of(hub)), web.asked.copy()
    assert run(hub, **lists) == 0
    assert (catalogue_of(hub), objects_of(hub)) == before
    assert web.asked == asked

    web.faults.clear()
    assert run(hub, again=True) == 0
    assert "2 that were given up are tried once more." in capsys.readouterr().out
    assert dict(rows(hub, STATUSES)) == dict.fromkeys(PICTURES, "fetched") | {"0005": "differs"}


def test_run_that_dies_before_the_catalogue_hears_of_it_is_gone_on_with(
    hub: Hub, web: Web, lists: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(hub)

    def die(*_: object, **__: object) -> int:
        raise UnavailableError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(job, "create_batch", die)
        with pytest.raises(UnavailableError, match="killed"):
            run(hub, **lists)
    assert set(rows(hub, STATUSES)) == {(name, "waiting") for name in PICTURES}
    before, asked = objects_of(hub), web.asked.copy()
    assert run(hub) == 0
    assert set(rows(hub, STATUSES)) == {(name, "fetched") for name in PICTURES}
    assert objects_of(hub) == before
    assert web.asked == asked


def test_only_some_labels_and_some_of_each_are_fetched(hub: Hub, web: Web, lists: dict[str, str]) -> None:
    prepare(hub)
    assert run(hub, **lists, label=["/m/pear"]) == 0
    assert rows(hub, STATUSES) == [("0007", "fetched")]
    assert run(hub, **lists, per_label=2) == 0
    assert [name for name, _ in rows(hub, STATUSES)] == ["0000", "0001", "0007"]


def test_web_that_is_away_is_not_asked_for_everything(
    hub: Hub, web: Web, lists: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(hub)
    monkeypatch.setattr(job, "_WAVE_FILES", 3)
    monkeypatch.setattr(job, "_MIN_TRIED", 3)
    web.faults = dict.fromkeys(web.files, (503, 99))
    assert run(hub, **lists) == 1
    # One photograph of one author and three of another came first.
    assert len(web.asked) == 4
    assert "stopped, since nothing could be fetched. Check the network." in capsys.readouterr().out
    assert rows(hub, "select sum(attempts) from downloads") == [(4,)]


def test_what_is_never_to_be_had_keeps_nobody_waiting(
    hub: Hub, web: Web, lists: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(hub)
    monkeypatch.setattr(job, "_WAVE_FILES", 3)
    monkeypatch.setattr(job, "_MIN_TRIED", 3)
    web.faults = dict.fromkeys(("/0000.jpg", "/0001.jpg", "/0002.jpg"), (403, 99))
    # A pear, which makes a wave of four with the first three apples.
    web.faults["/0007.jpg"] = (403, 99)
    assert run(hub, **lists) == 1
    assert {status for _, status in rows(hub, STATUSES)} == {"waiting"}
    assert run(hub) == 1
    assert [name for name, status in rows(hub, STATUSES) if status == "fetched"] == ["0003", "0004", "0005", "0006"]


def test_nothing_is_held_in_the_catalogue_while_photographs_are_fetched(
    hub: Hub, web: Web, lists: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(hub)
    monkeypatch.setattr(downloads, "_PAGE_ROWS", 2)
    monkeypatch.setattr(job, "_WAVE_FILES", 2)
    held: list[tuple[str, int]] = []

    def fetch_and_look(*given: Any, **how: Any) -> bytes | NotFetched:
        held.extend(
            rows(
                hub,
                "select state, pid from pg_stat_activity where datname = current_database()"
                " and pid <> pg_backend_pid() and xact_start is not null and backend_type = 'client backend'",
            )
        )
        return fetch(*given, **how)

    monkeypatch.setattr(job, "fetch", partial(fetch_and_look, only_public=False))
    assert run(hub, **lists, connections=1) == 0
    assert {status for _, status in rows(hub, STATUSES)} == {"fetched"}
    assert held == []
    assert len(rows(hub, "select id from batches")) == 4


def test_half_of_the_lists_is_refused(hub: Hub, lists: dict[str, str]) -> None:
    prepare(hub)
    with pytest.raises(InvalidInputError, match="--images and --labels belong together"):
        run(hub, images=lists["images"])
