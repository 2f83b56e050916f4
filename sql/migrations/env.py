"""Run migrations on the connection that `deep_images_hub.catalogue.migrations` opened and hands over; never by any other way."""

from alembic import context

from deep_images_hub.catalogue.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
