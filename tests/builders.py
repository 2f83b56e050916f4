"""A small hub for tests of the portal and of datasets: real pictures in a real store, with the rows that intake would leave.

builder = HubBuilder(hub)
builder.labels({"fruit": "Fruit", "apple": "Apple"}, under={"apple": "fruit"})
builder.batch("b1", "apple", photographs(6, seed=1))
"""

import hashlib
import io
import json
import random
import secrets
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto, helper
from PIL import Image, ImageDraw
from sqlalchemy import insert, select, text, update

from deep_images_hub.batches.manifest import Manifest, ManifestObject
from deep_images_hub.catalogue.batches import create_batch
from deep_images_hub.catalogue.datasets import DatasetVersion
from deep_images_hub.catalogue.label_counts import add_image_counts
from deep_images_hub.catalogue.labels import Label, label_by_code, load_graph
from deep_images_hub.catalogue.models import ModelFile, save_model
from deep_images_hub.catalogue.tables import (
    batches,
    descriptors,
    image_labels,
    images,
    places,
    submissions,
    training_runs,
    verdicts,
)
from deep_images_hub.catalogue.training import finish_run, request_run, take_run
from deep_images_hub.catalogue.users import User, create_user
from deep_images_hub.datasets.freeze import freeze
from deep_images_hub.datasets.recipe import Recipe
from deep_images_hub.images.examine import Examination, examine, limits_from_settings
from deep_images_hub.labels.graph import LabelEdge, LabelGraph
from deep_images_hub.object_store.keys import landing_key, picture_key, thumbnail_key
from deep_images_hub.verdicts import CHECK_VERSION
from deep_images_hub.wiring import Hub

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PASSWORD = "correct horse battery"


