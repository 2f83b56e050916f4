from deep_images_hub import __version__, code_version
from deep_images_hub.code_version import code_version as found


def test_code_version_of_a_checkout_names_its_commit() -> None:
    said = found()
    assert said["version"] == __version__
    assert said["commit"] is None or len(str(said["commit"])) == 40
    assert (said["is_changed"] is None) == (said["commit"] is None)


def test_code_version_without_git_says_so(monkeypatch) -> None:
    monkeypatch.setattr(code_version, "_git", lambda *_command: None)
    assert found.__wrapped__() == {"version": __version__, "commit": None, "is_changed": None}
