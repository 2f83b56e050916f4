"""TensorFlow's banner is kept back, and nothing else; a process that cannot load it says why."""

import os

import pytest

from spark_jobs.tensorflow_process import fresh_process, without_banner

BANNER = (
    b"WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
    b"I0000 00:00:1795345141.647125   24038 port.cc:153] oneDNN custom operations are on. You may see.\n"
)


def test_only_the_banner_is_left_out(capfd: pytest.CaptureFixture[str]) -> None:
    with without_banner():
        os.write(2, b"a progress line\n" + BANNER + b"an error\n")

    assert capfd.readouterr().err == "a progress line\nan error\n"


def test_what_was_said_before_an_error_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    def load() -> None:
        with without_banner():
            os.write(2, BANNER + b"cannot load a library\n")
            raise ImportError

    with pytest.raises(ImportError):
        load()

    assert capfd.readouterr().err == "cannot load a library\n"


def test_what_kept_a_process_from_loading_tensorflow_is_told() -> None:
    with fresh_process({"KERAS_BACKEND": "abacus"}) as call, pytest.raises(ValueError, match="abacus"):
        call(os.getpid)
