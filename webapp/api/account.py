"""Who asks, and what is in the hub."""

from flask import g

import deep_images_hub
from deep_images_hub.catalogue.overview import hub_totals
from deep_images_hub.wire.account import Account, HubTotals, TokenFacts
from webapp.access import public, signed_in, signed_in_user
from webapp.api.operations import api
from webapp.services import hub


@api.get("/hub", tag="Hub", answer=HubTotals)
@public
def read_hub() -> HubTotals:
    """Say how much there is."""
    with hub().engine.connect() as connection:
        totals = hub_totals(connection)
    return HubTotals(version=deep_images_hub.__version__, **vars(totals))


@api.get("/account", tag="Hub", answer=Account)
@signed_in
def read_account() -> Account:
    """Say who asks, and what the token may do."""
    user = signed_in_user()
    return Account(email=user.email, display_name=user.display_name, role=user.role, token=TokenFacts.model_validate(g.token))
