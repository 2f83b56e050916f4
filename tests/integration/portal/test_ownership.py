"""Every route, of pages and of the API, that names what belongs to somebody: nobody else sees it or does anything to it.

The walk reads the routes from the application. A parameter that is not known here fails it, so that whoever adds a route says
whose its objects are.
"""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import text
from werkzeug.test import TestResponse

from deep_images_hub.catalogue.api_tokens import create_token
from deep_images_hub.catalogue.demands import ask_for
from deep_images_hub.catalogue.training import request_run
from deep_images_hub.catalogue.uploads import add_file, start_upload, upload_by_key
from deep_images_hub.catalogue.users import User, create_user
from deep_images_hub.uploads.upload import NewFile, NewUpload, limits_from_settings
from deep_images_hub.wiring import Hub
from tests.builders import PASSWORD, HubBuilder, photographs
from tests.integration.portal.conftest import HALVES, api_token, token
from webapp import create_app
from webapp.access import access_of

# What names somebody's own, and what names things that are everybody's, or are open to whoever has the link.
OWNED = {"batch_key", "run_id", "upload_key", "position", "demand_id", "token_id", "sha256"}
NOBODYS = {"label_id", "version_id", "model_id", "format_name", "file_name", "model_file", "token"}
# Routes of owned things that others are meant to use.
MEANT_FOR_OTHERS = {
    f"POST {place}/<int:demand_id>/{verb}" for place in ("/wanted", "/api/v1/demands") for verb in ("vote", "take-vote-back")
}
# Not for the owner either: a picture that nobody sees cannot be reported, a file that has not arrived has no thumbnail.
NOT_THERE = {
    "GET /send/<upload_key>/files/<int:position>/thumbnail.jpg",
    "GET /images/<sha256>/report",
    "POST /images/<sha256>/report",
    "GET /api/v1/pictures/<sha256>",
    "POST /api/v1/pictures/<sha256>/reports",
}
# Done last, since nothing can be done to it afterwards.
ENDS = ("cancel", "finish", "leave-out", "discard", "withdraw", "revoke", "DELETE")
SECRETS = ("treasure", "my-secret-file", "of my own")
STATE = """
    select (select array_agg(status order by id) from training_runs), (select array_agg(id order by id) from uploads),
        (select count(*) from upload_files), (select array_agg(status order by id) from demands),
        (select array_agg(revoked_at order by id) from api_tokens where name = 'of my own'),
        (select count(*) from picture_reports), (select count(*) from submissions)
"""


@dataclass
class Estate:
    """A hub in which one of two people with the same role owns one thing of each kind."""

    hub: Hub
    app: Flask
    owner: User
    neighbour: User
    values: dict[str, object] = field(default_factory=dict)

    def client(self, user: User | None) -> FlaskClient:
        client = self.app.test_client()
        if user is not None:
            form = {"email": user.email, "password": PASSWORD, "csrf_token": token(client, "/sign-in")}
            assert client.post("/sign-in", data=form).status_code == 302
        return client

    def state(self) -> tuple[object, ...]:
        with self.hub.engine.connect() as connection:
            return tuple(connection.execute(text(STATE)).one())

    def routes(self) -> Iterator[tuple[str, str, set[str]]]:
        """Yield the name, path and parameters of each route that operators share with others."""
        for rule in self.app.url_map.iter_rules():
            access = access_of(self.app.view_functions[rule.endpoint])
            if rule.arguments and rule.endpoint != "static" and (access is None or access.permission != "operate"):
                path = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(self.values.get(found[1], "none")), rule.rule)
                for method in rule.methods - {"HEAD", "OPTIONS"}:
                    yield f"{method} {rule.rule}", path, set(rule.arguments)

    def walk(self, user: User | None) -> Iterator[tuple[str, TestResponse]]:
        """Yield the answer to every route of owned things, in an order in which those come last that end something."""
        client = self.client(user)
        page = {"X-CSRFToken": token(client, "/sign-in"), "Accept": "application/json"}
        program = {"Authorization": f"Bearer {api_token(self.hub, user)}"} if user else {}
        routes = [(name, path) for name, path, parameters in self.routes() if parameters & OWNED and name not in MEANT_FOR_OTHERS]
        for name, path in sorted(routes, key=lambda route: (any(end in route[0] for end in ENDS), route[0])):
            is_api, method = path.startswith("/api/"), name.partition(" ")[0]
            asking = self.app.test_client() if is_api else client
            # A page that was moved is followed: what counts is what is seen in the end.
            given = {**form_of(name), "follow_redirects": method == "GET"}
            given["headers"] = {**(program if is_api else page), **given.get("headers", {})}
            answer = asking.open(path, method=method, **given)
            yield name, answer
            answer.close()


def form_of(name: str) -> dict[str, Any]:
    """Return what a route wants to be sent, so that it is refused for nothing else."""
    if name.startswith("POST /api/") and name.endswith("/reports"):
        return {"json": {"reason": "other"}}
    if name.startswith("POST /api/") and name.endswith("/files"):
        return {"json": {"filename": "a.jpg", "size_bytes": 6}}
    if name.startswith("POST /api/") and name.endswith("/parts"):
        return {"headers": {"Content-Type": "application/octet-stream"}, "data": b"a part", "query_string": {"offset": "0"}}
    if "<upload_key>/files" in name and not name.startswith("GET"):
        # As the tus protocol has it: a length and a name for a new file, a place for the next part of one.
        tus = {"Upload-Length": "6", "Upload-Metadata": "filename YS5qcGc=", "Upload-Offset": "0"}
        part = {**tus, "Content-Type": "application/offset+octet-stream"}
        return {"headers": part, "data": b"a part"}
    return {"json": {}} if name.startswith("POST /api/") else {}


