"""What the tests share: one PostgreSQL for the whole run, and a catalogue of their own, freshly migrated, for whoever asks.

    hub            an open hub with an empty catalogue and an empty folder store, for one test
    hub_of         makes more of them, or one for a whole module:  `with hub_of(training_workers=1) as hub: ...`
    settings       what `hub` is opened from, for tests of commands
    spark          a local Spark session of two cores, for the whole run
    database_url   a migrated catalogue alone; `empty_database_url`: one that was never migrated
    swift          a real S3 service for the whole run: `swift.new_bucket()`, `swift.settings("s3://bucket")`, `swift.client()`

The services are the real ones. One that cannot be started fails the tests that asked for it. Drivers are imported by the
fixtures that need them, so that unit tests start at once.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import hypothesis
import pytest
from pydantic import SecretStr

from deep_images_hub.settings import Settings, load_settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from deep_images_hub.runtime.postgres import EmbeddedPostgres
    from deep_images_hub.wiring import Hub
    from tests.swift_server import SwiftServer

    HubOf = Callable[..., AbstractContextManager[Hub]]


def pytest_configure() -> None:
    """Forget the settings of whoever runs the tests, for this process and its children."""
    for name in list(os.environ):
        if name.startswith("HUB_") and not name.startswith("HUB_TEST_"):
            del os.environ[name]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest file: at the end, the other process would wait for it with nothing left to do."""
    items.sort(key=lambda item: item.path.name != "test_standalone_cluster.py")


# Without a deadline, which a busy machine breaks; without a folder of examples in the checkout.
hypothesis.settings.register_profile("hub", deadline=None, max_examples=50, database=None)
hypothesis.settings.load_profile("hub")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    from deep_images_hub.runtime.postgres import EmbeddedPostgres

    server = EmbeddedPostgres(tmp_path_factory.mktemp("home") / "postgres")
    server.start()
    # Nothing here has to survive a power failure; waiting for the disk would be most of the time of these tests.
    _execute(server.url, "alter system set fsync = off", "select pg_reload_conf()")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def quick_passwords() -> Iterator[None]:
    """Hash passwords with the least work that Argon2 takes: what makes guessing slow makes hundreds of sign-ins slow."""
    from argon2 import PasswordHasher

    from deep_images_hub import passwords

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield


@pytest.fixture(scope="session")
def migrated_database(postgres: EmbeddedPostgres, quick_passwords: None) -> str:
    """Name a database to copy: CREATE DATABASE ... TEMPLATE is far quicker than a migration."""
    from deep_images_hub.catalogue.migrations import migrate

    name = "migrated"
    _execute(postgres.url, f"create database {name}")
    migrate(load_settings({"database_url": SecretStr(_url_of(postgres, name))}))
    return name


@pytest.fixture
def database_url(postgres: EmbeddedPostgres, migrated_database: str) -> Iterator[str]:
    with _database(postgres, template=migrated_database) as url:
        yield url


@pytest.fixture
def empty_database_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    with _database(postgres, template="template0") as url:
        yield url


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return load_settings({"home": tmp_path / "home", "database_url": SecretStr(database_url)})


@pytest.fixture
def hub(settings: Settings) -> Iterator[Hub]:
    from deep_images_hub.wiring import open_hub

    hub = open_hub(settings)
    yield hub
    hub.engine.dispose()


@pytest.fixture(scope="session")
def hub_of(postgres: EmbeddedPostgres, migrated_database: str, tmp_path_factory: pytest.TempPathFactory) -> HubOf:
    """Give a way to open a hub of one's own, with an empty catalogue and store, from the settings given by name."""
    from deep_images_hub.wiring import open_hub

    @contextmanager
    def open_one(**given: object) -> Iterator[Hub]:
        with _database(postgres, template=migrated_database) as url:
            home = tmp_path_factory.mktemp("home")
            hub = open_hub(load_settings({"home": home, "database_url": SecretStr(url), **given}))
            yield hub
            hub.engine.dispose()

    return open_one


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    from pyspark.sql import SparkSession

    from deep_images_hub.runtime.spark_submit import spark_environment

    master = "local[2]"
    environment = spark_environment(load_settings({"home": tmp_path_factory.mktemp("home")}), master)
    environment["SPARK_LOCAL_DIRS"] = str(tmp_path_factory.mktemp("spark"))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            if not name.startswith("HUB_"):
                patch.setenv(name, value)
        builder = SparkSession.builder.master(master).appName("tests")
        session = builder.config("spark.scheduler.barrier.maxConcurrentTasksCheck.maxFailures", "1").getOrCreate()
        yield session
        session.stop()


@pytest.fixture(scope="session")
def swift(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SwiftServer]:
    from tests.swift_server import SwiftServer

    with SwiftServer(tmp_path_factory.mktemp("swift")) as server:
        yield server


@contextmanager
def _database(server: EmbeddedPostgres, *, template: str) -> Iterator[str]:
    name = f"test_{secrets.token_hex(6)}"
    _execute(server.url, f"create database {name} template {template}")
    yield _url_of(server, name)
    _execute(server.url, f"drop database {name} with (force)")


def _url_of(server: EmbeddedPostgres, database: str) -> str:
    return urlsplit(server.url)._replace(path=f"/{database}").geturl()


def _execute(url: str, *statements: str) -> None:
    import psycopg2

    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        for statement in statements:
            cursor.execute(statement)
