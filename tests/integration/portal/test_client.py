"""The client against a portal that really serves: lists, freezing, killed downloads, busy hubs, training, errors by class."""

import hashlib
import io
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from deep_images_hub.catalogue.training import add_event, finish_run, take_run
from deep_images_hub.catalogue.users import create_user
from deep_images_hub.client import HubClient, Recipe
from deep_images_hub.client import transport as client_transport
from deep_images_hub.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    TooManyRequestsError,
    UnauthenticatedError,
    UnavailableError,
)
from tests.builders import photograph
from tests.integration.portal.conftest import api_token
from tests.integration.portal.serving import Served, let_client_do

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def served(app) -> Iterator[Served]:
    served = Served(app)
    yield served
    served.close()


@pytest.fixture(scope="module")
def token(portal) -> str:
    with portal.hub.engine.begin() as connection:
        user = create_user(connection, email="client@example.org", display_name="A client", role="premium")
    return api_token(portal.hub, user)


@pytest.fixture
def client(served, token) -> HubClient:
    return HubClient(served.url, token, timeout_s=20)


@pytest.fixture
def waits(monkeypatch) -> list[float]:
    """Write down how long the client would wait, and do not."""
    waited: list[float] = []
    let_client_do(monkeypatch, waited.append)
    return waited


def test_client_reads_lists_to_their_end_and_things_as_they_are(client, portal) -> None:
    assert {label.code for label in client.labels(under="/m/food")} >= {"/m/script", "/m/apple", "/m/hk"}
    assert client.find_labels("kitchen")[0].code == "/m/hk"
    assert client.label("/m/apple").ancestors[0].name == "Food"
    found = list(client.pictures(label="/m/food", licence=["cc0"], since="2020-01-01", sort="oldest", limit=2))
    assert len(found) == 15
    picture = client.picture(found[0].sha256)
    assert (picture.licence, picture.created_at.tzinfo is not None) == ("cc0", True)
    assert client.picture_bytes(picture.sha256).startswith(b"\xff\xd8")
    assert client.totals().images >= 30
    assert client.account().role == "premium"
    assert list(client.batches()) == []
    assert portal.version_id in [version.id for version in client.versions()]
    version = client.version(portal.version_id)
    assert client.version(version.digest) == version
    assert len(list(client.pictures_of_version(version.id, split="train"))) == version.train_count
    assert client.changes(version.id, since=version.id).added == 0
    assert client.report(found[0].sha256, "other", "A test.") is True


def test_client_freezes_what_it_was_shown(client) -> None:
    recipe = Recipe(label_codes=["/m/hk"], max_per_label=3)
    shown = client.preview(recipe)
    version = client.freeze("Kitchens", recipe)
    assert (version.image_count, version.recipe_digest) == (shown.image_count, shown.recipe_digest)
    assert client.freeze("Again", recipe) == version


def test_client_says_what_is_wanted(client) -> None:
    asked = client.ask_for("Apple", 777, note="By a program.")
    assert asked.outcome == "new"
    assert next(client.own_demands()).target_images == 777
    assert asked.id in [demand.id for demand in client.demands(label="/m/apple", order="newest")]
    assert client.vote(asked.id).outcome == "unchanged"
    assert client.take_vote_back(asked.id).outcome == "unchanged"
    apple = client.label("/m/apple").id
    assert client.watch(apple).is_watched
    assert [label.name for label in client.watched_labels()] == ["Apple"]
    assert not client.stop_watching(apple).is_watched
    assert client.withdraw_demand(asked.id).outcome == "withdrawn"
    assert client.propose_label("Quince", parent="Food", target_images=5)
    assert [(one.name, one.status) for one in client.own_proposals()] == [("Quince", "waiting")]


def test_client_reads_what_is_known_of_models_and_lists(client, portal) -> None:
    assert client.model_document(portal.model_id, "card.md").startswith(b"---")
    assert b"<html" in client.model_document(portal.model_id, "report.html")
    assert client.model_document(portal.model_id, "report.pdf").startswith(b"%PDF")
    assert list(client.model_answers(portal.model_id, truth="/m/apple", said="/m/hk")) == []
    with pytest.raises(InvalidInputError):
        client.compare_models(portal.model_id, portal.model_id)
    assert client.counts(label="/m/apple").least == 10
    assert next(client.short_labels(max_images=100)).subtree_images == 0
    assert next(client.latest_batches()).label_code
    assert client.latest_places()["type"] == "FeatureCollection"
    assert client.refused_deliveries() == []
    assert client.places()[0].name
    assert client.croissant(portal.version_id)["@type"] == "sc:Dataset"
    assert {one.name for one in client.export_formats()} >= {"csv", "parquet"}
    assert client.record().total.submitted == 0


