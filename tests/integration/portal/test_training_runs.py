"""Training a model of a dataset: asked for, followed, cancelled, asked for again, refused."""

import re

from deep_images_hub.catalogue.training import add_event, finish_run, run_by_id, take_run
from tests.integration.portal.conftest import HALVES, send


def test_premium_account_asks_for_a_model_follows_and_cancels_it(signed_in, portal) -> None:
    client = signed_in("premium")
    answer = send(client, f"/datasets/{portal.version_id}/train")
    run = answer.location
    run_id = int(run.rsplit("/", 1)[1])
    page = client.get(run).text
    assert "queued" in page
    assert f'data-progress="{run}/progress.json"' in page
    assert '<noscript><meta http-equiv="refresh"' in page
    progress = client.get(f"{run}/progress.json").json
    assert (progress["status"], progress["has_ended"]) == ("queued", False)
    assert [stage["name"] for stage in progress["stages"]] == ["features", "train", "evaluate", "outlook", "export"]
    send(client, f"{run}/cancel")
    assert portal.run_status(run_id) == "cancelled"
    assert client.get(f"{run}/progress.json").json["has_ended"] is True
    assert send(client, f"{run}/cancel").status_code == 409


def test_run_page_follows_what_training_writes_down(signed_in, portal) -> None:
    client = signed_in("premium")
    run = send(client, f"/datasets/{portal.version_id}/train").location
    run_id = int(run.rsplit("/", 1)[1])
    with portal.hub.engine.begin() as connection:
        assert take_run(connection, owner="test", lease_s=60).id == run_id
        add_event(connection, run_id=run_id, attempt=1, stage="features", done=30, total=30)
        for epoch, loss in enumerate([2.0, 1.0], start=1):
            add_event(
                connection,
                run_id=run_id,
                attempt=1,
                stage="train",
                done=epoch,
                total=8,
                metrics={"loss": loss, "validation_loss": loss * 2},
            )
    progress = client.get(f"{run}/progress.json").json
    assert progress["status"] == "running"
    assert [(stage["done"], stage["total"]) for stage in progress["stages"]] == [(30, 30), (2, 8), (0, 0), (0, 0), (0, 0)]
    assert progress["loss"] == {"train": "30.0,60.0 316.0,85.0", "validation": "30.0,10.0 316.0,60.0", "top": 4.0}
    html = client.get(run).text
    assert 'value="0.2500"' in html
    assert "2 of 8" in html
    with portal.hub.engine.begin() as connection:
        finish_run(connection, run_id=run_id, owner="test", status="failed", message="The disk is full.")
    html = client.get(run).text
    assert "The disk is full." in html
    assert "http-equiv" not in html


def test_run_that_was_cancelled_is_asked_for_again_and_names_the_first(signed_in, portal) -> None:
    client = signed_in("premium")
    first = send(client, f"/datasets/{portal.version_id}/train", backbone="compact_vgg").location
    assert "Waits for its turn" in client.get(first).text
    assert send(client, f"{first}/repeat").status_code == 409
    send(client, f"{first}/cancel")
    page = client.get(first).text
    assert "Ask for it again" in page
    assert "What became of it" in page
    again = send(client, f"{first}/repeat").location
    assert again != first
    assert f'href="{first}"' in client.get(again).text
    with portal.hub.engine.connect() as connection:
        run = run_by_id(connection, int(again.rsplit("/", 1)[1]))
    assert (run.backbone, run.repeats) == ("compact_vgg", int(first.rsplit("/", 1)[1]))
    send(client, f"{again}/cancel")


