"""What people and programs ask the portal for, by route: addresses drawn from what a catalogue holds.

Large labels come up as often as their pictures, filters are drawn from what a label has, and pages lie anywhere in a gallery.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Connection, Engine, Row, text

from deep_images_hub.catalogue.overview import hub_totals
from deep_images_hub.demand.rules import ORDERS
from deep_images_hub.images.gallery_places import GalleryPlace
from deep_images_hub.images.picture_filter import PictureFilter

_ADDRESSES = 400
_API = "/api/v1"
# The first is what everybody sees who asks for none.
_SORTS = ("newest", "newest", "oldest", "quality", "size")
_SAMPLE = """
    select shown_images.*, images.sha256, labels.name, labels.code
    from shown_images tablesample bernoulli (:percent) repeatable (0)
    join images on images.id = shown_images.image_id
    join labels on labels.id = shown_images.label_id
    order by shown_images.image_id
"""


# Pictures that a network saw, in an order that has nothing to do with anything.
_SEEN = """
    select sha256 from embeddings join images on images.id = image_id order by hashint8(image_id), image_id limit :count
"""


@dataclass(frozen=True)
class Route:
    """A kind of page, or of answer to a program. needs_account: whoever asks is signed in, or shows a token."""

    addresses: Sequence[str]
    needs_account: bool = False

    @property
    def is_for_programs(self) -> bool:
        """Whether it is of the API."""
        return self.addresses[0].startswith(_API)


Routes = Mapping[str, Route]


def portal_routes(engine: Engine) -> Routes:
    """Return what to ask for of a catalogue that `made_up_catalogue` and `made_up_dealings` filled, by name of the route."""
    with engine.connect() as connection:
        drawn = _Drawn(connection)
        # The first two: whatever else was downloaded of this catalogue, these can be compared.
        versions = list(connection.execute(text("select id from dataset_versions order by id limit 2")).scalars())
        models = list(connection.execute(text("select id from trained_models order by id")).scalars())
        seen = list(connection.execute(text(_SEEN), {"count": _ADDRESSES}).scalars())
    alike = {"picture, most alike": Route([f"/images/{sha256}" for sha256 in seen])}
    return {**_galleries(drawn), **alike, **_other_pages(drawn, versions, models), **_of_programs(drawn, versions, models)}


class _Drawn:
    """Pictures of all ages, and what addresses are made of them."""

    def __init__(self, connection: Connection) -> None:
        self.rng = random.Random(0)
        # A limit would take the first rows of the table, which are the oldest.
        percent = min(100.0, 200.0 * _ADDRESSES / hub_totals(connection).images)
        self._sample = list(connection.execute(text(_SAMPLE), {"percent": percent}))
        self.rng.shuffle(self._sample)
        self._countries = {row.id: row.country_code for row in connection.execute(text("select id, country_code from places"))}
        self.root = connection.scalar(text("select id from labels where code = 'entity'"))

    def addresses(self, of: Callable[[Row[Any]], str]) -> list[str]:
        """Return an address for each picture."""
        return [of(picture) for picture in self._sample[:_ADDRESSES]]

    def wishes(self, picture: Row[Any], *, sorts: Sequence[str] = _SORTS) -> dict[str, str | list[str]]:
        """Ask for one to three things that a picture of the label has; sorts: for one of these orders, where there are any."""
        rng, country = self.rng, self._countries.get(picture.place_id)
        wishes: list[dict[str, Any]] = [
            {"licences": (picture.licence,)},
            {"min_quality": rng.choice([0.3, 0.5, 0.7])},
            {"min_side_px": rng.choice([256, 512, 1024])},
            {"is_reviewed": True},
            {"supplier_id": picture.supplier_id},
            {"since": (picture.received_at - timedelta(days=60)).date(), "until": picture.received_at.date()},
            {"country": country} if country else {"is_reviewed": False},
        ]
        wanted = PictureFilter(sort=rng.choice(sorts)) if sorts else PictureFilter()
        for fields in rng.sample(wishes, k=rng.choice([1, 1, 2, 3])):
            wanted = replace(wanted, **fields)
        return wanted.query()


def _query(**values: Any) -> str:
    return urlencode(values, doseq=True)


def _after(picture: Row[Any]) -> str:
    return _query(after=GalleryPlace(picture.received_at, picture.image_id).text)


def _galleries(drawn: _Drawn) -> Routes:
    rng, root = drawn.rng, drawn.root
    everything = [f"/labels/{root}", "/images"]
    found = {
        "gallery": drawn.addresses(lambda of: f"/labels/{of.label_id}"),
        "gallery, later page": drawn.addresses(lambda of: f"/labels/{of.label_id}?{_after(of)}"),
        "gallery, next pictures": drawn.addresses(lambda of: f"/labels/{of.label_id}?{_after(of)}&part=1"),
        "gallery, sorted": drawn.addresses(lambda of: f"/labels/{of.label_id}?sort={rng.choice(['oldest', 'quality', 'size'])}"),
        "gallery, filtered": drawn.addresses(lambda of: f"/labels/{of.label_id}?{_query(**drawn.wishes(of))}"),
        "everything": everything,
        "everything, later page": drawn.addresses(lambda of: f"{rng.choice(everything)}?{_after(of)}"),
        "everything, filtered": drawn.addresses(lambda of: f"{rng.choice(everything)}?{_query(**drawn.wishes(of))}"),
        "picture": drawn.addresses(lambda of: f"/images/{of.sha256}"),
    }
    return {name: Route(addresses) for name, addresses in found.items()}


def _other_pages(drawn: _Drawn, versions: Sequence[int], models: Sequence[int]) -> Routes:
    rng = drawn.rng
    return {
        "home": Route(["/"]),
        "labels": Route(["/labels"]),
        "search": Route(drawn.addresses(lambda of: "/labels?" + _query(q=of.name[: rng.randint(3, 8)]))),
        "suggestions": Route(drawn.addresses(lambda of: "/labels/suggestions?" + _query(q=of.name[: rng.randint(1, 8)]))),
        "latest": Route(["/latest"]),
        "selection": Route(["/selection"]),
        "datasets": Route(["/datasets"]),
        "version": Route([f"/datasets/{version}" for version in versions]),
        "changes": Route([f"/datasets/{versions[-1]}/changes?since={versions[0]}"]),
        "files of a version": Route([f"/datasets/{version}/exports/webdataset" for version in versions], needs_account=True),
        "models": Route(["/models"]),
        "model": Route([f"/models/{model}" for model in models]),
        "wanted": Route([f"/wanted?order={order}" for order in ORDERS]),
        "wanted, signed in": Route(["/wanted"], needs_account=True),
        "wanted by me": Route(["/wanted/mine"], needs_account=True),
        "new label": Route(["/wanted/new-label"], needs_account=True),
        "send": Route(["/send", *drawn.addresses(lambda of: "/send?" + _query(label=of.code))[:20]], needs_account=True),
        "my batches": Route(["/batches"], needs_account=True),
        "account": Route(["/account"], needs_account=True),
        "API, described": Route(["/api"]),
    }


def _of_programs(drawn: _Drawn, versions: Sequence[int], models: Sequence[int]) -> Routes:
    rng = drawn.rng

    def counted(of: Row[Any]) -> str:
        return f"{_API}/pictures/counts?" + _query(label=of.code, **drawn.wishes(of, sorts=()))

    def listed(of: Row[Any]) -> str:
        return f"{_API}/pictures?" + _query(label=rng.choice([of.code, "entity"]), limit=100, **drawn.wishes(of))

    found = {
        "API: labels": drawn.addresses(lambda of: f"{_API}/labels?" + _query(under=of.code)),
        "API: search": drawn.addresses(lambda of: f"{_API}/labels/search?" + _query(q=of.name[: rng.randint(3, 8)])),
        "API: label": drawn.addresses(lambda of: f"{_API}/labels/{of.label_id}"),
        "API: pictures": drawn.addresses(lambda of: f"{_API}/pictures?" + _query(label=of.code, limit=100)),
        "API: pictures, filtered": drawn.addresses(listed),
        "API: counts": drawn.addresses(counted),
        "API: picture": drawn.addresses(lambda of: f"{_API}/pictures/{of.sha256}"),
        "API: versions": [f"{_API}/versions"],
        "API: version": [f"{_API}/versions/{version}" for version in versions],
        "API: pictures of a version": [f"{_API}/versions/{version}/pictures" for version in versions],
        "API: changes": [f"{_API}/versions/{versions[-1]}/changes?since={versions[0]}"],
        "API: models": [f"{_API}/models"],
        "API: model": [f"{_API}/models/{model}" for model in models],
        "API: demands": [f"{_API}/demands?order={order}" for order in ORDERS],
    }
    return {name: Route(addresses, needs_account=True) for name, addresses in found.items()}
