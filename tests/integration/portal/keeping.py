"""A hub whose downloads are kept, for tests that look at what lies in the store."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.wsgi import FileWrapper

from deep_images_hub.catalogue.images import image_by_sha256
from deep_images_hub.catalogue.picture_reports import report_picture
from deep_images_hub.datasets.keeping import KeptFiles, open_kept_files
from tests.builders import PASSWORD, photographs
from tests.integration.portal.conftest import HALVES, PortalHub, send
from webapp import create_app

# A server that can hand a file to the system says so.
BY_SYSTEM = {"wsgi.file_wrapper": FileWrapper}


class KeepingHub(PortalHub):
    """A hub with a dataset of twelve pictures, and clients that are signed in to it."""

    app: Flask

    def ready(self) -> "KeepingHub":
        self.labels({"/m/food": "Food", "/m/apple": "Apple"}, under={"/m/apple": "/m/food"})
        for role in ("supplier", "scientist", "operator"):
            self.user(role)
        email = self.users["supplier"].email
        self.images = {"/m/apple": []}
        for number in range(3):
            bodies = photographs(4, seed=f"kept {number}")
            self.images["/m/apple"] += self.batch(f"b{number}", "/m/apple", bodies, email=email, licence="by", hours=number)
        self.version_id = self.version("/m/food", name="Food", fractions=HALVES).id
        self.app = create_app(hub=self.hub)
        self.app.config["TESTING"] = True
        return self

    def client(self, role: str = "scientist") -> FlaskClient:
        client = self.app.test_client()
        assert send(client, "/sign-in", email=self.users[role].email, password=PASSWORD).status_code == 302
        return client

    def address(self, format_name: str, name: str) -> str:
        return f"/datasets/{self.version_id}/exports/{format_name}/{name}"

    def names(self, client: FlaskClient, format_name: str) -> list[str]:
        """Return the files of a format that are about pictures."""
        return [file["name"] for file in client.get(self.address(format_name, "manifest.json")).json["files"] if file["images"]]

    def rows(self, what: str = "object_key", where: str = "kept_at is not null and not is_forgotten") -> list:
        with self.hub.engine.connect() as connection:
            return list(connection.execute(text(f"select {what} from kept_files where {where} order by id")).scalars())

    def objects(self) -> list[str]:
        return [found.key for found in self.hub.store.list("exports/")]

    @property
    def kept(self) -> KeptFiles:
        return open_kept_files(self.hub.engine, self.hub.store, self.hub.settings)

    def take_down(self, sha256: str) -> None:
        with self.hub.engine.begin() as connection:
            image_id = image_by_sha256(connection, sha256).image_id
            report_picture(connection, image_id=image_id, user_id=self.users["scientist"].id, reason="people", note="")
        assert send(self.client("operator"), "/review/reports/take-down", sha256=sha256).status_code == 302

    @contextmanager
    def keeping_nothing(self) -> Iterator[None]:
        """Let no file be kept meanwhile."""
        services = self.app.extensions["services"]
        kept, services.kept = services.kept, KeptFiles(self.hub.engine, self.hub.store, 0)
        yield
        services.kept = kept

    @contextmanager
    def without_pictures(self) -> Iterator[None]:
        """Let nothing be put together meanwhile: the store has no picture."""
        keys = [found.key for found in self.hub.store.list("images/")]
        for key in keys:
            self.hub.store.copy(key, f"elsewhere/{key}")
            self.hub.store.delete(key)
        yield
        for key in keys:
            self.hub.store.copy(f"elsewhere/{key}", key)
            self.hub.store.delete(f"elsewhere/{key}")


def fetched(client: FlaskClient, address: str, **given):
    """Ask for a file, and take all that comes."""
    return client.get(address, buffered=True, **given)
