import pytest

from webapp.addresses import safe_target


@pytest.mark.parametrize("target", ["/", "/labels?q=apple&x=1", "/images/abc#part", "/labels?next=https://evil.example"])
def test_path_of_this_portal_is_kept(target: str) -> None:
    assert safe_target(target, otherwise="/home") == target


@pytest.mark.parametrize(
    "target",
    [
        None,
        "",
        "labels",
        "https://evil.example/",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "javascript:alert(1)",
    ],
)
def test_address_that_leads_away_is_replaced(target: str | None) -> None:
    assert safe_target(target, otherwise="/home") == "/home"
