"""The catalogue's tables, as SQLAlchemy Core sees them. The schema itself is made by sql/migrations; a test holds both equal.

Surrogate keys are `id`; what has a name outside the catalogue (a label's code, a batch's key, a picture's sha256) keeps it in a
unique column, and everything that must be reproducible is derived from those names and never from an id. Times are UTC.
"""

from deep_images_hub.catalogue.tables.accounts import account_changes, account_mails, attempts, users
from deep_images_hub.catalogue.tables.api_tokens import api_tokens
from deep_images_hub.catalogue.tables.datasets import (
    dataset_items,
    dataset_versions,
    export_files,
    kept_files,
    recipes,
    version_batches,
)
from deep_images_hub.catalogue.tables.decisions import batch_mails, decision_changes, redecisions, staged_decisions, verdicts
from deep_images_hub.catalogue.tables.demand import demand_votes, demands, label_proposals, notices, watches
from deep_images_hub.catalogue.tables.galleries import facet_changes, facet_counts, shown_images
from deep_images_hub.catalogue.tables.labels import label_aliases, label_closure, label_counts, label_edges, labels
from deep_images_hub.catalogue.tables.pictures import (
    LABEL_SET,
    descriptors,
    duplicate_groups,
    embeddings,
    image_labels,
    images,
    picture_reports,
)
from deep_images_hub.catalogue.tables.places import geocodings, places
from deep_images_hub.catalogue.tables.sending import (
    adopted_folders,
    adoption_refusals,
    batches,
    deliveries,
    downloads,
    submissions,
)
from deep_images_hub.catalogue.tables.shared import metadata
from deep_images_hub.catalogue.tables.training import (
    model_answers,
    model_files,
    network_labels,
    trained_models,
    training_changes,
    training_events,
    training_runs,
)
from deep_images_hub.catalogue.tables.uploads import upload_files, upload_parts, uploads

__all__ = [
    "LABEL_SET",
    "account_changes",
    "account_mails",
    "adopted_folders",
    "adoption_refusals",
    "api_tokens",
    "attempts",
    "batch_mails",
    "batches",
    "dataset_items",
    "dataset_versions",
    "decision_changes",
    "deliveries",
    "demand_votes",
    "demands",
    "descriptors",
    "downloads",
    "duplicate_groups",
    "embeddings",
    "export_files",
    "facet_changes",
    "facet_counts",
    "geocodings",
    "image_labels",
    "images",
    "kept_files",
    "label_aliases",
    "label_closure",
    "label_counts",
    "label_edges",
    "label_proposals",
    "labels",
    "metadata",
    "model_answers",
    "model_files",
    "network_labels",
    "notices",
    "picture_reports",
    "places",
    "recipes",
    "redecisions",
    "shown_images",
    "staged_decisions",
    "submissions",
    "trained_models",
    "training_changes",
    "training_events",
    "training_runs",
    "upload_files",
    "upload_parts",
    "uploads",
    "users",
    "verdicts",
    "version_batches",
    "watches",
]
