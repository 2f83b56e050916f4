"""Every operation of the API with every role and every scope; tokens from their making to their end; objects of somebody else."""

import re
from datetime import UTC, datetime, timedelta
from secrets import token_hex

import pytest
from sqlalchemy import text

from deep_images_hub.accounts import PERMISSIONS
from deep_images_hub.api_tokens import MAX_TOKENS, SCOPES, scopes_of_role
from deep_images_hub.catalogue.api_tokens import create_token, tokens_of
from deep_images_hub.catalogue.users import User, create_user, user_by_email
from deep_images_hub.errors import ConflictError
from tests.integration.portal.conftest import ApiClient, api_token, send, token
from webapp.api.operations import api

# What each operation asks a token to be for; None: nobody need show one.
PROMISED = {
    "GET /hub": None,
    "GET /account": "read",
    "GET /account/tokens": "read",
    "POST /account/tokens/revoke-this": "read",
    "GET /account/record": "read",
    "GET /labels": None,
    "GET /labels/search": None,
    "GET /labels/by-code": None,
    "GET /labels/by-count": None,
    "GET /labels/{label_id}": None,
    "GET /pictures": None,
    "GET /pictures/counts": None,
    "GET /pictures/{sha256}": None,
    "GET /pictures/{sha256}/picture.jpg": None,
    "GET /pictures/{sha256}/thumbnail.jpg": None,
    "POST /pictures/{sha256}/reports": "report",
    "GET /places": None,
    "GET /latest-batches": None,
    "GET /latest-batches.geojson": None,
    "GET /batches": "read",
    "GET /batches/{batch_key}": "read",
    "GET /batches/{batch_key}/files": "read",
    "GET /batches/{batch_key}/report.csv": "read",
    "GET /refused-deliveries": "read",
    "GET /uploads": "submit",
    "POST /uploads": "submit",
    "GET /uploads/{upload_key}": "submit",
    "POST /uploads/{upload_key}/files": "submit",
    "GET /uploads/{upload_key}/files/{position}": "submit",
    "POST /uploads/{upload_key}/files/{position}/parts": "submit",
    "POST /uploads/{upload_key}/files/{position}/leave-out": "submit",
    "POST /uploads/{upload_key}/finish": "submit",
    "POST /uploads/{upload_key}/discard": "submit",
    "POST /recipes/preview": None,
    "POST /versions": "freeze",
    "GET /versions": None,
    "GET /versions/by-digest": None,
    "GET /versions/{version_id}": None,
    "GET /versions/{version_id}/croissant": None,
    "GET /versions/{version_id}/pictures": "download",
    "GET /versions/{version_id}/changes": None,
    "GET /export-formats": None,
    "GET /versions/{version_id}/exports/{format_name}": "download",
    "GET /versions/{version_id}/exports/{format_name}/{file_name}": "download",
    "POST /versions/{version_id}/runs": "train",
    "GET /runs": "train",
    "GET /runs/{run_id}": "train",
    "POST /runs/{run_id}/cancel": "train",
    "POST /runs/{run_id}/repeat": "train",
    "GET /models": None,
    "GET /models/comparison": None,
    "GET /models/{model_id}": None,
    "GET /models/{model_id}/report": None,
    "GET /models/{model_id}/report.html": None,
    "GET /models/{model_id}/report.pdf": None,
    "GET /models/{model_id}/card.md": None,
    "GET /models/{model_id}/answers": None,
    "GET /models/{model_id}/files/{model_file}": "predict",
    "POST /models/{model_id}/predictions": "predict",
    "GET /demands": None,
    "POST /demands": "report",
    "GET /demands/mine": "read",
    "POST /demands/{demand_id}/vote": "report",
    "POST /demands/{demand_id}/take-vote-back": "report",
    "POST /demands/{demand_id}/withdraw": "report",
    "POST /models/{model_id}/demands": "report",
    "POST /versions/{version_id}/demands": "report",
    "GET /labels/watched": "read",
    "POST /labels/{label_id}/watch": "report",
    "POST /labels/{label_id}/stop-watching": "report",
    "POST /label-proposals": "report",
    "GET /label-proposals/mine": "read",
    "GET /label-proposals": "operate",
    "POST /label-proposals/{proposal_id}/accept": "operate",
    "POST /label-proposals/{proposal_id}/merge": "operate",
    "POST /label-proposals/{proposal_id}/refuse": "operate",
    "GET /operations/batches": "operate",
    "GET /operations/funnel": "operate",
    "GET /operations/runs": "operate",
    "GET /operations/accounts": "operate",
    "POST /operations/accounts": "operate",
    "GET /operations/account-changes": "operate",
    "GET /operations/accounts/{user_id}": "operate",
    "POST /operations/accounts/{user_id}/role": "operate",
    "POST /operations/accounts/{user_id}/close": "operate",
    "POST /operations/accounts/{user_id}/reopen": "operate",
    "POST /operations/accounts/{user_id}/link": "operate",
    "POST /operations/accounts/{user_id}/delete": "operate",
    "GET /reviews": "operate",
    "POST /reviews/{submission_id}/accept": "operate",
    "POST /reviews/{submission_id}/relabel": "operate",
    "POST /reviews/{submission_id}/reject": "operate",
    "POST /decisions/{change_id}/undo": "operate",
    "GET /reports": "operate",
    "POST /reports/{sha256}/keep": "operate",
    "POST /reports/{sha256}/doubt": "operate",
    "POST /reports/{sha256}/take-down": "operate",
}
# Nothing has these numbers and names, so that a walk changes nothing.
VALUES = {
    "sha256": "0" * 64,
    "batch_key": "none",
    "upload_key": "none",
    "position": 0,
    "format_name": "none",
    "file_name": "none",
    "model_file": "model.none",
}