def test_operators_client_runs_the_hub(served, portal, app) -> None:
    client = HubClient(served.url, api_token(portal.hub, portal.users["operator"]), timeout_s=20)
    person = client.invite("by-client@example.org", "By a client", "scientist")
    assert client.grant_role(person.id, "premium").role == "premium"
    assert not client.close_account(person.id).is_active
    assert client.reopen_account(person.id).is_active
    assert client.mail_link(person.id) == client.person(person.id)
    assert client.delete_account(person.id).is_deleted
    assert person.id in [one.id for one in client.people(state="deleted")]
    assert next(client.account_changes()).deed == "deleted"
    assert next(client.all_batches()).key
    assert list(client.all_runs())
    assert client.funnel().submitted > 0
    assert list(client.reviews(label="/m/hk")) == []
    assert all(one.reports for one in client.reported_pictures())
    nothing: list[Callable[[], object]] = [
        lambda: client.accept(999_999),
        lambda: client.relabel(999_999, "Apple"),
        lambda: client.reject(999_999, "dark"),
        lambda: client.undo(999_999),
        lambda: client.keep("0" * 64),
        lambda: client.doubt("0" * 64),
        lambda: client.take_down("0" * 64),
        lambda: client.accept_proposal(999_999, name="No", parent="Food"),
        lambda: client.merge_proposal(999_999, "Apple"),
        lambda: client.refuse_proposal(999_999, "No."),
    ]
    for call in nothing:
        with pytest.raises(NotFoundError):
            call()
    assert all(one.status == "waiting" for one in client.proposals())


def test_token_that_is_revoked_by_its_program_is_refused(served, portal) -> None:
    client = HubClient(served.url, api_token(portal.hub, portal.users["scientist"], "read"))
    assert client.tokens()[0].scopes == ["read"]
    assert client.revoke_token().revoked_at is not None
    with pytest.raises(UnauthenticatedError):
        client.account()


@pytest.mark.parametrize(
    ("call", "kind", "code"),
    [
        (lambda client: client.label("/m/none"), NotFoundError, "not_found"),
        (lambda client: list(client.pictures(sort="best")), InvalidInputError, "invalid_input"),
        (lambda client: list(client.pictures(lable="x")), InvalidInputError, "invalid_input"),
        (lambda client: client.run(1), ForbiddenError, "forbidden"),
        (lambda client: client.cancel_run(999_999), NotFoundError, "not_found"),
        (lambda client: client.download(1, "csv", "nowhere", files=["no.csv"]), InvalidInputError, "invalid_input"),
    ],
)
def test_error_of_the_api_is_the_same_error_here(client, call, kind, code) -> None:
    with pytest.raises(kind) as caught:
        call(client)
    assert caught.value.code == code


def test_token_that_is_wrong_or_not_there_is_said(served, monkeypatch) -> None:
    monkeypatch.delenv("HUB_TOKEN", raising=False)
    with pytest.raises(UnauthenticatedError) as caught:
        HubClient(served.url).account()
    assert caught.value.code == "token_required"
    monkeypatch.setenv("HUB_TOKEN", "dih_wrong")
    with pytest.raises(UnauthenticatedError) as caught:
        HubClient(served.url).account()
    assert caught.value.code == "invalid_token"
    with pytest.raises(InvalidInputError, match="no address of a hub"):
        HubClient("hub.example.org")


