"""Put the portal together from its settings."""

import os
import secrets
from functools import partial
from pathlib import Path

from flask import Flask
from pydantic import SecretStr
from werkzeug.middleware.proxy_fix import ProxyFix

from deep_images_hub.errors import SettingsError
from deep_images_hub.logs import open_log
from deep_images_hub.settings import Settings, load_settings
from deep_images_hub.wiring import Hub, open_hub
from webapp import (
    access,
    accounts,
    api,
    batches,
    comparing,
    compression,
    datasets,
    design,
    error_pages,
    exports,
    home,
    images,
    joining,
    kept_addresses,
    labels,
    latest,
    model_answers,
    model_demand,
    model_reports,
    models,
    operations,
    own_account,
    people,
    proposals,
    review,
    runs,
    security,
    selection,
    upload_files,
    uploads,
    wanted,
    wording,
)
from webapp.gallery_cells import gallery_cells
from webapp.gallery_choices import city_names, options, ways
from webapp.services import Services
from webapp.sessions import PageSessions

_log = open_log(__name__)

# Whoever adds pages adds their module.
_NOUNS = (
    home,
    labels,
    images,
    latest,
    selection,
    datasets,
    exports,
    runs,
    models,
    comparing,
    accounts,
    joining,
    own_account,
    people,
    batches,
    operations,
    review,
    uploads,
    upload_files,
    wanted,
    proposals,
    model_demand,
    model_answers,
    model_reports,
    design,
)
_KEY_FILE = "portal_secret_key"
_SESSION_HOURS = 12


def create_app(settings: Settings | None = None, *, hub: Hub | None = None) -> Flask:
    """Make the portal.

    Args:
        settings: None: read from the environment, as every process does once at its start.
        hub: an open hub to use instead of opening the one that the settings name.

    Raises:
        SettingsError: as `load_settings`; also when cookies go over TLS only, which means production, and no secret key is set.
        UnavailableError: as `open_hub`.
    """
    hub = hub or open_hub(settings or load_settings())
    app = Flask(__name__.partition(".")[0])
    app.config.update(
        SECRET_KEY=_secret_key(hub.settings),
        MAX_CONTENT_LENGTH=hub.settings.max_upload_bytes,
        MAX_FORM_MEMORY_SIZE=1_000_000,
        SESSION_COOKIE_NAME="hub_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=hub.settings.portal_secure_cookies,
        PERMANENT_SESSION_LIFETIME=_SESSION_HOURS * 3600,
        # `sessions.renew` does it, when nothing can be lost.
        SESSION_REFRESH_EACH_REQUEST=False,
        # A form stays valid as long as its session: somebody may choose pictures for hours.
        WTF_CSRF_TIME_LIMIT=None,
        RATELIMIT_HEADERS_ENABLED=True,
    )
    app.session_interface = PageSessions()
    if hub.settings.portal_secure_cookies:
        # Behind one TLS proxy: who asks, by which scheme and for which host is in what the proxy adds.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)  # type: ignore[method-assign]
        _tell_of_links(hub.settings)
    app.extensions["services"] = Services(hub)
    side_px = hub.settings.image_side_px
    cells = partial(gallery_cells, image_side_px=side_px, thumbnail_side_px=hub.settings.thumbnail_side_px)
    app.jinja_env.globals.update(gallery_cells=cells, options=options, ways=ways, city_names=city_names)
    # The gate stands before everything else that looks at a request.
    access.guard(app)
    api.announce(app)
    security.protect(app)
    compression.register(app)
    error_pages.register(app)
    wording.register(app)
    kept_addresses.register(app)
    for noun in _NOUNS:
        app.register_blueprint(noun.blueprint)
    api.register(app, security.form_tokens)
    return app


def _tell_of_links(settings: Settings) -> None:
    """Warn where links in e-mails would lead nowhere: no setting says where people reach a portal behind a proxy."""
    if not settings.portal_url:
        _log.warning("portal_url_is_empty", links_begin_with=settings.portal_address())


def _secret_key(settings: Settings) -> str:
    if settings.portal_secret_key is not None:
        return settings.portal_secret_key.get_secret_value()
    if settings.portal_secure_cookies:
        raise SettingsError(
            "portal_secure_cookies is on and portal_secret_key is empty. Set HUB_PORTAL_SECRET_KEY to a long random text, "
            "the same for every process of the portal."
        )
    return _kept_secret(settings.home / _KEY_FILE).get_secret_value()


def _kept_secret(path: Path) -> SecretStr:
    """Read the secret of a laptop's portal, made by whichever process comes first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.touch(mode=0o600)
    try:
        fresh.write_text(secrets.token_urlsafe(48), encoding="ascii")
        os.link(fresh, path)
    except FileExistsError:
        pass  # another process was first: its secret is everybody's
    finally:
        fresh.unlink()
    return SecretStr(path.read_text(encoding="ascii"))
