"""A model's report to take away."""

import re

import pytest
import yaml

from deep_images_hub.model_reports.page import Page
from deep_images_hub.model_reports.pdf import report_pdf
from deep_images_hub.wire.model_reports import ModelReport
from webapp.security import PDF_LIMIT

HTML = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def report(app, portal) -> ModelReport:
    answer = app.test_client().get(f"/models/{portal.model_id}/report.json")
    assert answer.mimetype == "application/json"
    return ModelReport.model_validate_json(answer.data)


def test_report_says_all_that_was_measured_and_names_no_hidden_picture(report, portal, api_as) -> None:
    assert report.model_id == portal.model_id
    assert [label.code for label in report.labels] == ["/m/apple", "/m/hk", "/m/script"]
    assert sum(map(sum, report.confusion)) == report.scores.test_images == 15
    assert report.scores.random_features_top1 is None
    assert report.calibration is not None
    assert report.learning_curve is not None
    assert set(report.learning_curve.goals[0].needs) == {label.code for label in report.labels}
    assert [example.sha256 for example in report.wrong] == [portal.images["/m/apple"][0]]
    assert report.wrong[0].nearest == [portal.images["/m/hk"][0]]
    assert ModelReport.model_validate(api_as(None).get(f"/models/{portal.model_id}/report").json) == report


def test_html_report_stands_alone_and_escapes_what_suppliers_typed(visitor, portal) -> None:
    answer = visitor.get(f"/models/{portal.model_id}/report.html", headers=HTML)

    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "<script" not in answer.text
    assert "All &lt;i&gt;food&lt;/i&gt;" in answer.text
    assert "data:image/jpeg;base64," in answer.text
    assert "It answers “none of these” when" in answer.text
    assert "Fine-tuned, it was right on 25.0 % of 40 pictures" in answer.text
    assert "there were too few pictures to bring them in line" in answer.text
    linked = re.findall(r'(?:src|href)="([^"]+)"', answer.text)
    assert {link for link in linked if not link.startswith("data:")} == {f"http://localhost/models/{portal.model_id}"}


def test_pdf_report_is_written_whatever_labels_are_called(visitor, portal, report) -> None:
    answer = visitor.get(f"/models/{portal.model_id}/report.pdf")
    assert answer.data.startswith(b"%PDF-")
    names = ["Яблоко, Μήλο, crème", "苹果", "تفاح 🍎"]
    labels = [label.model_copy(update={"name": name}) for label, name in zip(report.labels, names, strict=True)]
    told = report.model_copy(update={"labels": labels, "version_name": "苹果 " * 50, "wrong": [], "right": []})
    assert report_pdf(told, picture=lambda _sha256: b"", url="http://localhost").startswith(b"%PDF-")
    with Page("A title") as page:
        assert [page.can_write(name) for name in names] == [True, False, False]


def test_model_card_begins_with_the_front_matter_that_model_hubs_read(visitor, portal) -> None:
    text = visitor.get(f"/models/{portal.model_id}/card.md").text

    _, front, body = text.split("---\n", 2)
    read = yaml.safe_load(front)
    assert read["pipeline_tag"] == "image-classification"
    assert read["model-index"][0]["results"][0]["metrics"][0]["type"] == "accuracy"
    assert "<script>" not in body
    assert "# All \\<i\\>food" in body


def test_report_of_a_model_that_was_hardly_measured_has_what_there_is(visitor, portal) -> None:
    from types import SimpleNamespace

    bare = portal.model(SimpleNamespace(id=portal.version_id), {})
    for name in ("report.json", "report.html", "report.pdf", "card.md"):
        assert visitor.get(f"/models/{bare}/{name}", headers=HTML).status_code == 200
    assert visitor.get("/models/987654/report.json").status_code == 404


def test_pdf_reports_are_made_only_so_often(visitor, portal) -> None:
    allowed = int(PDF_LIMIT.split()[0])
    answers = [visitor.get(f"/models/{portal.model_id}/report.pdf").status_code for _ in range(allowed + 1)]
    assert answers == [200] * allowed + [429]