def test_killed_download_goes_on_where_it_was(client, served, token, portal, tmp_path) -> None:
    whole = client.download(portal.version_id, "imagefolder", tmp_path / "whole")
    served.stalls_after = 70_000
    code = (
        "import sys; from deep_images_hub.client import HubClient;"
        " HubClient(sys.argv[1]).download(int(sys.argv[2]), 'imagefolder', sys.argv[3])"
    )
    folder = tmp_path / "killed"
    killed = subprocess.Popen(
        [sys.executable, "-c", code, served.url, str(portal.version_id), str(folder)],
        env={**os.environ, "HUB_TOKEN": token, "PYTHONPATH": str(ROOT)},
    )
    assert served.has_stalled.wait(60)
    while not (parts := list(folder.glob(".*.part"))) or not parts[0].stat().st_size:
        assert killed.poll() is None
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    served.goes_on.set()
    have = parts[0].stat().st_size
    assert 0 < have < whole[0].size_bytes

    served.asked.clear()
    (file,) = client.download(portal.version_id, "imagefolder", folder)
    assert [asked_range for _, path, asked_range in served.asked if path.endswith(".zip")] == [f"bytes={have}-"]
    assert (file.path.read_bytes(), file.is_verified) == (whole[0].path.read_bytes(), True)
    assert sorted(path.name for path in folder.iterdir()) == [".deep-images-hub.json", file.path.name]

    served.asked.clear()
    assert client.download(portal.version_id, "imagefolder", folder) == [file]
    assert len(served.asked) == 1, "the list of the files alone: they are there"


def test_file_that_is_not_what_the_hub_says_is_thrown_away(client, portal, tmp_path) -> None:
    client.download(portal.version_id, "webdataset", tmp_path / "known", split="test")
    folder = tmp_path / "damaged"
    shard = next(of for of in client.export(portal.version_id, "webdataset", split="test").files if of.name.endswith(".tar"))
    etag = re.search(r"etag=([^&]+)", shard.url)[1]
    folder.mkdir()
    part = folder / f".{shard.name}.{hashlib.sha256(etag.encode()).hexdigest()[:16]}.part"
    part.write_bytes(b"x" * 1_000)
    with pytest.raises(UnavailableError, match="thrown away"):
        client.download(portal.version_id, "webdataset", folder, split="test")
    assert not part.exists()
    files = client.download(portal.version_id, "webdataset", folder, split="test", workers=2)
    assert all(file.is_verified and hashlib.sha256(file.path.read_bytes()).hexdigest() == file.sha256 for file in files)


def test_name_that_leaves_the_folder_is_refused(client, monkeypatch, tmp_path) -> None:
    real = client.export

    def hostile(*asked, **part):
        manifest = real(*asked, **part)
        return manifest.model_copy(update={"files": [manifest.files[0].model_copy(update={"name": "../away.csv"})]})

    monkeypatch.setattr(client, "export", hostile)
    with pytest.raises(InvalidInputError, match="would not lie in the folder"):
        client.download(1, "csv", tmp_path / "here")
    assert list(tmp_path.iterdir()) == []


def test_progress_says_every_byte_once(client, portal, tmp_path, capsys) -> None:
    files = client.download(portal.version_id, "csv", tmp_path, shows_progress=True, workers=3)
    total = sum(file.size_bytes for file in files)
    assert f"{total:,} of {total:,} bytes" in capsys.readouterr().err


def test_busy_hub_is_asked_again_when_it_says(client, served, waits) -> None:
    served.busy = [(429, "3"), (503, "1"), (503, "soon")]
    assert client.totals().labels >= 5
    assert [round(wait) for wait in waits[:1]] == [3]
    assert 1 <= waits[1] <= 1.25
    assert len(waits) == 3
    served.busy = [(429, "1")] * 6
    with pytest.raises(TooManyRequestsError):
        client.totals()
    assert served.busy == []
    served.busy, already = [(429, "3600")], len(waits)
    with pytest.raises(TooManyRequestsError):
        client.totals()
    assert len(waits) == already, "an hour is not waited for"
    served.busy = [(503, "1")]
    assert client.freeze("Busy", Recipe(label_codes=["/m/hk"])).image_count == 10


def test_hub_that_does_not_answer_is_named(waits) -> None:
    with pytest.raises(UnavailableError, match=r"No hub answers at http://127\.0\.0\.1:9"):
        HubClient("http://127.0.0.1:9", tries=3).totals()
    assert len(waits) == 2
    with pytest.raises(UnavailableError):
        HubClient("http://127.0.0.1:9", tries=3).cancel_run(1)
    assert len(waits) == 2, "whether it was done is not known"


def test_address_of_another_host_is_not_followed_there() -> None:
    transport = client_transport.Transport("https://hub.example.org", token="t", tries=1, timeout_s=1)
    assert transport._url("https://evil.example/api/v1/labels?cursor=x") == "https://hub.example.org/api/v1/labels?cursor=x"


