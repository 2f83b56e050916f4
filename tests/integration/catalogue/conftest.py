"""One catalogue for all tests of this folder: each works in a transaction that is rolled back. Tests of several connections at
once take `hub` and have a catalogue of their own."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine


@pytest.fixture(scope="session")
def shared_engine(hub_of) -> Iterator[Engine]:
    with hub_of() as hub:
        yield hub.engine


@pytest.fixture
def connection(shared_engine: Engine) -> Iterator[Connection]:
    with shared_engine.connect() as connection:
        yield connection
        connection.rollback()
