"""Which options of scripts/submit are spark-submit's, and which are the job's."""

import pytest

from deep_images_hub.cli.boundary import settings_given
from deep_images_hub.cli.submit import split_command_line
from deep_images_hub.errors import SettingsError


@pytest.mark.parametrize(
    ("given", "options", "rest"),
    [
        (["intake"], [], ["intake"]),
        (["intake", "--limit", "3"], [], ["intake", "--limit", "3"]),
        (["--master", "spark://a:7077", "intake"], ["--master", "spark://a:7077"], ["intake"]),
        (["--verbose", "intake", "--verbose"], ["--verbose"], ["intake", "--verbose"]),
        (["--conf=a=b", "-c", "c=d", "intake"], ["--conf=a=b", "-c", "c=d"], ["intake"]),
        (["intake", "--limit", "3", "--master", "local[1]"], ["--master", "local[1]"], ["intake", "--limit", "3"]),
        (["intake", "--name", "spring"], [], ["intake", "--name", "spring"]),
        (["--executor-memory", "2g"], ["--executor-memory", "2g"], []),
        (["--help"], [], ["--help"]),
        (["intake", "--help"], [], ["intake", "--help"]),
    ],
)
def test_command_line_is_parted_at_the_job(given: list[str], options: list[str], rest: list[str]) -> None:
    assert split_command_line(given) == (options, rest)


def test_settings_given_on_the_command_line_keep_what_follows_the_first_equals_sign() -> None:
    assert settings_given(["weights=s3://bucket/a=b.h5", "backbone=resnet50"]) == {
        "weights": "s3://bucket/a=b.h5",
        "backbone": "resnet50",
    }


def test_setting_without_a_value_says_what_was_expected() -> None:
    with pytest.raises(SettingsError, match=r"given 'backbone'\. Expected: NAME=VALUE"):
        settings_given(["backbone"])
