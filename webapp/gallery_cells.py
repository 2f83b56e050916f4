"""The cells of a gallery as HTML, put together here: as a macro they took half of a page's time.

A template writes eight values a picture, each through a call and a check whether it needs escaping. Of these only a label's name
does, and few labels are on a page.
"""

from collections.abc import Iterable

from markupsafe import Markup, escape

from deep_images_hub.catalogue.images import Picture
from webapp.wording import ratio_class, shown_width_px

# How high a row is, in px: on a phone, and on everything else; and where rows are small.
_ROWS_PX = (132, 200)
_SMALL_ROWS_PX = (88, 120)
_CELL = (
    '<li class="{ratio}"><a href="{address}"><img src="{address}/thumbnail.jpg"'
    ' srcset="{address}/thumbnail.jpg {thumbnail_px}w, {address}/picture.jpg {picture_px}w"'
    ' sizes="(max-width: 48rem) {phone_px}px, {row_px}px"'
    ' width="{width_px}" height="{height_px}" loading="lazy" decoding="async" alt="{name}">{caption}</a></li>\n'
)
_CAPTION = '<span class="caption" aria-hidden="true">{name}</span>'


def gallery_cells(
    pictures: Iterable[Picture], images: str, captions: bool, small: bool, *, thumbnail_side_px: int, image_side_px: int
) -> Markup:
    """Return the cells of some pictures.

    Args:
        images: the address under which pictures have theirs.
        captions: whether each names its label.
        small: whether rows are low.
        thumbnail_side_px, image_side_px: of the short sides of what is stored.
    """
    phone_px, row_px = _SMALL_ROWS_PX if small else _ROWS_PX
    address_start, names, cells = escape(images), dict[str, str](), []
    for picture in pictures:
        name = names.get(picture.label_name)
        if name is None:
            name = names[picture.label_name] = str(escape(picture.label_name))
        cells.append(
            _CELL.format(
                ratio=ratio_class(picture.width_px, picture.height_px),
                # A sha256 is digits from 0-9a-f, which need no escaping, and all else is a number.
                address=f"{address_start}/{picture.sha256}",
                thumbnail_px=shown_width_px(picture, thumbnail_side_px),
                picture_px=shown_width_px(picture, image_side_px),
                phone_px=shown_width_px(picture, phone_px),
                row_px=shown_width_px(picture, row_px),
                width_px=picture.width_px,
                height_px=picture.height_px,
                name=name,
                caption=_CAPTION.format(name=name) if captions else "",
            )
        )
    return Markup("".join(cells))  # noqa: S704 - everything in it is escaped above
