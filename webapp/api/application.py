"""Putting the API into the portal: its views, its document, its limits, and pages about it."""

from flask import Flask, Response
from flask_wtf.csrf import CSRFProtect

from webapp.access import public
from webapp.api import (
    account,
    batches,
    exports,
    labels,
    models,
    pages,
    people,
    pictures,
    places,
    reviews,
    training,
    uploads,
    versions,
    wanted,
)
from webapp.api.document import openapi_json
from webapp.api.limits import API_LIMIT, whose
from webapp.api.operations import JSON, api
from webapp.security import limiter

# Their operations are registered as they are imported.
MODULES = (account, labels, pictures, places, batches, uploads, versions, exports, training, models, wanted, reviews, people)


@api.blueprint.get("/openapi.json")
@public
def document() -> Response:
    """Give the OpenAPI document."""
    response = Response(openapi_json(), mimetype=JSON)
    response.cache_control.public = True
    response.cache_control.max_age = 300
    return response


limiter.shared_limit(API_LIMIT, scope="api", key_func=whose)(api.blueprint)


def register(app: Flask, form_tokens: CSRFProtect) -> None:
    """Put the API and its pages into the portal."""
    # No cookie counts there: a page elsewhere has nothing that a form's token would protect.
    form_tokens.exempt(api.blueprint)
    app.register_blueprint(api.blueprint)
    app.register_blueprint(pages.blueprint)