def dull_photograph() -> bytes:
    """Return a picture that decodes and is refused: nobody but its sender may see it."""
    body = io.BytesIO()
    Image.new("RGB", (96, 72), (120, 121, 122)).save(body, "PNG")
    return body.getvalue()


@pytest.fixture(scope="module")
def estate(hub_of) -> Iterator[Estate]:
    with hub_of() as hub:
        builder = HubBuilder(hub)
        builder.labels({"/m/apple": "Apple", "/m/hk": "Hell's Kitchen"})
        for code in ("/m/apple", "/m/hk"):
            builder.batch(f"public-{code[3:]}", code, photographs(3, seed=code))
            builder.batch(f"other-{code[3:]}", code, photographs(3, seed=f"other {code}"))
        version = builder.version("/m/apple", name="Apples", fractions=HALVES)
        with hub.engine.begin() as connection:
            owner, neighbour = (
                create_user(connection, email=f"{name}@example.org", display_name=name, role="premium", password=PASSWORD)
                for name in ("Owner", "Neighbour")
            )
        builder.batch("treasure", "/m/apple", [dull_photograph()], email=owner.email, supplier=owner.display_name)
        estate = Estate(hub, create_app(hub=hub), owner, neighbour)
        with hub.engine.begin() as connection:
            label_id = builder.label("/m/hk").id
            key = start_upload(connection, supplier_id=owner.id, new=NewUpload(label_id=label_id, licence="by"))
            upload = upload_by_key(connection, key=key, supplier_id=owner.id)
            add_file(
                connection, upload=upload, new=NewFile("my-secret-file.jpg", 1000), limits=limits_from_settings(hub.settings)
            )
            run = request_run(connection, version_id=version.id, requested_by=owner.id, backbone="compact_vgg", workers=1)
            asked = ask_for(connection, label_id=label_id, user_id=owner.id, target_images=500)
            kept, _ = create_token(connection, user=owner, name="of my own", scopes=["read"], lifetime_days=7)
            sha256 = connection.scalar(
                text("select sha256 from images where not exists (select from image_labels where image_id = images.id)")
            )
        assert sha256, "the refused picture is in the store, without a label"
        estate.values = {
            "batch_key": "treasure",
            "run_id": run.id,
            "upload_key": key,
            "position": 0,
            "demand_id": asked.demand_id,
            "token_id": kept.id,
            "sha256": sha256,
        }
        yield estate


def test_every_parameter_of_a_route_is_said_to_be_somebodys_or_nobodys(estate) -> None:
    found = {name for _, _, parameters in estate.routes() for name in parameters}
    assert found - OWNED - NOBODYS == set(), "Say above whose these are. What is somebody's gets one in the estate."
    assert found >= OWNED | NOBODYS, "No route has these any more."
    assert set(estate.values) == OWNED
    assert {name for name, _, _ in estate.routes()} >= MEANT_FOR_OTHERS


@pytest.mark.parametrize("who", ["a neighbour", "a visitor"])
def test_nobody_reaches_what_is_somebody_elses(estate, who) -> None:
    before = estate.state()
    walked = 0
    for name, answer in estate.walk(estate.neighbour if who == "a neighbour" else None):
        shown = answer.text
        assert answer.status_code in (401, 403, 404), f"{name}: {answer.status_code} {shown[:300]}"
        said = shown.replace(f"'{estate.values['batch_key']}'", "")
        assert not any(secret in said for secret in SECRETS), f"{name}: {said[:300]}"
        walked += 1
    assert walked >= 20
    assert estate.state() == before


def test_selection_is_that_of_one_browser(estate) -> None:
    owner, neighbour = estate.client(estate.owner), estate.client(estate.neighbour)
    form = {"label_code": "/m/hk", "csrf_token": token(owner, "/sign-in")}
    assert owner.post("/selection/labels/add", data=form).status_code == 302
    assert "Hell&#39;s Kitchen" in owner.get("/selection").text
    assert "Hell&#39;s Kitchen" not in neighbour.get("/selection").text
    # Who signs in on the same browser after somebody signed out finds nothing of theirs.
    owner.post("/sign-out", data={"csrf_token": token(owner, "/selection")})
    assert "Hell&#39;s Kitchen" not in owner.get("/selection").text


def test_owner_is_let_in_everywhere_where_others_were_turned_away(estate) -> None:
    """Proves that the walk above is turned away from what is there. Runs last: it ends things."""
    for name, answer in estate.walk(estate.owner):
        # What ends something finds nothing where a route before it, of pages or of the API, has ended the same already.
        refusals = (401, 403) if name in NOT_THERE or any(end in name for end in ENDS) else (401, 403, 404)
        assert answer.status_code not in refusals, f"{name}: {answer.status_code} {answer.text[:300]}"
        assert answer.status_code < 500, f"{name}: {answer.status_code}"
    runs, uploads, _, demands, revoked, *_ = estate.state()
    assert (runs, uploads, demands) == (["cancelled"], None, ["withdrawn"])
    assert revoked != [None]
