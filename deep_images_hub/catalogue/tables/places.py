"""Where pictures were taken, and what geocoders said of it."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from deep_images_hub.catalogue.tables.shared import created_at, id_column, metadata

# Coarse on purpose: a place is a postcode area at the finest.
places = Table(
    "places",
    metadata,
    id_column(),
    Column("country_code", Text, CheckConstraint("country_code ~ '^[A-Z]{2}$'", name="country_code_form"), nullable=False),
    Column("region", Text),
    Column("city", Text, nullable=False, index=True),
    Column("postcode", Text),
    Column("latitude", Double, CheckConstraint("latitude between -90 and 90", name="latitude_range"), nullable=False),
    Column("longitude", Double, CheckConstraint("longitude between -180 and 180", name="longitude_range"), nullable=False),
    created_at(),
    UniqueConstraint("country_code", "region", "city", "postcode", postgresql_nulls_not_distinct=True),
)

# What a geocoder answered to a query, so that nobody asks twice. place_id null: it knows no such place.
geocodings = Table(
    "geocodings",
    metadata,
    Column("geocoder", Text, nullable=False),
    Column("query", Text, nullable=False),
    Column("place_id", ForeignKey("places.id")),
    created_at(),
    PrimaryKeyConstraint("geocoder", "query"),
)
