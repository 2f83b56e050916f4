"""The HTTP API under /api/v1: what the portal does, as JSON, for programs that show a token.

`operations` registers views with what they take and give, and `document` writes the OpenAPI document of that; a module for each
noun has its views, which ask the same functions as the pages do. Who may do what is said by the decorators of `access`.
"""

from webapp.api.application import register
from webapp.api.limits import announce

__all__ = ["announce", "register"]
