"""What the views use: the open hub and the models that this process has open."""

from dataclasses import dataclass
from typing import cast

from flask import current_app

from deep_images_hub.predictions import OpenModels
from deep_images_hub.wiring import Hub


@dataclass(frozen=True)
class Services:
    """Everything that outlives a request."""

    hub: Hub
    models: OpenModels


def services() -> Services:
    """Return the services of the application that answers this request."""
    return cast(Services, current_app.extensions["services"])


def hub() -> Hub:
    """Return the hub of the application that answers this request."""
    return services().hub
