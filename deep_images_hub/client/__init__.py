"""A client of the hub's API, for programs and notebooks. Needs requests and pydantic, and nothing else of the hub.

    from deep_images_hub.client import HubClient, Recipe

    hub = HubClient("https://hub.example.org")                      # token from HUB_TOKEN
    version = hub.freeze("Apples", Recipe(label_codes=["/m/014j1m"], max_per_label=1000))
    hub.download(version.id, "webdataset", "apples")                # run it again after anything: it goes on

Answers are the models of `deep_images_hub.wire`; errors are those of `deep_images_hub.errors`, each with the `code` of the API.
"""

from deep_images_hub.client.downloads import DownloadedFile
from deep_images_hub.client.hub_client import HubClient
from deep_images_hub.wire.versions import Recipe, SplitFractions

__all__ = ["DownloadedFile", "HubClient", "Recipe", "SplitFractions"]
