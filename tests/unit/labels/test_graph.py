import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deep_images_hub.errors import InvalidInputError
from deep_images_hub.labels.graph import PART, LabelEdge, LabelGraph, clean_text, graph_from_pairs


def graph_of(*edges: tuple[str, str], parts: tuple[tuple[str, str], ...] = ()) -> LabelGraph:
    codes = {code for edge in (*edges, *parts) for code in edge}
    return LabelGraph(
        names={code: code for code in codes},
        edges=frozenset([*(LabelEdge(*edge) for edge in edges), *(LabelEdge(*edge, PART) for edge in parts)]),
    )


def test_closure_of_several_ways_takes_the_shortest() -> None:
    graph = graph_of(("food", "fruit"), ("fruit", "apple"), ("food", "snack"), ("snack", "apple"), ("food", "apple"))

    closure = graph.closure()

    assert closure["food", "apple"] == 1
    assert closure["fruit", "apple"] == 1
    assert closure["apple", "apple"] == 0
    assert ("apple", "food") not in closure
    assert len(closure) == 4 + 3 + 1 + 1  # each with itself; under food; under fruit; under snack


def test_closure_of_parts_is_empty() -> None:
    graph = graph_of(("vehicle", "car"), parts=(("car", "wheel"),))

    assert ("car", "wheel") not in graph.closure()
    assert graph.roots == ["vehicle"]


def test_graph_with_a_circle_is_refused_and_the_circle_is_named() -> None:
    with pytest.raises(InvalidInputError, match=r"b > c > d > b \(subcategory\)"):
        graph_of(("a", "b"), ("b", "c"), ("c", "d"), ("d", "b"))


def test_graph_with_a_label_under_itself_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="a > a"):
        graph_of(("a", "a"))


def test_graph_with_a_circle_of_parts_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"\(part\)"):
        graph_of(parts=(("a", "b"), ("b", "a")))


def test_graph_with_part_and_kind_in_opposite_directions_is_no_circle() -> None:
    assert graph_of(("a", "b"), parts=(("b", "a"),)).roots == []


def test_graph_with_an_edge_to_nowhere_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="'pear', which does not exist"):
        LabelGraph(names={"fruit": "Fruit"}, edges=frozenset({LabelEdge("fruit", "pear")}))


@pytest.mark.parametrize("name", ["", " apple", "apple ", "a  b", "a\nb", "x" * 201])
def test_graph_with_an_unclean_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidInputError, match="cannot be a label's name"):
        LabelGraph(names={"apple": name})


@pytest.mark.parametrize("name", ["Hell's Kitchen", "Meal, ready-to-eat", 'a "quoted" name', "x" * 200, "Ä", "50%"])
def test_graph_with_odd_names_keeps_them(name: str) -> None:
    assert LabelGraph(names={name: name}).names[name] == name


def test_merged_graphs_with_other_names_take_the_later_and_keep_all_edges() -> None:
    merged = graph_of(("food", "fruit")).merged(
        LabelGraph(names={"fruit": "Fruits", "apple": "Apple"}, edges=frozenset({LabelEdge("fruit", "apple")}))
    )

    assert merged.names == {"food": "food", "fruit": "Fruits", "apple": "Apple"}
    assert merged.closure()["food", "apple"] == 2


def test_merged_graphs_that_close_a_circle_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="themselves"):
        graph_of(("a", "b")).merged(graph_of(("b", "a")))


def test_circle_at_the_end_of_a_long_chain_is_found() -> None:
    codes = [f"{number:05d}" for number in range(5_000)]
    chain = list(itertools.pairwise(codes))

    assert graph_of(*chain).roots == [codes[0]]
    with pytest.raises(InvalidInputError, match="themselves"):
        graph_of(*chain, (codes[-1], codes[0]))


def test_graph_from_pairs_with_several_parents_and_blank_ones_makes_one_label_each() -> None:
    graph = graph_from_pairs([("Food", None), ("Apple", "Food"), ("Apple", " Fruit  basket "), ("Food", "")])

    assert set(graph.names) == {"Food", "Apple", "Fruit basket"}
    assert graph.roots == ["Food", "Fruit basket"]


@given(st.sets(st.tuples(st.integers(0, 7), st.integers(0, 7)).filter(lambda edge: edge[0] < edge[1])))
def test_closure_of_any_acyclic_graph_holds_exactly_what_can_be_reached(edges: set[tuple[int, int]]) -> None:
    graph = LabelGraph(
        names={str(number): str(number) for number in range(8)},
        edges=frozenset(LabelEdge(str(parent), str(child)) for parent, child in edges),
    )
    shortest = {(str(number), str(number)): 0 for number in range(8)}
    for steps in range(1, 8):
        for (ancestor, parent), depth in list(shortest.items()):
            for child in (str(below) for above, below in edges if str(above) == parent and depth == steps - 1):
                shortest.setdefault((ancestor, child), steps)

    assert graph.closure() == shortest


def test_clean_text_of_decomposed_letters_and_odd_spaces_is_one_form() -> None:
    assert clean_text("  Cafe\u0301\u00a0 au\tlait ") == "Caf\u00e9 au lait"
