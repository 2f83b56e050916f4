"""Two models side by side, as a page and in the API."""

from types import SimpleNamespace

import pytest
from sqlalchemy import text

from deep_images_hub.catalogue.model_answers import ModelAnswer, save_answers
from deep_images_hub.catalogue.models import model_by_id
from deep_images_hub.code_version import code_version

HTML = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def models(portal) -> tuple[int, int]:
    """Two models of one dataset: the second gets all pictures right, the first none."""
    with portal.hub.engine.connect() as connection:
        model = model_by_id(connection, portal.model_id)
        rows = connection.execute(
            text(
                "select images.id, labels.code from images join image_labels on image_id = images.id"
                " join labels on labels.id = label_id order by 1"
            )
        ).all()
    truth = [model.label_codes.index(row.code) for row in rows]
    made = []
    for says in ([1, 2, 0], [0, 1, 2]):
        metrics = {**model.metrics, "seed": 7, "code": code_version()}
        made.append(portal.model(SimpleNamespace(id=model.version_id), metrics))
        answers = [ModelAnswer(row.id, index, says[index], 0.9, 1) for row, index in zip(rows, truth, strict=True)]
        with portal.hub.engine.begin() as connection:
            save_answers(connection, model_id=made[-1], answers=answers)
    return made[0], made[1]


def test_models_are_ticked_in_the_list_and_seen_side_by_side(visitor, models) -> None:
    listed = visitor.get("/models", headers=HTML).text
    assert 'action="/models/compare"' in listed
    assert f'name="models" value="{models[0]}"' in listed

    page = visitor.get(f"/models/compare?models={models[1]}&models={models[0]}", headers=HTML).text

    assert page.index(f'href="/models/{models[0]}"') < page.index(f'href="/models/{models[1]}"'), "the older one comes first"
    assert "The second is better, by more than chance." in page
    assert "Both were tested on the same 30 pictures: 30 only the second got right, 0 only the first." in page
    assert "The same dataset" in page
    assert "<script>alert" not in page
    assert f"models={models[1]},{models[0]}" in page.replace("%2C", ",")


def test_api_gives_the_same_comparison_and_what_makes_a_model_again(api_as, portal, models) -> None:
    found = api_as(None).get(f"/models/comparison?models={models[0]},{models[1]}").json

    assert found["on_shared"]["difference"] == 1
    assert found["on_shared"]["is_beyond_chance"] is True
    assert found["on_own"]["difference"] == 0
    assert found["data"] is None
    assert len(found["labels"]) == 3
    code = code_version()
    assert found["a"]["reproducible"] == {
        "data_digest": found["b"]["reproducible"]["data_digest"],
        "seed": 7,
        "backbone": "compact_vgg",
        "weights": "scratch",
        "method": "head",
        "workers": 2,
        "code_version": code["version"],
        "code_commit": code["commit"],
        "code_is_changed": code["is_changed"],
    }


def test_models_of_other_datasets_are_compared_by_their_own_tests(visitor, portal, models) -> None:
    version = portal.version("/m/apple", "/m/hk", name="Two labels")
    other = portal.model(version, {"test_top1": 0.5, "test_top1_interval": [0.4, 0.6]})

    page = visitor.get(f"/models/compare?models={other},{models[0]}", headers=HTML).text

    assert "No picture is known that both were tested on" in page
    assert f"/datasets/{version.id}" not in page
    assert "Only in the second" in page
    assert "tested in one" in page


@pytest.mark.parametrize(
    "given", ["", "models=1", "models=1,1", "models=1,2,3", "models=a,b", "models=-1,2", "models=1&models=1", "models=1,01"]
)
def test_choice_that_is_not_two_models_is_refused_and_says_what_to_do(visitor, given) -> None:
    answer = visitor.get(f"/models/compare?{given}", headers=HTML)

    assert answer.status_code == 400
    assert "Choose two different ones" in answer.text


def test_model_that_is_not_there_is_not_found(visitor, models) -> None:
    assert visitor.get(f"/models/compare?models={models[0]},999999", headers=HTML).status_code == 404