def photograph(seed: int | str, size: tuple[int, int] = (96, 72)) -> bytes:
    """Return a small sharp JPEG that passes every check and looks like no other."""
    rng = random.Random(str(seed))
    image = Image.new("RGB", size, tuple(rng.randint(90, 170) for _ in range(3)))
    draw = ImageDraw.Draw(image)
    for _ in range(24):
        x, y = rng.randrange(size[0]), rng.randrange(size[1])
        colour = tuple(rng.randint(20, 235) for _ in range(3))
        draw.rectangle((x, y, x + rng.randint(4, size[0] // 3), y + rng.randint(4, size[1] // 3)), fill=colour)
    body = io.BytesIO()
    image.save(body, "JPEG", quality=92)
    return body.getvalue()


def photographs(count: int, seed: int | str, size: tuple[int, int] = (96, 72)) -> list[bytes]:
    return [photograph(f"{seed}/{number}", size) for number in range(count)]


def write_photographs(folder: Path, labels: Iterable[str], *, per_label: int, seed: str = "") -> None:
    """Lay photographs out as --photos takes them: a folder for each label."""
    for label in labels:
        (folder / label).mkdir(parents=True)
        for number, body in enumerate(photographs(per_label, seed=f"{seed}{label}")):
            (folder / label / f"{number}.jpg").write_bytes(body)


def onnx_model(labels: Sequence[tuple[str, str]], side_px: int = 16, *, threshold: float | None = None) -> bytes:
    """Return a model of our contract: it weighs a picture's mean red, green and blue, and so each of its pixels.

    Args:
        threshold: of its output `nearest_known`, which is the picture's mean red over 255; None: it has no such output.
    """
    rng = random.Random(0)
    weights = [rng.uniform(-0.02, 0.02) for _ in range(3 * len(labels))]
    has_nearest = threshold is not None
    nearest = [
        helper.make_node("Gather", ["means", "first"], ["red"], axis=1),
        helper.make_node("Div", ["red", "most"], ["nearest_known"]),
    ]
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["image"], ["means"], axes=[1, 2], keepdims=0),
            helper.make_node("MatMul", ["means", "weights"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
            helper.make_node("MatMul", ["image", "weights"], ["sums"]),
            helper.make_node("Div", ["sums", "pixels"], ["evidence"]),
            *(nearest if has_nearest else ()),
        ],
        "means",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", side_px, side_px, 3])],
        [
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", len(labels)]),
            helper.make_tensor_value_info("evidence", TensorProto.FLOAT, ["n", side_px, side_px, len(labels)]),
            *([helper.make_tensor_value_info("nearest_known", TensorProto.FLOAT, ["n"])] if has_nearest else ()),
        ],
        [
            helper.make_tensor("weights", TensorProto.FLOAT, [3, len(labels)], weights),
            helper.make_tensor("pixels", TensorProto.FLOAT, [], [side_px**2]),
            helper.make_tensor("first", TensorProto.INT64, [], [0]),
            helper.make_tensor("most", TensorProto.FLOAT, [], [255.0]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(
        model,
        {
            "labels": json.dumps([{"code": code, "name": name} for code, name in labels]),
            "model": json.dumps({"backbone": "means", "none_of_these": None if threshold is None else {"threshold": threshold}}),
        },
    )
    body: bytes = model.SerializeToString()
    onnx.checker.check_model(model)
    return body


def one_colour(red: int, green: int, blue: int) -> bytes:
    """Return a photograph of one colour as JPEG: by its red `onnx_model` says how near it is."""
    file = io.BytesIO()
    Image.new("RGB", (300, 300), (red, green, blue)).save(file, "JPEG")
    return file.getvalue()


@dataclass
class HubBuilder:
    """Fills a hub. Every method commits."""

    hub: Hub
    users: dict[str, User] = field(default_factory=dict)

    def labels(self, names: Mapping[str, str], under: Mapping[str, str] | None = None) -> None:
        """Load labels: names by code, and parents by code."""
        edges = frozenset(LabelEdge(parent, child) for child, parent in (under or {}).items())
        with self.hub.engine.begin() as connection:
            load_graph(connection, LabelGraph(names=dict(names), edges=edges), source="test")

    def label(self, code: str) -> Label:
        with self.hub.engine.connect() as connection:
            return label_by_code(connection, code)

    def user(self, role: str, display_name: str | None = None) -> User:
        """Make an account whose password is PASSWORD."""
        with self.hub.engine.begin() as connection:
            made = create_user(
                connection,
                email=f"{role}-{secrets.token_hex(3)}@example.org",
                display_name=display_name or f"A {role}",
                role=role,
                password=PASSWORD,
            )
        self.users[role] = made
        return made

    def batch(
        self,
        key: str,
        label_code: str,
        bodies: Sequence[bytes],
        *,
        supplier: str = "Ada",
        email: str | None = None,
        city: str | None = None,
        licence: str = "by",
        attribution: str | None = "Photo by Ada",
        hours: float = 0,
    ) -> list[str]:
        """Send and decide a batch; return the sha256 of its accepted pictures, by position."""
        limits = limits_from_settings(self.hub.settings)
        manifest = Manifest(
            batch_key=key,
            supplier_email=email or f"{key}@example.org",
            supplier_name=supplier,
            label_code=label_code,
            licence=licence,
            attribution=attribution,
            submitted_at=NOON + timedelta(hours=hours),
            objects=tuple(
                ManifestObject(
                    object_key=landing_key(key, position, ".jpg"),
                    filename=f"IMG_{position:04d}.jpg",
                    size_bytes=len(body),
                    taken_at=NOON - timedelta(days=position),
                )
                for position, body in enumerate(bodies)
            ),
        )
        findings = [examine(body, limits) for body in bodies]
        with self.hub.engine.begin() as connection:
            place_id = None
            if city is not None:
                place_id = connection.execute(
                    insert(places).values(country_code="DE", city=city, latitude=52.5, longitude=13.4).returning(places.c.id)
                ).scalar_one()
            batch_id = create_batch(connection, manifest=manifest, place_id=place_id)
            label_id = label_by_code(connection, label_code).id
            accepted = []
            for position, (body, found) in enumerate(zip(bodies, findings, strict=True)):
                self.hub.store.create(landing_key(key, position, ".jpg"), body)
                image_id = self._picture(connection, batch_id, label_id, key, position, body, found)
                self._decision(connection, batch_id, position, found, image_id)
                if found.sha256 and found.status == "accepted":
                    accepted.append(found.sha256)
            connection.execute(
                update(batches)
                .where(batches.c.id == batch_id)
                .values(
                    status="closed",
                    closed_at=NOON + timedelta(hours=hours + 1),
                    accepted_count=len(accepted),
                    rejected_count=len(bodies) - len(accepted),
                )
            )
            add_image_counts(connection, {label_id: len(accepted)})
        return accepted

    def _picture(self, connection, batch_id, label_id, key, position, body, found: Examination) -> int | None:
        picture = found.picture
        if picture is None or found.sha256 is None:
            return None
        self.hub.store.create(picture_key(found.sha256), picture.jpeg, "image/jpeg")
        self.hub.store.create(thumbnail_key(found.sha256), picture.thumbnail_jpeg, "image/jpeg")
        image_id: int = connection.execute(
            insert(images)
            .values(
                sha256=found.sha256,
                batch_id=batch_id,
                format=picture.format,
                size_bytes=len(body),
                picture_size_bytes=len(picture.jpeg),
                # Every other one was taken in before they were kept.
                picture_sha256=None if position % 2 else hashlib.sha256(picture.jpeg).hexdigest(),
                picture_crc32=None if position % 2 else zlib.crc32(picture.jpeg),
                width_px=picture.width_px,
                height_px=picture.height_px,
                original_key=landing_key(key, position, ".jpg"),
                picture_key=picture_key(found.sha256),
                thumbnail_key=thumbnail_key(found.sha256),
                quality_score=picture.quality_score,
                taken_at=NOON - timedelta(days=position),
            )
            .returning(images.c.id)
        ).scalar_one()
        if found.status == "accepted":
            connection.execute(insert(descriptors).values(image_id=image_id, **vars(picture.descriptor)))
            connection.execute(insert(image_labels).values(image_id=image_id, label_id=label_id, said_by="supplier"))
        return image_id

    def _decision(self, connection, batch_id, position, found: Examination, image_id: int | None) -> None:
        submission_id = connection.execute(
            update(submissions)
            .where(submissions.c.batch_id == batch_id, submissions.c.position == position)
            .values(status=found.status, reason=found.reason, image_id=image_id, decided_at=NOON)
            .returning(submissions.c.id)
        ).scalar_one()
        for verdict in found.verdicts:
            connection.execute(
                insert(verdicts).values(
                    submission_id=submission_id,
                    check_name=verdict.check_name,
                    check_version=CHECK_VERSION,
                    score=verdict.score,
                    threshold=verdict.threshold,
                    outcome=verdict.outcome,
                    detail=verdict.detail,
                )
            )

    def version(self, *label_codes: str, name: str = "A dataset", **given: object) -> DatasetVersion:
        """Freeze a dataset of some labels."""
        with self.hub.engine.begin() as connection:
            return freeze(connection, Recipe(label_codes=label_codes, **given), name=name, created_by=None)

    def model(self, version: DatasetVersion, metrics: Mapping[str, Any] | None = None, weights: str = "scratch") -> int:
        """Give a version a trained model, and return the model's id."""
        with self.hub.engine.begin() as connection:
            codes = [
                row.code
                for row in connection.execute(
                    text(
                        "select distinct labels.code from dataset_items join labels on labels.id = label_id"
                        " where version_id = :id order by 1"
                    ),
                    {"id": version.id},
                )
            ]
            names = [label_by_code(connection, code).name for code in codes]
            run = request_run(connection, version_id=version.id, requested_by=None, backbone="compact_vgg", workers=2)
        threshold = (metrics or {}).get("none_of_these", {}).get("threshold")
        body, keras = (
            onnx_model(list(zip(codes, names, strict=True)), threshold=threshold),
            b"not a real keras file, downloaded only",
        )
        self.hub.store.create(f"models/{run.id}/1/model.onnx", body)
        self.hub.store.create(f"models/{run.id}/1/model.keras", keras)
        with self.hub.engine.begin() as connection:
            taken = take_run(connection, owner="test", lease_s=60)
            assert taken is not None
            assert taken.id == run.id
            model_id = save_model(
                connection,
                run_id=run.id,
                backbone="compact_vgg",
                weights=weights,
                label_codes=codes,
                metrics=metrics or {},
                files=[
                    ModelFile(kind, f"models/{run.id}/1/model.{kind}", hashlib.sha256(of).hexdigest(), len(of))
                    for kind, of in (("keras", keras), ("onnx", body))
                ],
            )
            finish_run(connection, run_id=run.id, owner="test", status="succeeded", message="Trained.")
        return model_id

    def run_status(self, run_id: int) -> str:
        with self.hub.engine.connect() as connection:
            status: str = connection.execute(select(training_runs.c.status).where(training_runs.c.id == run_id)).scalar_one()
        return status
