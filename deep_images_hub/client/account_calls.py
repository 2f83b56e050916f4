"""One's own account, as far as a token reaches: what needs a password, people do in the portal."""

from deep_images_hub.client.asking import Asking
from deep_images_hub.wire.account import Account, SupplierRecord, Token, Tokens


class AccountCalls(Asking):
    """What the client asks of its own account."""

    def account(self) -> Account:
        """Return whose token this is, and what it may do."""
        return self._get(Account, "/account")

    def record(self) -> SupplierRecord:
        """Return what became of all that one sent."""
        return self._get(SupplierRecord, "/account/record")

    def tokens(self) -> list[Token]:
        """Return one's own tokens, newest first."""
        return self._get(Tokens, "/account/tokens").tokens

    def revoke_token(self) -> Token:
        """End the token that this client shows. Nothing that needs one works after that."""
        return self._post(Token, "/account/tokens/revoke-this")
