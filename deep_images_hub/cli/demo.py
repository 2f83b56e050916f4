"""The main job, end to end: crowd, intake, features, dataset, model, answer, portal.

Every stage is the command that an operator would run; the demo strings them together and tells what came of it. Running it again
does nothing twice: the crowd has sent its batches, the dataset is frozen, the model is trained.
"""

import json
import sys
import time
from argparse import SUPPRESS, ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from deep_images_hub.catalogue.batches import Crowd, crowd_by_name
from deep_images_hub.catalogue.datasets import DatasetVersion, open_image_folder, version_items
from deep_images_hub.catalogue.migrations import migrate
from deep_images_hub.catalogue.models import TrainedModel, model_of_version
from deep_images_hub.catalogue.training import request_run, run_by_id
from deep_images_hub.cli.boundary import run_command
from deep_images_hub.cli.demo_accounts import DemoAccounts
from deep_images_hub.cli.dispatch import dispatch_waiting
from deep_images_hub.cli.serve import serve_with_dispatcher
from deep_images_hub.datasets.freeze import freeze
from deep_images_hub.datasets.recipe import Recipe
from deep_images_hub.errors import HubError, InvalidInputError
from deep_images_hub.predictions import Answer, OpenModels
from deep_images_hub.progress import as_duration
from deep_images_hub.runtime.spark_submit import run_to_end, spark_submit
from deep_images_hub.settings import Settings
from deep_images_hub.wiring import Hub, open_hub, resolve
