import pytest

from deep_images_hub.datasets.recipe import SplitFractions
from deep_images_hub.errors import ConflictError, InvalidInputError
from webapp.chosen import (
    MAX_LABELS,
    MAX_SINGLE_PICTURES,
    Selection,
    recipe_from_form,
    selection_from_session,
    session_from_selection,
)

ONE, OTHER = 1, 2


def test_selection_comes_back_from_the_session() -> None:
    selection = Selection().with_label("/m/1").with_label("/m/1").with_picture(ONE).leaving_out(OTHER)
    assert selection.count == 2
    assert selection_from_session(session_from_selection(selection)) == selection
    assert selection_from_session(None) == Selection()


def test_picture_is_either_wanted_or_left_out() -> None:
    selection = Selection().with_picture(ONE).leaving_out(ONE)
    assert (selection.pictures, selection.left_out) == ((), (ONE,))
    selection = selection.with_picture(ONE)
    assert (selection.pictures, selection.left_out) == ((ONE,), ())
    assert selection.without_picture(ONE) == Selection()


def test_full_selection_takes_no_more_and_says_what_to_do() -> None:
    labels = Selection(label_codes=tuple(map(str, range(MAX_LABELS))))
    assert labels.with_label("0") == labels
    with pytest.raises(ConflictError, match="Choose a label above them"):
        labels.with_label("one more")
    with pytest.raises(ConflictError, match="Choose labels"):
        Selection(pictures=tuple(range(1, MAX_SINGLE_PICTURES)), left_out=(MAX_SINGLE_PICTURES,)).leaving_out(
            MAX_SINGLE_PICTURES + 1
        )


def test_recipe_has_the_forms_options() -> None:
    form = {
        "options": "1",
        "max_per_label": " 100 ",
        "train": "80",
        "validation": "",
        "test": "20",
        "min_quality": "0.5",
        "city": "",
    }
    recipe = recipe_from_form(
        Selection(label_codes=("a",), pictures=(OTHER,), left_out=(ONE,)), {ONE: "1" * 64, OTHER: "2" * 64}, form, ("by",)
    )
    assert recipe.with_descendants is False
    assert (recipe.max_per_label, recipe.min_quality, recipe.city, recipe.licences) == (100, 0.5, None, ("by",))
    assert recipe.fractions == SplitFractions(0.8, 0.0, 0.2)
    assert (recipe.pictures, recipe.left_out) == (("2" * 64,), ("1" * 64,))


def test_recipe_without_options_has_the_defaults() -> None:
    recipe = recipe_from_form(Selection(label_codes=("a",)), {}, {}, ())
    assert recipe.with_descendants is True
    assert recipe.fractions == SplitFractions()


@pytest.mark.parametrize(
    "form", [{"max_per_label": "many"}, {"max_per_label": "-1"}, {"seed": "1e3"}, {"min_quality": "high"}, {"train": "x"}]
)
def test_option_that_is_no_number_is_refused_in_words(form: dict[str, str]) -> None:
    with pytest.raises(InvalidInputError, match="expected a"):
        recipe_from_form(Selection(label_codes=("a",)), {}, form, ())


def test_fractions_that_do_not_add_up_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="add up to 1"):
        recipe_from_form(Selection(label_codes=("a",)), {}, {"train": "70", "validation": "20", "test": "20"}, ())


@pytest.mark.parametrize("value", ["nan", "inf"])
def test_number_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(InvalidInputError):
        recipe_from_form(Selection(label_codes=("a",)), {}, {"min_quality": value}, ())
