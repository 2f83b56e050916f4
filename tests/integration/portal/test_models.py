"""A model's page: what it is worth."""

import re
from types import SimpleNamespace

from deep_images_hub.catalogue.models import model_by_id


def test_model_page_says_what_scores_are_worth_and_how_many_more_pictures_would_help(visitor, portal) -> None:
    page = visitor.get(f"/models/{portal.model_id}", headers={"Accept": "text/html"}).text

    assert "What its scores are worth" in page
    assert "How it grows with pictures" in page
    assert "too few pictures to bring them in line" in page
    goals = re.findall(r"goal=([0-9.]+)#labels", page)
    assert goals
    assert "<script>alert" not in page
    other = visitor.get(f"/models/{portal.model_id}?goal={goals[-1]}", headers={"Accept": "text/html"}).text
    assert f"goal={goals[-1]}#labels" not in other
    for hostile in ("nan", "-1", "<script>", "1e999"):
        assert visitor.get(f"/models/{portal.model_id}", query_string={"goal": hostile}).status_code == 200


def test_model_from_before_says_nothing_of_what_was_not_measured(visitor, portal) -> None:
    with portal.hub.engine.connect() as connection:
        model = model_by_id(connection, portal.model_id)
    old_id = portal.model(
        SimpleNamespace(id=model.version_id), {name: model.metrics[name] for name in ("test_top1", "confusion", "per_class")}
    )

    page = visitor.get(f"/models/{old_id}", headers={"Accept": "text/html"}).text

    assert "What it takes for what" in page
    assert "What its scores are worth" not in page
