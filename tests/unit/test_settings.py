"""Where settings come from, and what is said when they are wrong."""

from pathlib import Path

import pytest

from deep_images_hub import settings as settings_module
from deep_images_hub.errors import SettingsError
from deep_images_hub.resources import resource
from deep_images_hub.settings import load_settings


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A config/ of the test's own in the place of the project's."""
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "default.toml").write_text('geocoder = "offline"\n')
    monkeypatch.setattr(settings_module, "resource", tmp_path.joinpath)
    return folder


def test_settings_without_any_source_are_the_laptop_default(config: Path) -> None:
    (config / "default.toml").write_text("")
    settings = load_settings()
    assert (settings.home, settings.database_url, settings.backbone) == (Path("var"), None, "vgg16")


def test_settings_of_a_stronger_source_win(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (config / "default.toml").write_text("portal_port = 1\nportal_workers = 1\ntraining_workers = 1\njpeg_quality = 1\n")
    (config / "mine.toml").write_text("portal_port = 2\nportal_workers = 2\ntraining_workers = 2\n")
    monkeypatch.setenv("HUB_PROFILE", "mine")
    monkeypatch.setenv("HUB_PORTAL_PORT", "3")
    monkeypatch.setenv("HUB_PORTAL_WORKERS", "3")

    settings = load_settings({"portal_port": 4, "image_side_px": None})

    assert settings.portal_port == 4, "command line over environment"
    assert settings.portal_workers == 3, "environment over profile"
    assert settings.training_workers == 2, "profile over default.toml"
    assert settings.jpeg_quality == 1, "default.toml over the default"
    assert settings.image_side_px == 256, "None on the command line is not given"


def test_settings_of_the_project_itself_load() -> None:
    assert load_settings().geocoder == "offline"


@pytest.mark.parametrize("profile", sorted(Path(str(resource("config"))).glob("*.toml")), ids=lambda file: file.stem)
def test_profile_of_the_project_has_known_keys_and_right_values(profile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_PROFILE", profile.stem)
    load_settings()


@pytest.mark.usefixtures("config")
def test_unknown_key_on_the_command_line_names_the_nearest() -> None:
    with pytest.raises(SettingsError, match=r"Unknown setting 'bakbone' in the command line\. Did you mean 'backbone'\?"):
        load_settings({"bakbone": "vgg16"})


@pytest.mark.usefixtures("config")
def test_unknown_key_in_the_environment_names_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_DATABSE_URL", "postgresql://somewhere")
    with pytest.raises(SettingsError, match=r"'databse_url' in the environment\. Did you mean 'database_url'\?"):
        load_settings()


def test_unknown_key_in_a_profile_names_the_file(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (config / "mine.toml").write_text("portal_prot = 1\n")
    monkeypatch.setenv("HUB_PROFILE", "mine")
    with pytest.raises(SettingsError, match=r"'portal_prot' in config/mine\.toml\. Did you mean 'portal_port'\?"):
        load_settings()


@pytest.mark.usefixtures("config")
def test_unknown_key_like_none_of_ours_names_none() -> None:
    with pytest.raises(SettingsError, match=r"'zzqq' in the command line\. docs/operating\.md"):
        load_settings({"zzqq": 1})


@pytest.mark.usefixtures("config")
def test_missing_profile_says_which_file_was_expected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_PROFILE", "staging")
    with pytest.raises(SettingsError, match=r"no profile 'staging': config/staging\.toml was expected\. Correct HUB_PROFILE"):
        load_settings()


@pytest.mark.usefixtures("config")
@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("backbone", "alexnet", "backbone: Input should be 'vgg16'"),
        ("portal_port", "eighty", "portal_port: Input should be a valid integer"),
        ("jpeg_quality", "96", "jpeg_quality: Input should be less than or equal to 95"),
        ("s3_access_key_id", "only half", "s3_access_key_id and s3_secret_access_key belong together"),
    ],
)
def test_wrong_value_says_what_was_expected(name: str, value: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        load_settings({name: value})


@pytest.mark.usefixtures("config")
def test_wrong_value_of_a_secret_is_not_shown() -> None:
    with pytest.raises(SettingsError) as raised:
        load_settings({"s3_access_key_id": "do-not-show-me"})
    assert "do-not-show-me" not in str(raised.value)
    assert "do-not-show-me" not in repr(load_settings({"portal_secret_key": "do-not-show-me"}))
