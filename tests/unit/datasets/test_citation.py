"""Citations: what a paper's tools read, whatever a dataset is called."""

from dataclasses import dataclass
from datetime import UTC, datetime

from deep_images_hub.datasets.citation import bibtex, citation_text


@dataclass(frozen=True)
class Cited:
    name: str
    digest: str = "ab" * 32
    image_count: int = 1_234
    created_at: datetime = datetime(2026, 5, 1, tzinfo=UTC)


def test_citation_names_the_version_by_its_digest() -> None:
    text = citation_text(Cited("Apples"), url="https://hub.example/datasets/1")
    assert text == (
        "Contributors of Deep Images Hub (2026). Apples [1,234 photographs, version abababababab]. Deep Images Hub. "
        f"https://hub.example/datasets/1 (sha256 {'ab' * 32})"
    )


def test_bibtex_of_an_awkward_name_keeps_its_braces_balanced() -> None:
    entry = bibtex(Cited("50 % {off} \\input & more_ #1 ~"), url="https://hub.example/datasets/1")
    assert "title = {50 \\% (off) input \\& more\\_ \\#1}" in entry
    assert entry.startswith("@misc{deepimageshub-abababababab,\n")
    assert entry.count("{") == entry.count("}")
