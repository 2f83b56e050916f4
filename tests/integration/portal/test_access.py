"""Every route with every role: the table here is what the portal promises, and no route is missing from it."""

import pytest

from deep_images_hub.accounts import PERMISSIONS
from webapp.access import Access, access_of

ANYBODY, ANY_ACCOUNT = Access(needs_account=False), Access(needs_account=True)
ROLES = (None, *PERMISSIONS)


def _needs(permission: str) -> Access:
    return Access(needs_account=True, permission=permission)


PROMISED = {
    "GET /": ANYBODY,
    "GET /gallery-ratios.css": ANYBODY,
    "GET /health": ANYBODY,
    "GET /labels": ANYBODY,
    "GET /labels/by-code": ANYBODY,
    "GET /labels/suggestions": ANYBODY,
    "GET /labels/<int:label_id>": ANYBODY,
    "GET /labels/<int:label_id>/children": ANYBODY,
    "GET /latest": ANYBODY,
    "GET /latest/batches.geojson": ANYBODY,
    "GET /images": ANYBODY,
    "GET /images/<sha256>": ANYBODY,
    "GET /images/<sha256>/picture.jpg": ANYBODY,
    "GET /images/<sha256>/thumbnail.jpg": ANYBODY,
    "GET /images/<sha256>/report": ANY_ACCOUNT,
    "POST /images/<sha256>/report": ANY_ACCOUNT,
    "GET /selection": ANYBODY,
    "POST /selection/count": ANYBODY,
    "POST /selection/clear": ANYBODY,
    "POST /selection/labels/add": ANYBODY,
    "POST /selection/labels/remove": ANYBODY,
    "POST /selection/pictures/add": ANYBODY,
    "POST /selection/pictures/remove": ANYBODY,
    "POST /selection/pictures/leave-out": ANYBODY,
    "POST /selection/pictures/readmit": ANYBODY,
    "POST /selection/freeze": _needs("freeze"),
    "GET /datasets": ANYBODY,
    "GET /datasets/<int:version_id>": ANYBODY,
    "GET /datasets/<int:version_id>/changes": ANYBODY,
    "GET /datasets/<int:version_id>/pictures": ANYBODY,
    "GET /datasets/<int:version_id>/croissant.json": ANYBODY,
    "GET /datasets/<int:version_id>/download": _needs("download"),
    "GET /datasets/<int:version_id>/exports/<format_name>": _needs("download"),
    "GET /datasets/<int:version_id>/exports/<format_name>/<file_name>": _needs("download"),
    "GET /datasets/links/<token>": ANYBODY,
    "GET /datasets/links/<token>/<format_name>/<file_name>": ANYBODY,
    "POST /datasets/<int:version_id>/train": _needs("train"),
    "POST /runs/<int:run_id>/repeat": _needs("train"),
    "GET /runs/<int:run_id>": _needs("train"),
    "GET /runs/<int:run_id>/progress.json": _needs("train"),
    "POST /runs/<int:run_id>/cancel": _needs("train"),
    "GET /models": ANYBODY,
    "GET /models/compare": ANYBODY,
    "GET /models/<int:model_id>": ANYBODY,
    "GET /models/<int:model_id>/answers": ANYBODY,
    "GET /models/<int:model_id>/card.md": ANYBODY,
    "GET /models/<int:model_id>/report.html": ANYBODY,
    "GET /models/<int:model_id>/report.json": ANYBODY,
    "GET /models/<int:model_id>/report.pdf": ANYBODY,
    "GET /models/<int:model_id>/try": _needs("predict"),
    "POST /models/<int:model_id>/try": _needs("predict"),
    "GET /models/<int:model_id>/files/<model_file>": _needs("predict"),
    "GET /sign-in": ANYBODY,
    "POST /sign-in": ANYBODY,
    "POST /sign-out": ANY_ACCOUNT,
    "GET /sign-up": ANYBODY,
    "POST /sign-up": ANYBODY,
    "GET /forgot-password": ANYBODY,
    "POST /forgot-password": ANYBODY,
    "GET /links/<token>": ANYBODY,
    "POST /links/<token>": ANYBODY,
    "GET /account": ANY_ACCOUNT,
    "POST /account/name": ANY_ACCOUNT,
    "POST /account/password": ANY_ACCOUNT,
    "POST /account/email": ANY_ACCOUNT,
    "POST /account/sign-out-everywhere": ANY_ACCOUNT,
    "POST /account/delete": ANY_ACCOUNT,
    "GET /operations": _needs("operate"),
    "GET /operations/accounts": _needs("operate"),
    "POST /operations/accounts": _needs("operate"),
    "GET /operations/accounts/changes": _needs("operate"),
    "GET /operations/accounts/<int:user_id>": _needs("operate"),
    "POST /operations/accounts/<int:user_id>/role": _needs("operate"),
    "POST /operations/accounts/<int:user_id>/close": _needs("operate"),
    "POST /operations/accounts/<int:user_id>/reopen": _needs("operate"),
    "POST /operations/accounts/<int:user_id>/link": _needs("operate"),
    "POST /operations/accounts/<int:user_id>/delete": _needs("operate"),
    "GET /review": _needs("operate"),
    "POST /review/accept": _needs("operate"),
    "POST /review/relabel": _needs("operate"),
    "POST /review/reject": _needs("operate"),
    "POST /review/undo": _needs("operate"),
    "GET /review/reports": _needs("operate"),
    "POST /review/reports/keep": _needs("operate"),
    "POST /review/reports/doubt": _needs("operate"),
    "POST /review/reports/take-down": _needs("operate"),
    "GET /send": _needs("submit"),
    "POST /send": _needs("submit"),
    "GET /send/<upload_key>": _needs("submit"),
    "POST /send/<upload_key>/finish": _needs("submit"),
    "POST /send/<upload_key>/discard": _needs("submit"),
    "POST /send/<upload_key>/files": _needs("submit"),
    "GET /send/<upload_key>/files/<int:position>": _needs("submit"),
    "GET /send/<upload_key>/files/<int:position>/thumbnail.jpg": _needs("submit"),
    "PATCH /send/<upload_key>/files/<int:position>": _needs("submit"),
    "DELETE /send/<upload_key>/files/<int:position>": _needs("submit"),
    "GET /wanted": ANYBODY,
    "POST /wanted": ANY_ACCOUNT,
    "GET /wanted/mine": ANY_ACCOUNT,
    "POST /wanted/<int:demand_id>/vote": ANY_ACCOUNT,
    "POST /wanted/<int:demand_id>/take-vote-back": ANY_ACCOUNT,
    "POST /wanted/<int:demand_id>/withdraw": ANY_ACCOUNT,
    "POST /wanted/watch": ANY_ACCOUNT,
    "POST /wanted/stop-watching": ANY_ACCOUNT,
    "GET /wanted/new-label": ANY_ACCOUNT,
    "POST /wanted/new-label": ANY_ACCOUNT,
    "GET /wanted/proposals": _needs("operate"),
    "POST /wanted/proposals/<int:proposal_id>/accept": _needs("operate"),
    "POST /wanted/proposals/<int:proposal_id>/merge": _needs("operate"),
    "POST /wanted/proposals/<int:proposal_id>/refuse": _needs("operate"),
    "POST /models/<int:model_id>/demand": ANY_ACCOUNT,
    "POST /datasets/<int:version_id>/demand": ANY_ACCOUNT,
    "GET /batches": ANY_ACCOUNT,
    "GET /batches/<batch_key>": ANY_ACCOUNT,
    "GET /batches/<batch_key>/progress.json": ANY_ACCOUNT,
    "GET /batches/<batch_key>/report.csv": ANY_ACCOUNT,
    "GET /api": ANYBODY,
    "GET /design": ANYBODY,
    "GET /account/tokens": ANY_ACCOUNT,
    "POST /account/tokens": ANY_ACCOUNT,
    "POST /account/tokens/<int:token_id>/revoke": ANY_ACCOUNT,
    "POST /account/tokens/revoke-all": ANY_ACCOUNT,
}
VALUES: dict[str, object] = {
    **dict.fromkeys(("label_id", "version_id", "run_id", "model_id", "demand_id", "proposal_id", "token_id", "user_id"), 1),
    "position": 0,
    "sha256": "0" * 64,
    "format_name": "csv",
    "file_name": "labels.csv",
    "token": "none",
    "model_file": "model.onnx",
    "batch_key": "batch-0",
    "upload_key": "none",
}