def test_every_operation_asks_for_what_is_promised() -> None:
    found = {f"{of.method} {of.path}": of.access.token_scope if of.access.needs_account else None for of in api.operations}
    assert found == PROMISED


def test_every_route_under_the_api_is_an_operation(app) -> None:
    routes = {
        f"{method} {rule.rule.replace('<int:', '<').replace('<', '{').replace('>', '}').removeprefix('/api/v1')}"
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/v1")
    }
    assert routes - {"GET /openapi.json"} == set(PROMISED)


@pytest.mark.parametrize(
    ("role", "scopes"),
    [(None, ()), *((role, ()) for role in PERMISSIONS), *(("operator", (scope,)) for scope in SCOPES)],
    ids=str,
)
def test_every_operation_lets_in_exactly_whom_it_promises(api_as, role, scopes) -> None:
    client = api_as(role, *scopes)
    allowed = set(scopes or (scopes_of_role(role) if role else ()))
    for operation, scope in PROMISED.items():
        if operation == "POST /account/tokens/revoke-this" and scope in allowed:
            continue
        method, _, path = operation.partition(" ")
        answer = client.open(method, path.format_map({**dict.fromkeys(re.findall(r"{(\w+_id)}", path), 999_999), **VALUES}))
        code = answer.json["code"] if answer.content_type == "application/problem+json" else None
        refusals = {"token_required", "insufficient_scope", "forbidden"}
        assert (code in refusals) == (scope is not None and scope not in allowed), f"{operation}: {answer.text[:200]}"
        assert answer.status_code < 500
        answer.close()


def test_token_is_shown_once_and_good_until_it_is_revoked(app, signed_in, portal) -> None:
    client = signed_in("scientist")
    made = client.post(
        "/account/tokens",
        data={"name": "Nightly  export", "scopes": ["read"], "days": "30", "csrf_token": token(client, "/account/tokens")},
    )
    assert (made.status_code, made.headers["Cache-Control"]) == (201, "no-store")
    shown = re.search(r'value="(dih_[\w-]{43})"', made.text)[1]
    page = client.get("/account/tokens").text
    assert shown not in page
    assert "Nightly export" in page

    program = ApiClient(app, shown)
    account = program.get("/account").json
    assert (account["role"], account["token"]["scopes"]) == ("scientist", ["read"])
    with portal.hub.engine.connect() as connection:
        kept = next(of for of in tokens_of(connection, user_id=portal.users["scientist"].id) if of.name == "Nightly export")
        assert connection.scalar(text("select count(*) from api_tokens where token_hash like '%dih_%'")) == 0
    assert kept.last_used_at is not None
    assert send(signed_in("premium"), f"/account/tokens/{kept.id}/revoke").status_code == 404
    assert program.get("/account").status_code == 200
    assert send(client, f"/account/tokens/{kept.id}/revoke").status_code == 302
    answer = program.get("/account")
    assert (answer.status_code, answer.json["code"]) == (401, "invalid_token")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"name": "", "scopes": ["read"]}, "1 to 80"),
        ({"name": "x", "scopes": []}, "no scope"),
        ({"name": "x", "scopes": ["operate"]}, "has the role scientist, which cannot"),
        ({"name": "x", "scopes": ["everything"]}, "is not a scope"),
        ({"name": "x", "scopes": ["read"], "days": "31"}, "31 days"),
    ],
)
def test_token_that_cannot_be_is_refused_and_said_why(signed_in, fields, problem) -> None:
    answer = send(signed_in("scientist"), "/account/tokens", **fields)
    assert answer.status_code == 400
    assert problem in answer.text


def _account(portal, role: str) -> User:
    with portal.hub.engine.begin() as connection:
        return create_user(connection, email=f"{token_hex(4)}@example.org", display_name="Soon Gone", role=role)