def test_way_to_train_is_chosen_by_how_long_it_took_before(signed_in, portal) -> None:
    client = signed_in("premium")
    page = client.get(f"/datasets/{portal.version_id}").text
    assert '<option value="vgg16/head">vgg16, the head alone</option>' in page
    assert '<option value="vgg16/fine_tune">vgg16, its top blocks too</option>' in page
    assert re.search(r'value="compact_vgg/head">compact_vgg, from scratch \(under a minute, by \d+ earlier runs?\)', page)
    run = send(client, f"/datasets/{portal.version_id}/train", way="vgg16/fine_tune").location
    assert "its top blocks too" in client.get(run).text
    send(client, f"{run}/cancel")
    again = send(client, f"{run}/repeat").location
    with portal.hub.engine.connect() as connection:
        assert run_by_id(connection, int(again.rsplit("/", 1)[1])).method == "fine_tune"
    send(client, f"{again}/cancel")
    refused = send(client, f"/datasets/{portal.version_id}/train", way="compact_vgg/fine_tune")
    assert (refused.status_code, "from scratch, all of it" in refused.text) == (400, True)
    assert send(client, f"/datasets/{portal.version_id}/train", way="vgg16/by_magic").status_code == 400


def test_run_that_failed_for_its_dataset_cannot_be_asked_for_again(signed_in, portal) -> None:
    client = signed_in("premium")
    run = send(client, f"/datasets/{portal.version_id}/train").location
    run_id = int(run.rsplit("/", 1)[1])
    with portal.hub.engine.begin() as connection:
        assert take_run(connection, owner="test", lease_s=60, run_id=run_id)
        finish_run(connection, run_id=run_id, owner="test", status="failed", message="Too few pictures of Apple.")
    assert "Ask for it again" not in client.get(run).text
    refused = send(client, f"{run}/repeat")
    assert (refused.status_code, "would end the same" in refused.text) == (409, True)


def test_account_with_as_many_runs_as_it_may_have_is_told_so(signed_in, portal) -> None:
    client = signed_in("premium")
    asked = []
    while (answer := send(client, f"/datasets/{portal.version_id}/train")).status_code == 302:
        asked.append(answer.location)
        assert len(asked) <= portal.hub.settings.training_open_runs
    assert answer.status_code == 429
    assert "your account may have 5 at once" in answer.text
    for run in asked:
        send(client, f"{run}/cancel")


def test_dataset_that_is_not_worth_training_on_says_why(signed_in, portal) -> None:
    version = portal.version("/m/apple", name="One label")
    client = signed_in("premium")
    assert "at least 2 labels" in client.get(f"/datasets/{version.id}").text
    assert send(client, "/datasets/999999/train").status_code == 404
    refused = send(client, f"/datasets/{portal.version_id}/train", backbone="alexnet")
    assert (refused.status_code, "Expected: vgg16 or compact_vgg" in refused.text) == (400, True)
    refused = send(client, f"/datasets/{portal.version_id}/train", way="vgg16/by_heart")
    assert (refused.status_code, "Expected: head or fine_tune" in refused.text) == (400, True)
    answer = send(client, f"/datasets/{version.id}/train")
    assert answer.status_code == 400
    assert "at least 2 labels" in answer.text


def test_dataset_with_too_few_pictures_of_a_label_can_be_waited_for(signed_in, portal) -> None:
    left_out = tuple(portal.images["/m/hk"][1:])
    version = portal.version("/m/apple", "/m/hk", name="With one of the kitchen", left_out=left_out, fractions=HALVES)
    client = signed_in("premium")
    html = client.get(f"/datasets/{version.id}").text
    assert "too few: Hell&#39;s Kitchen" in html
    assert send(client, f"/datasets/{version.id}/train").status_code == 400
    page = client.get(send(client, f"/datasets/{version.id}/train", wait="1").location)
    run_id = int(page.request.path.rsplit("/", 1)[1])
    assert portal.run_status(run_id) == "waiting"
    assert "Waits for pictures. It starts by itself" in page.text
    assert "Hell&#39;s Kitchen" in page.text
    assert "A model of this dataset is waiting for pictures" in client.get(f"/datasets/{version.id}").text
    follow = f'href="/runs/{run_id}">Follow it'
    assert [follow in signed_in(role).get(f"/datasets/{version.id}").text for role in ("premium", "operator", "supplier")] == [
        True,
        True,
        False,
    ]
    send(client, f"{page.request.path}/cancel")
    assert portal.run_status(run_id) == "cancelled"
    # Asked for again, it waits again.
    again = send(client, f"{page.request.path}/repeat")
    assert portal.run_status(int(again.location.rsplit("/", 1)[1])) == "waiting"
    send(client, f"{again.location}/cancel")