def _routes(app) -> dict[str, str]:
    return {
        f"{method} {rule.rule}": rule.endpoint
        for rule in app.url_map.iter_rules()
        # Those of the API are promised and walked in test_api_access.
        if rule.endpoint != "static" and not rule.rule.startswith("/api/v1")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }


def test_every_route_declares_what_is_promised(app) -> None:
    declared = {route: access_of(app.view_functions[endpoint]) for route, endpoint in _routes(app).items()}
    assert declared == PROMISED


@pytest.mark.parametrize("role", ROLES)
def test_every_route_lets_in_exactly_the_roles_it_promises(app, signed_in, role) -> None:
    client = signed_in(role) if role else app.test_client()
    for route, access in PROMISED.items():
        if route == "POST /sign-out":
            continue
        method, _, rule = route.partition(" ")
        path = rule
        for name, value in VALUES.items():
            for form in (f"<int:{name}>", f"<path:{name}>", f"<{name}>"):
                path = path.replace(form, str(value))
        answer = client.open(path, method=method, headers={"Accept": "application/json"})
        # Without a form's token nothing is done; who may not even send it is told so before the token is looked at.
        refusal = answer.json.get("error", {}) if answer.is_json else {}
        is_let_in = not access.needs_account or (role is not None and access.permission in (None, *PERMISSIONS[role]))
        turned_away = answer.status_code == 403 and ("This needs an account" in str(refusal) or "which may not" in str(refusal))
        assert turned_away == (not is_let_in), f"{role} at {route}: {answer.status_code} {refusal}"
        answer.close()


def test_view_that_declares_nothing_is_closed(portal) -> None:
    from webapp import create_app

    app = create_app(hub=portal.hub)
    app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    answer = app.test_client().get("/forgotten")
    assert answer.status_code == 403
    assert "secret" not in answer.text


def test_person_who_must_sign_in_comes_back_to_where_they_went(app, portal, visitor) -> None:
    answer = visitor.get(f"/datasets/{portal.version_id}/download?x=1", headers={"Accept": "text/html"})
    assert answer.status_code == 302
    assert answer.location == f"/sign-in?next=/datasets/{portal.version_id}/download?x%3D1"


def test_page_for_others_says_which_roles_may(signed_in, portal) -> None:
    answer = signed_in("scientist").get(f"/models/{portal.model_id}/try", headers={"Accept": "text/html"})
    assert answer.status_code == 403
    assert "Roles that may: premium, operator" in answer.text


def test_run_of_somebody_else_is_not_shown(signed_in, portal) -> None:
    answer = signed_in("premium").get("/runs/1")
    assert answer.status_code == 403
    assert signed_in("operator").get("/runs/1").status_code == 200