def test_token_ends_with_its_time_its_account_and_its_role(app, portal) -> None:
    user = _account(portal, "operator")
    program = ApiClient(app, api_token(portal.hub, user))
    for change, code in (
        ("update users set role = 'supplier'", "forbidden"),
        ("update users set is_active = false", "invalid_token"),
        ("update users set is_active = true, role = 'operator'", None),
    ):
        with portal.hub.engine.begin() as connection:
            connection.execute(text(f"{change} where id = :id"), {"id": user.id})
        assert program.get("/operations/funnel").json.get("code") == code
    with portal.hub.engine.begin() as connection:
        past = datetime.now(UTC) - timedelta(days=1)
        connection.execute(
            text("update api_tokens set created_at = :made, expires_at = :past where user_id = :id"),
            {"made": past - timedelta(days=7), "past": past, "id": user.id},
        )
    answer = program.get("/labels")
    assert (answer.status_code, answer.json["code"]) == (401, "invalid_token")
    assert "was good until" in answer.json["detail"]


def test_account_has_no_more_tokens_than_it_may(portal) -> None:
    user = _account(portal, "supplier")
    with portal.hub.engine.begin() as connection:
        for number in range(MAX_TOKENS):
            create_token(connection, user=user, name=str(number), scopes=["read"], lifetime_days=None)
        with pytest.raises(ConflictError, match="Revoke one"):
            create_token(connection, user=user, name="more", scopes=["read"], lifetime_days=None)


def test_session_counts_for_nothing_in_the_api_and_a_token_for_nothing_in_pages(api_as, signed_in) -> None:
    session = signed_in("operator")
    assert session.get("/api/v1/operations/funnel").status_code == 401
    answer = session.post("/api/v1/recipes/preview", json={"label_codes": ["/m/apple"]})
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    operator = api_as("operator")
    shown = {"Authorization": f"Bearer {operator.token}", "Accept": "application/json"}
    assert operator.open("GET", "http://localhost/operations", headers=shown).status_code == 403


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "Bearer dih_short", "Bearer dih_" + "A" * 43, "dih_" + "A" * 43])
def test_what_is_no_token_is_refused_also_where_none_is_needed(api_as, header) -> None:
    answer = api_as(None).get("/labels", headers={"Authorization": header})
    assert (answer.status_code, answer.json["code"]) == (401, "invalid_token")


def test_batches_of_somebody_else_do_not_exist(app, api_as, portal) -> None:
    supplier = api_as("supplier")
    assert supplier.get("/batches").json == {"batches": [], "next": None}
    for path in ("", "/files", "/report.csv"):
        answer = supplier.get(f"/batches/batch-0{path}")
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")
        assert api_as("operator").get(f"/batches/batch-0{path}").status_code == 200
    # An operator's token that is only for reading is no operator's.
    assert api_as("operator", "read").get("/batches/batch-0").status_code == 404


def test_training_of_somebody_else_cannot_be_followed_or_stopped(api_as) -> None:
    premium = api_as("premium")
    assert 1 not in [run["id"] for run in premium.get("/runs").json["runs"]]
    assert premium.get("/runs/1").status_code == 403
    assert premium.post("/runs/1/cancel").status_code == 403
    assert api_as("operator").get("/runs/1").json["status"] == "succeeded"


def test_picture_that_left_is_there_for_its_supplier_and_operators_alone(app, api_as, portal) -> None:
    with portal.hub.engine.connect() as connection:
        sha256, supplier_email = connection.execute(
            text(
                "select images.sha256, users.email from images join submissions on submissions.image_id = images.id"
                " join batches on batches.id = submissions.batch_id join users on users.id = batches.supplier_id"
                " where batches.key = 'batch-5' order by submissions.position limit 1"
            )
        ).one()
    with portal.hub.engine.begin() as connection:
        connection.execute(
            text("update image_labels set is_current = false where image_id = (select id from images where sha256 = :sha256)"),
            {"sha256": sha256},
        )
        sender = user_by_email(connection, supplier_email)
    try:
        for path in (f"/pictures/{sha256}", f"/pictures/{sha256}/picture.jpg"):
            assert api_as(None).get(path).status_code == 404
            assert api_as("supplier").get(path).status_code == 404
            assert api_as("operator", "read").get(path).status_code == 404
            seen = api_as("operator").get(path)
            assert (seen.status_code, "no-store" in seen.headers["Cache-Control"]) == (200, path.endswith(".jpg"))
            assert ApiClient(app, api_token(portal.hub, sender, "read")).get(path).status_code == 200
            # A token that is not for reading sees what everybody sees.
            assert ApiClient(app, api_token(portal.hub, sender, "report")).get(path).status_code == 404
        assert api_as("supplier").post(f"/pictures/{sha256}/reports", {"reason": "other"}).status_code == 404
    finally:
        with portal.hub.engine.begin() as connection:
            connection.execute(
                text("update image_labels set is_current = true where image_id = (select id from images where sha256 = :sha256)"),
                {"sha256": sha256},
            )
