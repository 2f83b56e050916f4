"""Recipes: one meaning, one digest; wrong ones say what was expected."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deep_images_hub.datasets.recipe import Recipe, SplitFractions, check_label_codes, recipe_from_body
from deep_images_hub.errors import InvalidInputError
from deep_images_hub.licences import LICENCES

codes = st.text(min_size=1, max_size=12)
sha256s = st.text(alphabet="0123456789abcdef", min_size=64, max_size=64)
percentages = st.tuples(st.integers(1, 100), st.integers(0, 100)).map(
    lambda pair: SplitFractions(
        train=pair[0] / 100, validation=(v := (100 - pair[0]) * pair[1] // 100) / 100, test=(100 - pair[0] - v) / 100
    )
)
recipes = st.builds(
    Recipe,
    label_codes=st.lists(codes, min_size=1, max_size=6).map(tuple),
    with_descendants=st.booleans(),
    pictures=st.lists(sha256s, max_size=3).map(tuple),
    left_out=st.lists(sha256s, max_size=3).map(tuple),
    max_per_label=st.none() | st.integers(1, 10_000),
    city=st.none() | st.text(max_size=20),
    licences=st.lists(st.sampled_from(LICENCES)).map(tuple),
    min_quality=st.floats(0, 1),
    seed=st.integers(0, 2**63 - 1),
    fractions=percentages,
)


@given(recipes)
def test_recipe_read_from_its_canonical_json_is_the_same(recipe: Recipe) -> None:
    again = recipe_from_body(json.loads(recipe.canonical_json))
    assert again == recipe
    assert again.digest == recipe.digest


@given(recipes, st.randoms())
def test_recipe_with_labels_in_another_order_has_the_same_digest(recipe: Recipe, random: object) -> None:
    body = json.loads(recipe.canonical_json)
    body["label_codes"] = [*reversed(body["label_codes"]), body["label_codes"][0]]
    assert recipe_from_body(body).digest == recipe.digest


@pytest.mark.parametrize(
    ("change", "part_of_message"),
    [
        ({"label_codes": []}, "no label and no picture"),
        ({"label_codes": "apple"}, "expected a list"),
        ({"max_per_label": 0}, "expected 1 or more"),
        ({"max_per_label": True}, "expected int or nothing"),
        ({"max_per_label": "100"}, "expected int or nothing"),
        ({"licences": ["by", "mit"]}, "'mit' is not a licence"),
        ({"min_quality": 1.5}, "from 0 (any) to 1"),
        ({"seed": -1}, "whole number from 0"),
        ({"left_out": ["abc"]}, "64 digits"),
        ({"with_descendants": 1}, "true or false"),
        ({"fractions": {"train": 0.5, "test": 0.5}}, "three numbers"),
        ({"fractions": {"train": 0.5, "validation": 0.3, "test": 0.3}}, "add up to 1"),
        ({"fractions": {"train": 0, "validation": 0.5, "test": 0.5}}, "nothing could be learnt"),
        ({"label_code": ["apple"]}, "Did you mean 'label_codes'?"),
        ({"format": 99}, "reads format 1"),
    ],
)
def test_recipe_with_wrong_value_says_what_was_expected(change: dict[str, object], part_of_message: str) -> None:
    with pytest.raises(InvalidInputError, match=r".+") as caught:
        recipe_from_body({"label_codes": ["apple"], **change})
    assert part_of_message in str(caught.value)


@pytest.mark.parametrize(("asked", "nearest"), [("/m/0jyfh", "/m/0jyfg"), ("Wine", "/m/081qc"), ("wine glas", "/m/09tvcd")])
def test_unknown_label_code_names_the_nearest(asked: str, nearest: str) -> None:
    known = {"/m/0jyfg": "Glasses", "/m/081qc": "Wine", "/m/09tvcd": "Wine glass"}
    with pytest.raises(InvalidInputError) as caught:
        check_label_codes([asked], known)
    assert repr(nearest) in str(caught.value)
    assert repr(asked) in str(caught.value)


def test_known_label_codes_pass() -> None:
    check_label_codes(["a"], {"a": "A"})
