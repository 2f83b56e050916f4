"""The operations of the API: views, with the models of what they take and give. Checks and document are made of the same.

@api.get("/labels/search", tag="Labels", query=LabelSearchAsked, answer=FoundLabels)
@public
def search_labels(query: LabelSearchAsked) -> FoundLabels:
    \"\"\"Find labels by a piece of a name.\"\"\"
"""

import functools
import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel

from deep_images_hub.errors import NotFoundError
from deep_images_hub.wire.base import MAX_ID, Asked
from webapp.access import Access, access_of
from webapp.api.asked import body_from_request, query_from_request
from webapp.sessions import API_PREFIX

View = TypeVar("View", bound=Callable[..., Any])

_PATH_PARAMETER = re.compile(r"<(?:(\w+):)?(\w+)>")
JSON = "application/json"
# What operations are about, in the order of the document and of its page.
TAGS = (
    "Hub", "Labels", "Pictures", "Batches", "Uploads", "Demand", "Datasets", "Downloads", "Training", "Models", "Reviews",
    "Operations",
)  # fmt: skip


@dataclass(frozen=True)
class Operation:
    """A view as the document and its page say it.

    Attributes:
        name: of the view; unique.
        path: as OpenAPI writes it, under /api/v1.
        parameters: those of the path, with whether they are numbers.
        query, body: models of what is asked; None: nothing is.
        takes: media types of a body that is no JSON.
        answer: model of the answer; None: it is no JSON, but one of `gives`.
        statuses: of success; the first is the usual one.
    """

    name: str
    method: str
    path: str
    tag: str
    summary: str
    description: str
    parameters: tuple[tuple[str, bool], ...]
    query: type[Asked] | None
    body: type[Asked] | None
    takes: Sequence[str]
    answer: type[BaseModel] | None
    gives: Sequence[str]
    statuses: Sequence[int]
    access: Access


class Api:
    """A blueprint whose views are operations."""

    def __init__(self) -> None:
        self.blueprint = Blueprint("api", __name__, url_prefix=API_PREFIX)
        self.operations: list[Operation] = []

    def get(
        self,
        path: str,
        *,
        tag: str,
        query: type[Asked] | None = None,
        answer: type[BaseModel] | None = None,
        gives: Sequence[str] = (JSON,),
        statuses: Sequence[int] = (200,),
    ) -> Callable[[View], View]:
        """Register a view that reads."""
        return self._operation(
            "GET", path, tag=tag, query=query, body=None, takes=(), answer=answer, gives=gives, statuses=statuses
        )

    def post(
        self,
        path: str,
        *,
        tag: str,
        query: type[Asked] | None = None,
        body: type[Asked] | None = None,
        takes: Sequence[str] = (),
        answer: type[BaseModel] | None = None,
        statuses: Sequence[int] = (200,),
    ) -> Callable[[View], View]:
        """Register a view that changes something."""
        return self._operation(
            "POST", path, tag=tag, query=query, body=body, takes=takes, answer=answer, gives=(JSON,), statuses=statuses
        )

    def by_tag(self) -> dict[str, list[Operation]]:
        """Return the operations of each tag, in the order of TAGS."""
        return {tag: [of for of in self.operations if of.tag == tag] for tag in TAGS}

    def _operation(self, method: str, rule: str, *, query: Any, body: Any, **said: Any) -> Callable[[View], View]:
        parameters = tuple((name, converter == "int") for converter, name in _PATH_PARAMETER.findall(rule))
        # Most views have something to say of what is asked; those that have not need not take it.
        asked: dict[str, Callable[[], Asked]] = {}
        if query is not None:
            asked["query"] = functools.partial(query_from_request, query)
        if body is not None:
            asked["body"] = functools.partial(body_from_request, body)

        def register(view: View) -> View:
            access = access_of(view)
            if access is None:
                raise ValueError(f"{view.__name__} declares no access: put a decorator of webapp.access under this one")
            if said["tag"] not in TAGS:
                raise ValueError(f"{view.__name__} has the tag {said['tag']!r}; expected one of TAGS, or add it there")
            summary, _, description = (inspect.getdoc(view) or "").partition("\n")

            @functools.wraps(view)
            def answered(**values: Any) -> ResponseReturnValue:
                for name, is_number in parameters:
                    if is_number and values[name] > MAX_ID:
                        raise NotFoundError(f"There is nothing with the number {values[name]} here.")
                values.update({name: read() for name, read in asked.items()})
                return _response(view(**values))

            self.blueprint.add_url_rule(rule, view.__name__, answered, methods=[method])
            self.operations.append(
                Operation(
                    name=view.__name__,
                    method=method,
                    path=_PATH_PARAMETER.sub(r"{\2}", rule),
                    summary=summary.rstrip("."),
                    description=" ".join(description.split()),
                    parameters=parameters,
                    query=query,
                    body=body,
                    access=access,
                    **said,
                )
            )
            return view

        return register


def _response(answer: Any) -> Response:
    """Return what a view answered as a response: a model, one with a status, or a response of its own."""
    status = HTTPStatus.OK
    if isinstance(answer, tuple):
        answer, status = answer
    if isinstance(answer, Response):
        return answer
    response = Response(answer.model_dump_json(by_alias=True), status, mimetype=JSON)
    following = getattr(answer, "next", None)
    if following:
        response.headers["Link"] = f'<{following}>; rel="next"'
    # What one account is told is no other's, and whoever asks again is told anew; the same answer is not sent twice.
    response.headers["Cache-Control"] = "private, no-cache"
    response.vary.add("Authorization")
    if request.method == "GET":
        response.add_etag()
        response.make_conditional(request)
    return response


api = Api()
