"""The addresses in pages, each worked out once: forty stand on a page, and Flask's `url_for` took a tenth of its time."""

from functools import lru_cache

from flask import Flask, request, url_for

_KEPT_ADDRESSES = 4096
# Others may be equal and be spelled differently, as 1 and True are, or may not be kept, as lists.
_KEPT_KINDS = {str, int, type(None)}


def register(app: Flask) -> None:
    """Give templates a `url_for` that remembers."""
    app.jinja_env.globals.update(url_for=address)


def address(endpoint: str, **values: object) -> str:
    """Return what `url_for` does for an endpoint's whole name. With a host, it is worked out anew: requests come to several."""
    if "_external" in values or not _KEPT_KINDS.issuperset(map(type, values.values())):
        return url_for(endpoint, **values)  # type: ignore[arg-type]
    return _kept(request.script_root, endpoint, *values.items())


@lru_cache(_KEPT_ADDRESSES)
def _kept(_script_root: str, endpoint: str, *values: tuple[str, object]) -> str:
    return url_for(endpoint, **dict(values))  # type: ignore[arg-type]
