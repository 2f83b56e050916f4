"""TFRecord: files of `tf.train.Example`, made without TensorFlow.

A record is the length of the example, that length's checksum, the example, and its checksum. Names of features follow
TensorFlow's own ImageNet files, but that class indices begin with 0.

Source of the framing: tensorflow/core/lib/io/record_writer.h; of the messages: tensorflow/core/example/feature.proto.
"""

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from typing import Any

import google_crc32c
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from deep_images_hub.datasets.exports.export import Export, VersionPicture
from deep_images_hub.datasets.exports.files import Chunk, ChunkedFile, ExportFile, sha256_of
from deep_images_hub.datasets.exports.lists import accompanying_files, picture_values
from deep_images_hub.datasets.slugs import file_stem

LAYOUT = """    {name}-{split}.tfrecord-{number}-of-{count}    one tf.train.Example a picture, labels mixed
        image/encoded                              JPEG, upright, RGB, short side as the hub stores it
        image/class/label  image/class/text        class index, from 0, and name
        image/class/code  image/sha256  ...        label's code, sha256 of the original, licence, attribution, time, place
    labels.csv                                     class index, folder, code and name of every label
    LICENSES.csv                                   licences and attributions

    tf.data.TFRecordDataset(tf.io.gfile.glob("*-train.tfrecord-*"))
"""
# A checksum of data that holds checksums would be weak; so they are turned and moved by this.
_MASK_DELTA = 0xA282EAD8


class TFRecord:
    """Files of records."""

    name = "tfrecord"
    title = "TFRecord"
    summary = "Records for TensorFlow's input pipelines"
    has_pictures = True
    revision = "1"

    def files(self, export: Export) -> list[ExportFile]:
        """Return the files of every split, and what accompanies them."""
        stem = file_stem(export.version.name)
        records: list[ExportFile] = [
            ChunkedFile(
                name=f"{stem}-{split}.tfrecord-{number:05d}-of-{export.shard_count(split):05d}",
                media_type="application/octet-stream",
                image_count=export.images_in_shard(split),
                chunks=_chunks(export, split, number),
                store=export.store,
            )
            for split in export.splits
            for number in range(export.shard_count(split))
        ]
        return [*records, *accompanying_files(export, LAYOUT)]

    def python(self, export: Export) -> str:
        """Return how the records of a split are loaded."""
        return (
            "import tensorflow as tf\n\n"
            "features = {\n"
            '    "image/encoded": tf.io.FixedLenFeature([], tf.string),\n'
            '    "image/class/label": tf.io.FixedLenFeature([], tf.int64),\n'
            "}\n"
            f'files = tf.io.gfile.glob("{file_stem(export.version.name)}-{export.splits[0]}.tfrecord-*")\n'
            "records = tf.data.TFRecordDataset(files)\n"
            "pictures = records.map(lambda record: tf.io.parse_single_example(record, features))"
        )


def _chunks(export: Export, split: str, number: int) -> Callable[[], Iterator[Chunk]]:
    pictures = cache(partial(export.shard, split, number))

    def chunks() -> Iterator[Chunk]:
        for picture in pictures():
            yield Chunk((picture,), partial(_record, export, picture))

    return chunks


def _record(export: Export, picture: VersionPicture, bodies: Sequence[bytes]) -> bytes:
    (body,) = bodies
    values = picture_values(export, picture)
    example = _example(
        {
            "image/encoded": body,
            "image/format": "jpeg",
            "image/filename": f"{picture.sha256}.jpg",
            "image/class/label": values["class_index"],
            "image/class/text": values["label"],
            "image/class/code": values["label_code"],
            "image/sha256": picture.sha256,
            "image/picture_sha256": sha256_of(picture, body),
            "image/original_width": picture.width_px,
            "image/original_height": picture.height_px,
            **{
                f"image/{name}": values[name]
                for name in ("group", "licence", "licence_url", "attribution", "taken_at", "country_code", "city")
            },
        }
    )
    length = struct.pack("<Q", len(example))
    return length + _masked_checksum(length) + example + _masked_checksum(example)


def _masked_checksum(content: bytes) -> bytes:
    checksum = google_crc32c.value(content)
    turned = checksum >> 15 | checksum << 17
    return struct.pack("<I", (turned + _MASK_DELTA) & 0xFFFFFFFF)


def _example(features: Mapping[str, object]) -> bytes:
    """Return a `tf.train.Example` of texts, bytes and whole numbers; what is None is a feature without a value."""
    message = _example_class()()
    for name, value in sorted(features.items()):
        feature = message.features.feature.add(key=name).value
        if isinstance(value, int):
            feature.int64_list.value.append(value)
        elif isinstance(value, bytes):
            feature.bytes_list.value.append(value)
        else:
            feature.bytes_list.value.extend([] if value is None else [str(value).encode()])
    encoded: bytes = message.SerializeToString(deterministic=True)
    return encoded


@cache
def _example_class() -> Any:
    """Make the class of `tf.train.Example` as far as it is written here.

    In a pool of its own: TensorFlow, where it is loaded too, has the whole of it in the common one.
    """
    kinds = FieldDescriptorProto
    file = FileDescriptorProto(name="example.proto", package="hub", syntax="proto3")
    file.message_type.extend(
        [
            _message("BytesList", ("value", 1, kinds.TYPE_BYTES, True)),
            _message("Int64List", ("value", 1, kinds.TYPE_INT64, True)),
            _message("Feature", ("bytes_list", 1, "BytesList", False), ("int64_list", 3, "Int64List", False)),
            # On the wire, a map is repeated pairs; written as that, their order is ours.
            _message("Pair", ("key", 1, kinds.TYPE_STRING, False), ("value", 2, "Feature", False)),
            _message("Features", ("feature", 1, "Pair", True)),
            _message("Example", ("features", 1, "Features", False)),
        ]
    )
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName("hub.Example"))


def _message(name: str, *fields: tuple[str, int, Any, bool]) -> DescriptorProto:
    """Describe a message: its fields' names, numbers, types (another message by its name), and whether they are repeated."""
    message = DescriptorProto(name=name)
    for field_name, number, kind, is_repeated in fields:
        field = message.field.add(name=field_name, number=number)
        field.label = FieldDescriptorProto.LABEL_REPEATED if is_repeated else FieldDescriptorProto.LABEL_OPTIONAL
        if isinstance(kind, str):
            field.type, field.type_name = FieldDescriptorProto.TYPE_MESSAGE, f".hub.{kind}"
        else:
            field.type = kind
    return message
