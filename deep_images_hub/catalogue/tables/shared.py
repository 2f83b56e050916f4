"""What every table is made with: one `MetaData`, names for constraints, and columns that many tables have."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    MetaData,
    func,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

SHA256 = "^[0-9a-f]{64}$"


def one_of(column: str, values: tuple[str, ...], name: str | None = None) -> CheckConstraint:
    """Return the check that `column` holds one of `values`, named `<column>_known` unless told."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} in ({listed})", name=name or f"{column}_known")


def id_column() -> Column[int]:
    """Return a new surrogate key, numbered by the database alone."""
    return Column("id", BigInteger, Identity(always=True), primary_key=True)


def created_at() -> Column[datetime]:
    """Return a new column of the time, in UTC, at which a row was written."""
    return Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now())
