"""Fill tables of a catalogue faster than row by row allows. For catalogues of benches, which nobody else uses meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text

_CONSTRAINTS = """
    select cast(conrelid as regclass)::text as table_name, conname, contype, pg_get_constraintdef(oid) as definition
    from pg_constraint
    where contype in ('f', 'u', 'p')
        and (conrelid = any(cast(:tables as regclass[])) or (contype = 'f' and confrelid = any(cast(:tables as regclass[]))))
    order by contype <> 'f', conname
"""
_INDEXES = """
    select pg_index.indexrelid::regclass::text as name, pg_get_indexdef(pg_index.indexrelid) as definition
    from pg_index
    where pg_index.indrelid = any(cast(:tables as regclass[]))
        and not exists (select from pg_constraint where pg_constraint.conindid = pg_index.indexrelid)
"""


@contextmanager
def without_indexes(connection: Connection, *tables: str) -> Iterator[None]:
    """Drop the indexes and keys of some tables, and foreign keys of others to them; make them anew at the end, each at once."""
    given = {"tables": list(tables)}
    constraints = connection.execute(text(_CONSTRAINTS), given).all()
    for one in constraints:
        connection.execute(text(f'alter table {one.table_name} drop constraint "{one.conname}"'))
    indexes = connection.execute(text(_INDEXES), given).all()
    for index in indexes:
        connection.execute(text(f"drop index {index.name}"))
    yield
    for index in indexes:
        connection.execute(text(index.definition))
    for one in reversed(constraints):
        connection.execute(text(f'alter table {one.table_name} add constraint "{one.conname}" {one.definition}'))
