"""Files of new datasets that are made before anybody asks: as fast for the first as for whoever comes after."""

from sqlalchemy import text

from deep_images_hub.datasets.keeping import KeptFiles
from deep_images_hub.datasets.making_ahead import AHEAD, MakingAhead
from tests.integration.portal.conftest import HALVES
from tests.integration.portal.keeping import KeepingHub, fetched


def streamed(hub: KeepingHub) -> dict[str, bytes]:
    """Return the files that are made ahead as they are where nothing is kept."""
    with hub.keeping_nothing():
        client = hub.client()
        addresses = [hub.address(name, file) for name in AHEAD for file in hub.names(client, name)]
        return {address: fetched(client, address).data for address in addresses}


def test_first_download_of_a_new_dataset_is_of_files_that_were_made_ahead(hub_with) -> None:
    hub = hub_with()
    ahead, expected = MakingAhead(hub.kept), streamed(hub)
    assert len(expected) > len(AHEAD)

    assert ahead.make_next() == hub.version_id

    assert len(hub.objects()) == len(expected)
    assert ahead.make_next() is None
    client = hub.client()
    with hub.without_pictures():
        assert {address: fetched(client, address).data for address in expected} == expected


def test_patch_of_a_dataset_is_made_ahead_and_what_it_patches_is_not(hub_with) -> None:
    hub = hub_with()
    ahead = MakingAhead(hub.kept)
    ahead.make_next()
    hub.take_down(hub.images["/m/apple"][0])
    assert hub.objects() == []

    patch_id = ahead.make_next()

    assert patch_id not in (None, hub.version_id)
    assert set(hub.rows("version_id")) == {patch_id}
    assert MakingAhead(hub.kept).make_next() == patch_id


def test_dataset_of_yesterday_is_left_to_whoever_asks_for_it(hub_with) -> None:
    hub = hub_with()
    with hub.hub.engine.begin() as connection:
        connection.execute(text("update dataset_versions set created_at = now() - interval '25 hours'"))
    assert MakingAhead(hub.kept).make_next() is None


def test_what_somebody_asked_for_lately_gives_way_to_nothing_that_is_made_ahead(hub_with) -> None:
    hub = hub_with()
    client, address = hub.client(), hub.address("tfrecord", "train-00000-of-00001.tfrecord")
    names = hub.names(client, "tfrecord")
    address = hub.address("tfrecord", names[0])
    size_bytes = len(fetched(client, address).data)
    (asked_for,) = hub.objects()
    ahead = MakingAhead(KeptFiles(hub.hub.engine, hub.hub.store, size_bytes + 100))
    ahead.make_next()
    assert hub.objects() == [asked_for]

    with hub.hub.engine.begin() as connection:
        connection.execute(text("update kept_files set used_at = now() - interval '8 days'"))
    again = hub.version("/m/apple", name="Another", fractions=HALVES)
    assert ahead.make_next() == again.id
    assert asked_for not in hub.objects()


def test_file_whose_making_is_stopped_leaves_nothing(hub_with) -> None:
    hub = hub_with()
    answers = iter([False, True])
    MakingAhead(hub.kept, should_stop=lambda: next(answers)).make_next()
    assert (hub.objects(), hub.rows(where="true")) == ([], [])
