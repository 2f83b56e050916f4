"""Join the parts from the settings: the one place that decides which catalogue and which store a process talks to."""

from dataclasses import dataclass
from urllib.parse import quote

from pydantic import SecretStr
from sqlalchemy import Engine

from deep_images_hub.catalogue.engine import open_engine
from deep_images_hub.object_store import ObjectStore
from deep_images_hub.object_store.open import open_store
from deep_images_hub.runtime.postgres import EmbeddedPostgres
from deep_images_hub.settings import Settings


@dataclass(frozen=True)
class Hub:
    """An open hub.

    Attributes:
        settings: with `database_url` and `store_url` filled in: what executors on other machines need to open the same hub.
        engine: the catalogue.
        store: the bytes.
    """

    settings: Settings
    engine: Engine
    store: ObjectStore


def resolve(settings: Settings) -> Settings:
    """Fill in what the laptop default leaves open, starting our own PostgreSQL when no database is configured.

    Raises:
        UnavailableError: our own PostgreSQL could not be started; the message says why.
    """
    home = settings.home.resolve()
    found: dict[str, object] = {"home": home}
    if settings.database_url is None:
        found["database_url"] = SecretStr(EmbeddedPostgres(home / "postgres").start())
    if settings.store_url is None:
        found["store_url"] = "file://" + quote(str(home / "objects"))
    return settings.model_copy(update=found)


def open_hub(settings: Settings) -> Hub:
    """Open the catalogue and the store that the settings name. The catalogue must be migrated (`scripts/migrate`)."""
    resolved = resolve(settings)
    return Hub(settings=resolved, engine=open_engine(resolved), store=open_store(resolved))
