from webapp.charts import stacked_columns


def test_columns_stack_what_they_count_up_to_the_highest() -> None:
    (first, second), top = stacked_columns([("one", {"accepted": 6, "refused": 2}), ("two", {"accepted": 0, "refused": 4})])
    assert top == 8
    assert first.parts == (("accepted", 35.0, 75.0), ("refused", 10.0, 25.0))
    assert second.parts == (("refused", 60.0, 50.0),)
    assert (first.words, second.words) == ("one", "two")
    assert first.x + first.width < second.x


def test_no_columns_are_an_empty_figure() -> None:
    assert stacked_columns([]) == ([], 1)
