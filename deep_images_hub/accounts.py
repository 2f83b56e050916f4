"""Who may do what: the four roles, which of them people choose themselves, and what is written down of an account's life."""

ROLES = ("supplier", "scientist", "premium", "operator")
# Chosen at sign-up. The others are granted by an operator.
CHOSEN_ROLES = ("supplier", "scientist")

# What a role may do beyond reading: the portal's routes name one of these, never a role.
PERMISSIONS: dict[str, frozenset[str]] = {
    "supplier": frozenset({"submit"}),
    "scientist": frozenset({"submit", "freeze", "download"}),
    "premium": frozenset({"submit", "freeze", "download", "train", "predict"}),
    "operator": frozenset({"submit", "freeze", "download", "train", "predict", "operate"}),
}

# What `account_changes` tells of: by the account's owner, an operator, or somebody at the hub's command line.
ACCOUNT_DEEDS = ("made", "role", "closed", "reopened", "password", "email", "name", "signed_out", "tokens_revoked", "deleted")

# What an e-mail to an account's owner is for. The first four hold a link that works once.
LINK_PURPOSES = ("sign_up", "invitation", "reset", "new_address")
NOTICE_PURPOSES = ("password_changed", "address_changed", "account_deleted")
MAIL_PURPOSES = LINK_PURPOSES + NOTICE_PURPOSES
