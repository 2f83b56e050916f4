import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from pydantic import SecretStr
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import IntegrityError

from deep_images_hub.catalogue.engine import connect_engine, copy_rows, open_engine
from deep_images_hub.catalogue.migrations import migrate
from deep_images_hub.catalogue.revision import HEAD_REVISION, current_revision
from deep_images_hub.catalogue.tables import metadata
from deep_images_hub.errors import SettingsError, UnavailableError
from deep_images_hub.resources import resource
from deep_images_hub.settings import Settings, load_settings

# What PostgreSQL itself says of a schema: alembic compares columns and indexes, but neither checks nor comments.
SCHEMA = text("""
    select 'column' as kind, format('%s.%s', table_name, column_name) as name,
        concat_ws(' ', udt_name, is_nullable, column_default, is_identity, identity_generation,
            col_description(format('%I.%I', table_schema, table_name)::regclass, ordinal_position)) as definition
    from information_schema.columns where table_schema = :schema and table_name <> 'alembic_version'
    union all
    select 'constraint', format('%s.%s', conrelid::regclass, conname), pg_get_constraintdef(pg_constraint.oid)
    from pg_constraint where connamespace = (:schema)::regnamespace and conrelid::regclass::text <> 'alembic_version'
    union all
    select 'index', indexname, indexdef from pg_indexes where schemaname = :schema and tablename <> 'alembic_version'
""")


def settings_of(url: str) -> Settings:
    return load_settings({"database_url": SecretStr(url)})


def schema_of(connection: Connection, name: str) -> set[tuple[str, str, str]]:
    connection.execute(text(f"set local search_path = {name}, public"))
    rows = connection.execute(SCHEMA, {"schema": name})
    return {tuple(str(value).replace(f"{name}.", "") for value in row) for row in rows}  # type: ignore[misc]


def test_migrations_from_empty_and_tables_are_the_same_schema(empty_database_url: str) -> None:
    settings = settings_of(empty_database_url)
    assert migrate(settings) == HEAD_REVISION
    engine = open_engine(settings)
    with engine.begin() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        migrated = schema_of(connection, "public")
        connection.execute(text("create schema declared"))
        connection.execute(text("set local search_path = declared, public"))
        metadata.create_all(connection, checkfirst=False)
        declared = schema_of(connection, "declared")
    engine.dispose()

    assert len(migrated) > 300
    assert migrated == declared


def test_migrations_head_is_the_one_that_the_code_asks_for() -> None:
    config = Config()
    config.set_main_option("script_location", str(resource("sql/migrations")))

    assert ScriptDirectory.from_config(config).get_heads() == [HEAD_REVISION]


def test_migrate_by_several_at_once_and_again_leaves_one_schema(empty_database_url: str) -> None:
    settings = settings_of(empty_database_url)
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(migrate(settings))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [*found, migrate(settings)] == [HEAD_REVISION] * 5


def test_open_engine_on_an_empty_catalogue_names_the_command_that_helps(empty_database_url: str) -> None:
    with pytest.raises(UnavailableError, match=r"empty.*scripts/migrate"):
        open_engine(settings_of(empty_database_url))


def test_open_engine_on_another_revision_says_both(database_url: str) -> None:
    settings = settings_of(database_url)
    engine = connect_engine(settings, statement_timeout_s=5)
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
        assert current_revision(connection) == "9999"
    engine.dispose()

    with pytest.raises(UnavailableError, match=f"revision 9999.*{HEAD_REVISION}"):
        open_engine(settings)


@pytest.mark.parametrize(
    ("url", "error", "message"),
    [
        ("postgresql://nobody:hush@127.0.0.1:1/hub", UnavailableError, "cannot be reached.*HUB_DATABASE_URL"),
        ("mysql://nobody:hush@127.0.0.1/hub", SettingsError, "starts with 'mysql'"),
        ("nonsense", SettingsError, "not an address"),
    ],
)
def test_open_engine_on_a_wrong_address_says_what_to_do_and_no_secret(url: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        open_engine(settings_of(url))
    assert "hush" not in str(caught.value)


def test_open_engine_without_an_address_says_what_to_do() -> None:
    with pytest.raises(SettingsError, match="HUB_DATABASE_URL"):
        open_engine(load_settings())


def test_connection_of_the_engine_is_in_utc_and_under_timeouts(connection: Connection) -> None:
    shown = [connection.scalar(text(f"show {name}")) for name in ("timezone", "lock_timeout", "statement_timeout")]

    assert shown == ["UTC", "30s", "2min"]


def test_statement_that_takes_too_long_is_unavailable(shared_engine: Engine) -> None:
    with shared_engine.connect() as connection:
        connection.execute(text("set local statement_timeout = '20ms'"))
        with pytest.raises(UnavailableError, match="was stopped after"):
            connection.execute(text("select pg_sleep(5)"))


def test_connection_that_was_cut_is_unavailable_and_the_next_one_works(shared_engine: Engine) -> None:
    with shared_engine.connect() as connection:
        pid = connection.scalar(text("select pg_backend_pid()"))
        with shared_engine.connect() as other:
            other.execute(text("select pg_terminate_backend(:pid)"), {"pid": pid})
        with pytest.raises(UnavailableError, match="cannot be reached"):
            connection.execute(text("select 1"))
    with shared_engine.connect() as connection:
        assert connection.scalar(text("select 1")) == 1


ODD_TEXTS = ["plain", "", "Hell's", 'a "b"', "back\\slash", "\\N", "\\.", "tab\tnew\nline\rreturn", "%s :x $1", "ß 漢 🍎"]


def test_copy_rows_with_odd_texts_and_nulls_keeps_them_apart(connection: Connection) -> None:
    connection.execute(text("create temporary table odd (position integer, value text, score real, told timestamptz)"))

    sent = copy_rows(
        connection, "odd", ("position", "value", "score"), ((at, value, None) for at, value in enumerate([*ODD_TEXTS, None]))
    )

    assert sent == len(ODD_TEXTS) + 1
    rows = connection.execute(text("select value, score, told from odd order by position")).all()
    assert [row.value for row in rows] == [*ODD_TEXTS, None]
    assert {row.score for row in rows} == {None}


def test_copy_rows_of_many_blocks_sends_each_once(connection: Connection) -> None:
    connection.execute(text("create temporary table long (position integer, value text)"))

    copy_rows(connection, "long", ("position", "value"), ((at, "x" * (at % 977)) for at in range(5_000)))

    assert connection.execute(text("select count(*), sum(position), sum(length(value)) from long")).one() == (
        5_000,
        sum(range(5_000)),
        sum(at % 977 for at in range(5_000)),
    )


def test_copy_rows_that_fail_on_the_way_raise_their_own_error(connection: Connection) -> None:
    def rows():
        yield (1,)
        raise LookupError("the third shelf")

    connection.execute(text("create temporary table few (position integer unique)"))
    with pytest.raises(LookupError, match="third shelf"):
        copy_rows(connection, "few", ("position",), rows())


def test_copy_rows_that_break_a_rule_raise_integrity_error(connection: Connection) -> None:
    connection.execute(text("create temporary table few (position integer unique)"))
    with pytest.raises(IntegrityError, match="few_position_key"):
        copy_rows(connection, "few", ("position",), [(1,), (1,)])
