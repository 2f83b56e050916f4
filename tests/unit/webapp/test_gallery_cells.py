"""The cells of a gallery: what they say, and that no name of a label is taken for HTML."""

from deep_images_hub.catalogue.images import Picture
from webapp.gallery_cells import gallery_cells


def _cells(name: str, *, captions: bool = True, small: bool = False) -> str:
    picture = Picture(1, "ab" * 32, 7, "/m/x", name, "p", "t", 1600, 800)
    return str(gallery_cells([picture], "/images", captions, small, thumbnail_side_px=128, image_side_px=256))


def test_cell_says_how_wide_its_files_and_its_rows_are() -> None:
    address = f"/images/{'ab' * 32}"
    assert _cells("Apple") == (
        f'<li class="ratio-35"><a href="{address}"><img src="{address}/thumbnail.jpg"'
        f' srcset="{address}/thumbnail.jpg 256w, {address}/picture.jpg 512w" sizes="(max-width: 48rem) 264px, 400px"'
        ' width="1600" height="800" loading="lazy" decoding="async" alt="Apple">'
        '<span class="caption" aria-hidden="true">Apple</span></a></li>\n'
    )
    assert "(max-width: 48rem) 176px, 240px" in _cells("Apple", small=True)
    assert "caption" not in _cells("Apple", captions=False)


def test_hostile_name_stays_a_name() -> None:
    cells = _cells('"><script>{name}</script>')
    assert "<script>" not in cells
    assert cells.count("&#34;&gt;&lt;script&gt;{name}&lt;/script&gt;") == 2
