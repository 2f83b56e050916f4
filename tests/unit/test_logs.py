"""Events as text and as JSON."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from deep_images_hub.logs import configure_logs, open_log


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def test_event_as_json_has_its_name_and_fields() -> None:
    stream = io.StringIO()
    configure_logs("json", stream=stream)

    open_log("spark_jobs.intake").bind(batch_key="spring-7").info("batch_decided", accepted=12, share=0.5)

    event = json.loads(stream.getvalue())
    assert event.pop("at").endswith("+00:00")
    assert event == {
        "level": "info",
        "event": "batch_decided",
        "logger": "deep_images_hub.spark_jobs.intake",
        "batch_key": "spring-7",
        "accepted": 12,
        "share": 0.5,
    }


def test_event_as_text_is_one_line_with_values_quoted_where_need_be() -> None:
    stream = io.StringIO()
    configure_logs("text", stream=stream)

    open_log("deep_images_hub.labels").warning("label_unknown", code="/m/0k4j", name="Hell's Kitchen", count=3)

    line = stream.getvalue()
    assert line.endswith(' WARNING label_unknown code=/m/0k4j name="Hell\'s Kitchen" count=3\n')


def test_exception_carries_its_stack_trace() -> None:
    stream = io.StringIO()
    configure_logs("json", stream=stream)
    try:
        raise ValueError("wrong")
    except ValueError:
        open_log(__name__).exception("job_failed")

    assert "ValueError: wrong" in json.loads(stream.getvalue())["exception"]


def test_chatter_of_libraries_is_left_out_and_their_warnings_are_not() -> None:
    stream = io.StringIO()
    configure_logs("text", stream=stream)

    logging.getLogger("botocore").info("chatter")
    logging.getLogger("botocore").warning("retrying")
    open_log(__name__).debug("detail")

    assert "retrying" in stream.getvalue()
    assert "chatter" not in stream.getvalue()
    assert "detail" not in stream.getvalue()
