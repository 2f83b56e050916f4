"""What every part of the client asks with: one hub, answers as models, lists that read on by themselves."""

import os
from collections.abc import Iterator
from typing import Any, TypeVar

from deep_images_hub.client.transport import Transport
from deep_images_hub.wire.base import Answer, Page

TOKEN_VARIABLE = "HUB_TOKEN"  # noqa: S105

_Answer = TypeVar("_Answer", bound=Answer)
_Page = TypeVar("_Page", bound=Page)


class Asking:
    """The way to one hub."""

    def __init__(self, url: str, token: str | None = None, *, tries: int = 6, timeout_s: float = 60.0) -> None:
        found = token if token is not None else os.environ.get(TOKEN_VARIABLE)
        self._transport = Transport(url, token=found or None, tries=tries, timeout_s=timeout_s)

    def _get(self, model: type[_Answer], path: str, **query: Any) -> _Answer:
        return model.model_validate(self._transport.json("GET", path, params=said(**query)))

    def _post(self, model: type[_Answer], path: str, body: Any = None) -> _Answer:
        given = {} if body is None else {"json": body}
        return model.model_validate(self._transport.json("POST", path, **given))

    def _pages(self, model: type[_Page], path: str, **query: Any) -> Iterator[_Page]:
        page = self._get(model, path, **query)
        yield page
        while page.next is not None:
            page = model.model_validate(self._transport.json("GET", page.next))
            yield page


def said(**query: Any) -> dict[str, Any]:
    """Return what an address says: nothing of what is None."""
    return {name: value for name, value in query.items() if value is not None}
