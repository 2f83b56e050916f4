"""What the views use: the open hub, and what this process keeps of it between requests."""

from functools import lru_cache
from typing import cast

from flask import current_app

from deep_images_hub.catalogue.datasets import DatasetVersion, attribution_counts, label_split_counts, version_facts
from deep_images_hub.catalogue.model_answers import shared_answers
from deep_images_hub.catalogue.version_changes import Difference, difference
from deep_images_hub.datasets.card import AttributionCount, LabelSplitCount
from deep_images_hub.datasets.croissant import Facts
from deep_images_hub.datasets.keeping import open_kept_files
from deep_images_hub.model_comparison import SharedBatch
from deep_images_hub.predictions import OpenModels
from deep_images_hub.uploads.receiving import open_receiver
from deep_images_hub.wiring import Hub
from webapp.posting import Posting
from webapp.version_page import Composition, composition

# Compositions that a process remembers; one of 600 labels is about 200 kB.
_KEPT_COMPOSITIONS = 64


class Services:
    """Everything that outlives a request. Safe to share between threads."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.models = OpenModels(hub.store)
        self.receiver = open_receiver(hub.engine, hub.store, hub.settings)
        self.posting = Posting(hub)
        self.kept = open_kept_files(hub.engine, hub.store, hub.settings)
        # Lengths of exported files by ETag, found out once in this process; the catalogue keeps those that were sent.
        self.measured: dict[str, int | None] = {}
        # A version never changes, so that its pictures are counted once and not for everybody who looks.
        self.composition = lru_cache(_KEPT_COMPOSITIONS)(self._composition)
        self.composition_in_order = lru_cache(_KEPT_COMPOSITIONS)(self._composition_in_order)
        self._kept_attributions = lru_cache(_KEPT_COMPOSITIONS)(self._attributions)
        self.facts = lru_cache(_KEPT_COMPOSITIONS)(self._facts)
        self.difference = lru_cache(_KEPT_COMPOSITIONS)(self._difference)
        # Nor does what a model says of its test.
        self.shared_answers = lru_cache(_KEPT_COMPOSITIONS)(self._shared_answers)

    def _composition(self, version_id: int) -> tuple[LabelSplitCount, ...]:
        """Return how many pictures of each label each split of a version has."""
        with self.hub.engine.connect() as connection:
            return tuple(label_split_counts(connection, version_id))

    def _composition_in_order(self, version_id: int) -> Composition:
        """Return the same as a version's page has it."""
        return composition(self.composition(version_id))

    def attributions(self, version: DatasetVersion) -> tuple[AttributionCount, ...]:
        """Return how many pictures of a version came under each licence and attribution, as suppliers ask for it now."""
        return self._kept_attributions(version.id, version.credits_revision)

    def _attributions(self, version_id: int, _credits_revision: int) -> tuple[AttributionCount, ...]:
        with self.hub.engine.connect() as connection:
            return tuple(attribution_counts(connection, version_id))

    def _facts(self, version_id: int) -> Facts:
        """Return when, where and in how many batches a version's pictures were taken."""
        with self.hub.engine.connect() as connection:
            return version_facts(connection, version_id)

    def _difference(self, version_id: int, before_id: int) -> Difference:
        """Return how many pictures changed from one version to another."""
        with self.hub.engine.connect() as connection:
            return difference(connection, version_id=version_id, before_id=before_id)

    def _shared_answers(self, model_a: int, model_b: int) -> tuple[SharedBatch, ...]:
        """Return what two models say of the pictures that both were tested on, batch by batch."""
        with self.hub.engine.connect() as connection:
            return tuple(shared_answers(connection, model_a=model_a, model_b=model_b))


def services() -> Services:
    """Return the services of the application that answers this request."""
    return cast(Services, current_app.extensions["services"])


def hub() -> Hub:
    """Return the hub of the application that answers this request."""
    return services().hub