def test_training_is_waited_for_and_its_model_downloaded(client, portal, monkeypatch, tmp_path) -> None:
    run = client.request_training(portal.version_id, backbone="compact_vgg")
    steps = iter(["take", "finish"])

    def work(_seconds: float) -> None:
        with portal.hub.engine.begin() as connection:
            if next(steps) == "take":
                taken = take_run(connection, owner="test", lease_s=60, run_id=run.id)
                add_event(connection, run_id=run.id, attempt=1, stage="train", done=1, total=2, metrics={"loss": 0.5})
                assert taken is not None
            else:
                finish_run(connection, run_id=run.id, owner="test", status="failed", message="A test.")

    let_client_do(monkeypatch, work)
    followed: list[str] = []
    ended = client.wait_for_run(run.id, follow=lambda run: followed.append(run.status))
    assert (followed, ended.message, ended.losses["loss"]) == (["queued", "running", "failed"], "A test.", [0.5])
    with pytest.raises(ConflictError):
        client.cancel_run(run.id)
    other = client.request_training(portal.version_id)
    with pytest.raises(UnavailableError, match="is queued after 0 s"):
        client.wait_for_run(other.id, timeout_s=0)
    assert client.cancel_run(other.id).status == "cancelled"
    assert {run.id, other.id} <= {of.id for of in client.runs()}

    assert portal.model_id in [model.id for model in client.models()]
    files = client.download_model(portal.model_id, tmp_path)
    assert [file.path.name for file in files] == ["model.keras", "model.onnx"]
    assert all(file.is_verified for file in files)
    said = client.predict(portal.model_id, photograph("client"))
    assert said.answers[0].score == max(answer.score for answer in said.answers)
    assert said.is_none_of_these is not None


@pytest.fixture
def documented(served, token, monkeypatch, tmp_path) -> str:
    """Return docs/api.md with this hub's address and labels, in a folder with a photograph."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HUB_TOKEN", token)
    (tmp_path / "photo.jpg").write_bytes(photograph("documented"))
    text = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    for there, here in (("https://hub.example.org", served.url), ("/m/014j1m", "/m/apple"), ("/m/02wbm", "/m/food")):
        assert there in text
        text = text.replace(there, here)
    return text


def test_documented_lines_of_python_do_what_they_say(documented, portal, monkeypatch, tmp_path, capsys) -> None:
    def end_run(_seconds: float) -> None:
        with portal.hub.engine.begin() as connection:
            taken = take_run(connection, owner="test", lease_s=60)
            finish_run(connection, run_id=taken.id, owner="test", status="failed", message="Nobody trains in this test.")

    let_client_do(monkeypatch, end_run)
    # What sends photographs is run in test_client_uploads.
    blocks = [of for of in re.findall(r"```python\n(.*?)```", documented, re.DOTALL) if "hub.upload(" not in of]
    assert len(blocks) == 4
    exec(compile("\n".join(blocks), "docs/api.md", "exec"), {})
    said = capsys.readouterr().out
    assert said.startswith("/m/apple 10\n")
    assert said.count("/picture.jpg") == 10
    assert "failed Nobody trains in this test." in said
    assert "not_found There is no label with the code '/m/nothing'" in said
    assert sorted(path.name for path in (tmp_path / "model").iterdir() if path.suffix in (".keras", ".onnx"))


def test_documented_lines_for_the_shell_are_answered(documented, served, token) -> None:
    lines = [line for line in documented.replace("\\\n", " ").splitlines() if line.startswith("    curl ")]
    assert len(lines) == 6
    for line in lines:
        words = shlex.split(line.replace("$HUB_URL", served.url).replace("$HUB_TOKEN", token))[1:]
        headers, body, url = {}, None, ""
        while words:
            match words.pop(0):
                case "-H":
                    name, _, value = words.pop(0).partition(": ")
                    headers[name] = value
                case "-d":
                    body = words.pop(0).encode()
                case "--data-binary":
                    body = Path(words.pop(0).removeprefix("@")).read_bytes()
                case url:
                    pass
        answer = requests.request("POST" if body else "GET", url, headers=headers, data=body, timeout=20)
        assert answer.ok, f"{line}: {answer.text}"


def test_zip_can_be_opened(client, portal, tmp_path) -> None:
    (file,) = client.download(portal.version_id, "imagefolder", tmp_path, label="/m/apple", first=2)
    with zipfile.ZipFile(io.BytesIO(file.path.read_bytes())) as archive:
        assert archive.testzip() is None
