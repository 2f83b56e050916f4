"""Who asks, what is in the hub, one's own tokens, and what became of all that one sent."""

from flask import g

import deep_images_hub
from deep_images_hub.catalogue.api_tokens import revoke_token, tokens_of
from deep_images_hub.catalogue.overview import hub_totals
from deep_images_hub.catalogue.supplier_record import Tally, supplier_record
from deep_images_hub.wire import account as wire
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


@api.get("/account/tokens", tag="Hub", answer=wire.Tokens)
@signed_in
def list_tokens() -> wire.Tokens:
    """List the tokens of whoever asks. Tokens are made in the portal alone: a program makes none that may more than its own."""
    with hub().engine.connect() as connection:
        found = tokens_of(connection, user_id=signed_in_user().id)
    return wire.Tokens(tokens=[wire.Token.model_validate(token) for token in found])


@api.post("/account/tokens/revoke-this", tag="Hub", answer=wire.Token)
@signed_in
def revoke_this_token() -> wire.Token:
    """End the token that this request shows. Others are revoked in the portal."""
    with hub().engine.begin() as connection:
        return wire.Token.model_validate(revoke_token(connection, token_id=g.token.id, user_id=signed_in_user().id))


@api.get("/account/record", tag="Hub", answer=wire.SupplierRecord)
@signed_in
def read_record() -> wire.SupplierRecord:
    """Say what became of all that one sent: by label, why, and how good it is."""
    with hub().engine.connect() as connection:
        record = supplier_record(connection, supplier_id=signed_in_user().id)
    if record is None:
        nothing = wire.Tally.model_validate(Tally(0, 0, 0, 0, 0, 0))
        return wire.SupplierRecord(total=nothing, labels=[], reasons={}, quality=None)
    return wire.SupplierRecord(
        total=wire.Tally.model_validate(record.total),
        labels=[wire.LabelRecord.model_validate(label) for label in record.labels],
        reasons={reason: count for (_, reason), count in record.reasons.items()},
        quality=record.quality,
    )
