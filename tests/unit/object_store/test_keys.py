from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deep_images_hub.errors import ConflictError, InvalidInputError
from deep_images_hub.object_store.folder import FolderStore
from deep_images_hub.object_store.keys import check_key, check_key_start, landing_key, manifest_key, picture_key, thumbnail_key

SHA256 = "ab" * 32


@pytest.mark.parametrize(
    "key", [landing_key("batch 1", 7, ".jpg"), manifest_key("batch 1"), picture_key(SHA256), thumbnail_key(SHA256)]
)
def test_keys_of_the_hub_keep_the_rules(key: str) -> None:
    assert check_key(key) == key


@given(st.text())
def test_key_that_is_accepted_stays_inside_a_folder(text: str) -> None:
    try:
        key = check_key(text)
    except InvalidInputError:
        return
    folder = Path("/srv/hub")
    assert (folder / key).resolve().is_relative_to(folder)
    assert str(folder / key) == f"/srv/hub/{key}"
    assert len(key.encode()) <= 900
    for length in range(len(key)):
        if max(key[length], "a") < "\u0300":
            check_key_start(key[:length])


# Few letters, so that names meet; all of them sort around the slash.
PARTS = st.text(st.sampled_from("ab-.0é~"), min_size=1, max_size=3).filter(lambda part: part not in (".", ".."))
KEYS = st.lists(PARTS, min_size=1, max_size=3).map("/".join)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(keys=st.lists(KEYS, max_size=12), prefix=KEYS | st.just(""), start_after=KEYS | st.just(""), slash=st.booleans())
def test_list_of_any_folder_is_a_sorted_search(
    tmp_path_factory: pytest.TempPathFactory, keys: list[str], prefix: str, start_after: str, slash: bool
) -> None:
    store = FolderStore(tmp_path_factory.mktemp("objects"))
    stored = set()
    for key in keys:
        try:
            store.create(key, b"1")
            stored.add(key)
        except ConflictError:
            pass
    prefix += "/" * (slash and bool(prefix))
    expected = [key for key in sorted(stored, key=str.encode) if key.startswith(prefix) and key.encode() > start_after.encode()]
    assert [found.key for found in store.list(prefix, start_after)] == expected
