"""The bench of the portal: what its made-up catalogue holds hangs together, and can be asked for and downloaded."""

from pathlib import Path

import pytest
from sqlalchemy import text

from deep_images_hub.catalogue.label_counts import recount
from deep_images_hub.catalogue.overview import hub_totals
from deep_images_hub.measuring.made_up_catalogue import fill
from deep_images_hub.measuring.made_up_dealings import dataset, fill_dealings
from deep_images_hub.measuring.portal_downloads import FORMATS, forget_exported_files, measure_download, store_pictures
from deep_images_hub.measuring.portal_routes import portal_routes
from deep_images_hub.measuring.served_portal import by_route, served_portal

IMAGES = 5_000


@pytest.fixture(scope="module")
def full_hub(hub_of):
    with hub_of() as hub:
        fill(hub.engine, images=IMAGES)
        for _ in range(2):
            fill_dealings(hub.engine)
        yield hub


def test_filled_catalogue_hangs_together(full_hub) -> None:
    with full_hub.engine.begin() as connection:
        assert hub_totals(connection).images == IMAGES
        assert recount(connection) == []
        assert connection.scalar(text("select count(*) from shown_images where is_reviewed")) == IMAGES / 100
        counts = [connection.scalar(text(f"select count(*) from {of}")) for of in ("dataset_versions", "trained_models")]
    assert counts == [2, 2], "doing it twice changes nothing"


def test_bench_asks_every_route_and_downloads_whole_datasets(full_hub, tmp_path) -> None:
    routes = portal_routes(full_hub.engine)
    with full_hub.engine.begin() as connection:
        version = dataset(connection, "downloaded", images=30)
        files = store_pictures(connection, full_hub.store, version)
    with served_portal(full_hub.settings, tmp_path / "times.log") as portal:
        people = portal.sign_in(full_hub.engine)
        for name, route in routes.items():
            status, _, body = portal.get(route.addresses[-1], people[0].headers(route))
            assert status == 200, (name, route.addresses[-1])
            assert b"/images/" in body or name not in ("gallery", "everything", "picture")
        answers = portal.asked(routes, people, 2, seconds=0.5, pause_s=0.0)
        downloads = [
            measure_download(portal, files, version_id=version.id, format_name=name, person=people[0].cookie)
            for name in FORMATS
            for _first_and_kept in range(2)
        ]
        kept = list(full_hub.store.list("exports/"))
        forget_exported_files(full_hub)
    assert by_route(answers).keys() <= routes.keys()
    assert len(answers) >= 2
    assert min(answer.size_bytes for answer in answers) > 0
    assert len(kept) >= len(FORMATS)
    assert list(full_hub.store.list("exports/")) == []
    pictures_bytes = sum(Path(file).stat().st_size for file in files)
    assert [of.size_bytes for of in downloads if of.size_bytes <= pictures_bytes] == [], pictures_bytes
