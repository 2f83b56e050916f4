from hypothesis import given
from hypothesis import strategies as st

from deep_images_hub.verdicts import BROKEN_REASONS, CHECKS, QUALITY_REASONS, REASONS, REVIEW_REASONS, Verdict, decision_of

OUTCOMES = st.sampled_from(["pass", "flag", "fail"])


def test_decision_of_no_failure_is_accepted_whatever_is_flagged() -> None:
    assert decision_of([]) == ("accepted", None)
    assert decision_of([Verdict(check, "flag") for check in CHECKS]) == ("accepted", None)


def test_decision_of_a_broken_file_names_what_is_wrong_with_it() -> None:
    for reason in BROKEN_REASONS:
        verdicts = [Verdict("bytes", "pass"), Verdict("decode", "fail", detail=f"{reason}: the file: it ends")]
        assert decision_of(verdicts) == ("rejected", reason)


def test_decision_of_a_doubted_label_alone_is_review() -> None:
    doubted = Verdict("label_agreement", "fail", score=0.01, threshold=0.1)

    assert decision_of([Verdict("dark", "pass"), doubted]) == ("review", "label_agreement")
    assert decision_of([doubted, Verdict("dark", "fail")]) == ("rejected", "dark")


@given(st.dictionaries(st.sampled_from(["exact_duplicates", *QUALITY_REASONS, *REVIEW_REASONS]), OUTCOMES), st.randoms())
def test_decision_of_many_verdicts_is_the_first_failure_in_the_order_of_reasons(outcomes: dict[str, str], order) -> None:
    verdicts = [Verdict(check, outcome) for check, outcome in outcomes.items()]
    order.shuffle(verdicts)

    failed = [reason for reason in REASONS if outcomes.get(reason) == "fail"]

    status = "accepted" if not failed else "review" if failed == ["label_agreement"] else "rejected"
    assert decision_of(verdicts) == (status, failed[0] if failed else None)
