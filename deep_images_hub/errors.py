"""The one tree of expected errors.

    HubError
    ├── InvalidInputError      what was received cannot be used            (HTTP 400)
    │   └── SettingsError      a setting is unknown or has a wrong value
    ├── NotFoundError          what was asked for does not exist           (HTTP 404)
    ├── ConflictError          it contradicts what is already there        (HTTP 409)
    ├── UnauthenticatedError   nobody knows who asks                       (HTTP 401)
    ├── ForbiddenError         this account may not do it                  (HTTP 403)
    ├── TooManyRequestsError   it was asked too often in a short time      (HTTP 429)
    └── UnavailableError       a service, a file or weights cannot be had  (HTTP 503)
        └── DeniedError        a store answers, and does not give out this one object

Every message says what was received, what was expected and what to do. Anything else that is raised is a defect. The portal
maps the classes to statuses in one place; the commands print the message, without a stack trace, and exit with 1.
"""


class HubError(Exception):
    """An expected error, with a message written for its reader."""

    code = "error"


class InvalidInputError(HubError):
    """What was received cannot be used."""

    code = "invalid_input"


class SettingsError(InvalidInputError):
    """A setting is unknown or has a wrong value."""

    code = "invalid_setting"


class NotFoundError(HubError):
    """What was asked for does not exist."""

    code = "not_found"


class ConflictError(HubError):
    """It contradicts what is already there."""

    code = "conflict"


class UnauthenticatedError(HubError):
    """Nobody knows who asks: it needs an account."""

    code = "token_required"


class ForbiddenError(HubError):
    """This account may not do it."""

    code = "forbidden"


class TooManyRequestsError(HubError):
    """It was asked too often in a short time."""

    code = "too_many_requests"


class UnavailableError(HubError):
    """A service, a file or pretrained weights cannot be had now."""

    code = "unavailable"


class DeniedError(UnavailableError):
    """A store answers, and does not give out an object. It may give out all others."""
