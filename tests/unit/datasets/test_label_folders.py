"""Label folders: readable where names allow, unique and safe always."""

import re

from hypothesis import given
from hypothesis import strategies as st

from deep_images_hub.datasets.label_folders import label_folders


def test_folders_are_readable() -> None:
    names = {"/m/01": "Granny Smith", "/m/02": "Hell's Kitchen", "/m/03": "Crème brûlée", "/m/04": "<script>alert(1)</script>"}
    assert list(label_folders(names).values()) == ["granny-smith", "hells-kitchen", "creme-brulee", "script-alert-1-script"]


def test_folders_of_equal_names_are_told_apart_by_code() -> None:
    assert label_folders({"/m/0a": "Jaguar", "/m/0b": "jaguar"}) == {"/m/0a": "jaguar-m-0a", "/m/0b": "jaguar-m-0b"}


def test_folders_of_reserved_names_are_changed() -> None:
    assert label_folders({"x1": "CON"}) == {"x1": "con-x1"}


@given(st.dictionaries(st.text(min_size=1, max_size=12), st.text(max_size=80), max_size=12))
def test_folders_are_safe_and_unique_whatever_the_names(names: dict[str, str]) -> None:
    folders = label_folders(names)
    assert folders.keys() == names.keys()
    assert len({folder.lower() for folder in folders.values()}) == len(names)
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9-]{0,89}", folder) for folder in folders.values())
    assert label_folders(dict(reversed(names.items()))) == folders


@given(st.lists(st.sampled_from(["a", "a b", "a-b", "A B", "a b c", "a-b-c"]), min_size=2, max_size=6, unique=True))
def test_folders_are_unique_when_names_imitate_suffixed_ones(names: list[str]) -> None:
    folders = label_folders({name: "a" if index % 2 else name for index, name in enumerate(names)})
    assert len(set(folders.values())) == len(names)
