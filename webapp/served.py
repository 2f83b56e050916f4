"""The portal as a process that answers requests runs it: `deep_images_hub.cli.serve` names this to gunicorn."""

import gc

from flask import Flask

from webapp.application import create_app


def served_app() -> Flask:
    """Make the portal, and leave all that is there by then out of the search for garbage.

    170,000 objects of modules stay as long as the process does. To look through them took a tenth of a second, and each request
    that was under way just then waited for it: one in a hundred.
    """
    app = create_app()
    gc.collect()
    gc.freeze()
    return app
