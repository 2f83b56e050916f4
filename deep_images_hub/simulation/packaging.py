"""Cans, bottles, cartons, a cereal box, a jam jar and a mug: each as a cut-out under light, from artwork and a few solids."""

import random
from collections.abc import Callable

from PIL import Image, ImageDraw

from deep_images_hub.simulation.label_art import AROUND_PX, COLOUR_WAYS, HEIGHT_PX, Colour, artwork
from deep_images_hub.simulation.solids import PX_PER_UNIT, Camera, Light, lit, paste_face, profile, px, revolve, shaded

_METAL: Colour = (196, 198, 204)
_GLASSES: tuple[Colour, ...] = ((38, 66, 36), (88, 54, 22), (60, 78, 40), (176, 160, 90))
_WATERS: tuple[Colour, ...] = ((190, 220, 236), (206, 226, 220), (220, 226, 236))
_JAMS: tuple[Colour, ...] = ((122, 18, 34), (84, 22, 70), (190, 92, 18), (150, 24, 60), (92, 110, 30))
_CERAMICS: tuple[Colour, ...] = ((240, 236, 226), (222, 226, 230), (240, 226, 204))

_Point = tuple[float, float, float]
_Projection = Callable[[float, float, float], tuple[float, float]]


def _stack(width: int, parts: list[tuple[Image.Image, int]]) -> Image.Image:
    """Lay cut-outs over one another, each centred, its top at the given row of px; trimmed to what is seen."""
    height = max(top + part.height for part, top in parts)
    canvas = Image.new("RGBA", (width, height))
    for part, top in parts:
        canvas.alpha_composite(part, ((width - part.width) // 2, top))
    return canvas.crop(canvas.getbbox())


def _disc(radius: float, light: Light, colour: Colour, rim: Colour | None = None) -> Image.Image:
    """A flat top, as seen from above; next to nothing when seen from the side."""
    half = max(1, px(radius * light.elevation))
    disc = Image.new("RGBA", (2 * px(radius) + 1, 2 * half + 1))
    brightness = light.on_face((0, -1, 0))
    edge = shaded(rim, brightness) if rim else None
    ImageDraw.Draw(disc).ellipse((0, 0, disc.width - 1, disc.height - 1), shaded(colour, brightness), edge, width=3)
    return disc


def _around(*bands: tuple[int, Image.Image | tuple[int, ...]]) -> Image.Image:
    """A texture from bands of (height, artwork or one colour), top to bottom."""
    texture = Image.new("RGBA", (AROUND_PX, sum(height for height, _ in bands)))
    top = 0
    for height, filling in bands:
        if isinstance(filling, Image.Image):
            texture.paste(filling.resize((AROUND_PX, height), Image.Resampling.BILINEAR), (0, top))
        else:
            texture.paste(filling, (0, top, AROUND_PX, top + height))
        top += height
    return texture


def _turn(rng: random.Random) -> float:
    """Mostly the printed face to the viewer, sometimes well turned away."""
    return rng.choice((0.25, 0.75)) + rng.gauss(0, 0.09)


def _way(rng: random.Random) -> int:
    return rng.randrange(len(COLOUR_WAYS))


def _can(design: str, light: Light, rng: random.Random) -> Image.Image:
    way = _way(rng)
    ground = COLOUR_WAYS[way][0]
    radii = profile(((0, 88), (0.03, 96), (0.1, 116), (0.9, 116), (0.96, 104), (1, 92)), 430)
    texture = _around((14, _METAL), (22, ground), (360, artwork(design, way)), (24, ground), (12, _METAL))
    body = revolve(radii, texture, light, turn=_turn(rng), gloss=0.9)
    lid = _disc(88, light, (208, 210, 214), rim=(236, 238, 240))
    middle, half = lid.width // 2, lid.height // 2
    ring = (middle - px(22), half - half // 3, middle + px(22), half + half // 2)
    ImageDraw.Draw(lid).ellipse(ring, outline=(110, 112, 118, 255), width=2)
    return _stack(px(260), [(body, lid.height // 2), (lid, 0)])


def cola_can(light: Light, rng: random.Random) -> Image.Image:
    """Draw a can with waves around it."""
    return _can("waves", light, rng)


def soda_can(light: Light, rng: random.Random) -> Image.Image:
    """Draw a can with rings and moons."""
    return _can("orbits", light, rng)


def water_bottle(light: Light, rng: random.Random) -> Image.Image:
    """Draw a clear bottle, ribbed, with mountains on its label."""
    water = (*rng.choice(_WATERS), 150)
    cap = rng.choice(COLOUR_WAYS)[rng.randrange(2)]
    ribs = [(0.66 + step * 0.035, 74 if step % 2 else 79) for step in range(9)]
    points = ((0, 27), (0.055, 27), (0.06, 31), (0.075, 31), (0.085, 26), (0.12, 28), (0.26, 78), (0.33, 80), (0.64, 80))
    radii = profile((*points, *ribs, (0.97, 78), (1, 66)), 620)
    label = artwork("peaks", _way(rng))
    texture = _around((42, (*cap, 255)), (8, (*water[:3], 210)), (130, water), (220, label), (220, water))
    body = revolve(radii, texture, light, turn=_turn(rng), gloss=1.0)
    return _stack(px(200), [(body, 6), (_disc(27, light, cap), 1)])


def oil_bottle(light: Light, rng: random.Random) -> Image.Image:
    """Draw a tall bottle of dark glass with an olive branch on its label."""
    glass = (*rng.choice(_GLASSES), 236)
    stopper = rng.choice(((40, 36, 34), (196, 160, 104), (150, 30, 34), (190, 170, 90)))
    points = ((0, 22), (0.07, 22), (0.075, 29), (0.09, 29), (0.1, 23), (0.26, 26), (0.34, 60), (0.42, 77), (0.97, 77), (1, 70))
    texture = _around((48, (*stopper, 255)), (200, glass), (44, glass), (220, artwork("leaves", _way(rng))), (128, glass))
    body = revolve(profile(points, 640), texture, light, turn=_turn(rng), gloss=1.0)
    return _stack(px(190), [(body, 6), (_disc(22, light, stopper), 1)])


def jam_jar(light: Light, rng: random.Random) -> Image.Image:
    """Draw a low jar under a chequered lid, berries on its label."""
    art, cloth = artwork("berries", _way(rng)), artwork("gingham", _way(rng))
    jam = (*rng.choice(_JAMS), 244)
    label = Image.new("RGBA", (AROUND_PX, 180), jam)
    label.paste(art.crop((20, 0, 300, HEIGHT_PX)).resize((250, 180)), (35, 0))
    label.paste(art.crop((340, 0, 620, HEIGHT_PX)).resize((250, 180)), (355, 0))
    radii = profile(((0, 96), (0.06, 100), (0.18, 104), (0.22, 124), (0.92, 124), (1, 108)), 320)
    body = revolve(radii, _around((108, jam), (180, label), (32, jam)), light, turn=_turn(rng), gloss=0.8)
    lid_radii = profile(((0, 104), (0.25, 110), (0.8, 112), (1, 118)), 74)
    lid = revolve(lid_radii, cloth.crop((0, 0, AROUND_PX, 120)), light, turn=rng.random(), gloss=0.1)
    top = _disc(104, light, (255, 255, 255))
    checks = lit(cloth.crop((0, 0, 240, 240)).resize(top.size), light.on_face((0, -1, 0)))
    top.paste(checks, (0, 0), top.getchannel("A"))
    return _stack(px(270), [(body, px(34) + top.height // 2), (lid, top.height // 2), (top, 0)])


def mug(light: Light, rng: random.Random) -> Image.Image:
    """Draw a mug with stripes and a handle, its drink seen from above."""
    ceramic = rng.choice(_CERAMICS)
    texture = _around((26, ceramic), (250, artwork("stripes", _way(rng))), (30, ceramic))
    body = revolve(profile(((0, 118), (0.8, 114), (0.94, 104), (1, 92)), 270), texture, light, turn=rng.random(), gloss=0.8)
    half, middle = px(118 * light.elevation), px(200)
    canvas = Image.new("RGBA", (2 * middle, body.height + half + 4))
    side = rng.choice((-1, 1)) * rng.uniform(0.75, 1)
    shade = light.on_face((0.6 if side > 0 else -0.6, 0, 0.8))
    x = middle + px(side * 112)
    ring = (x - px(74), half + px(46), x + px(74), half + px(206))
    ImageDraw.Draw(canvas).ellipse(ring, outline=shaded(ceramic, shade), width=px(26))
    canvas.alpha_composite(body, (middle - body.width // 2, half))
    inside = (round(ceramic[0] * 0.62), round(ceramic[1] * 0.62), round(ceramic[2] * 0.62))
    drink = rng.choice(((58, 34, 22), (128, 74, 30), (222, 206, 180), (96, 110, 40)))
    opening = _disc(118, light, ceramic)
    for radius, colour, down in ((118, ceramic, 0.0), (108, inside, 0.0), (98, drink, 8.0)):
        disc = _disc(radius, light, colour)
        top = (opening.height - disc.height) // 2 + px(down * light.elevation)
        canvas.alpha_composite(disc, (middle - disc.width // 2, top))
    return canvas.crop(canvas.getbbox())


def _box(design: str, size: _Point, light: Light, rng: random.Random, *, roof: float = 0) -> Image.Image:
    """Draw a box of (width, height, depth), turned a little, under a flat lid or under a gable that rises by `roof`."""
    way = _way(rng)
    art, ground = artwork(design, way), COLOUR_WAYS[way][0]
    start = rng.choice((0, AROUND_PX // 2))
    front = art.crop((start, 0, start + AROUND_PX // 2, HEIGHT_PX))
    side = art.crop((AROUND_PX // 2 - 80, 0, AROUND_PX // 2 + 80, HEIGHT_PX))
    width, height, depth = (length * PX_PER_UNIT for length in size)
    camera = Camera(rng.choice((-1, 1)) * rng.uniform(8, 48), light.elevation)
    canvas = Image.new("RGBA", (px(560), px(760)))

    def at(x: float, y: float, z: float) -> tuple[float, float]:
        shown_x, shown_y = camera.project(x * width / 2, y * height / 2, z * depth / 2)
        return px(280) + shown_x, px(420) + shown_y

    faces: tuple[tuple[Image.Image, _Point, tuple[_Point, _Point, _Point]], ...] = (
        (front, (0, 0, 1), ((-1, -1, 1), (1, -1, 1), (-1, 1, 1))),
        (side, (1, 0, 0), ((1, -1, 1), (1, -1, -1), (1, 1, 1))),
        (side, (-1, 0, 0), ((-1, -1, -1), (-1, -1, 1), (-1, 1, -1))),
    )
    lid = Image.new("RGB", (8, 8), ground)
    paste_face(canvas, lid, (at(-1, -1, -1), at(1, -1, -1), at(-1, -1, 1)), light.on_face((0, -1, 0)))
    for texture, normal, corners in faces:
        turned = camera.turned(normal)
        if turned[2] > 0:
            paste_face(canvas, texture, [at(*corner) for corner in corners], light.on_face(turned))
    if roof:
        _draw_gable(canvas, at, 2 * roof / size[1], ground, light, camera)
    return canvas.crop(canvas.getbbox())


def _draw_gable(canvas: Image.Image, at: _Projection, rise: float, ground: Colour, light: Light, camera: Camera) -> None:
    """Draw the top of a carton: two gussets, the slope that is seen, and the fin over them. rise: in halves of the height."""
    draw = ImageDraw.Draw(canvas)
    left, right = at(-1, -1 - rise, 0), at(1, -1 - rise, 0)
    for end, ridge in ((1, right), (-1, left)):
        turned = camera.turned((end, 0, 0))
        if turned[2] > 0:
            draw.polygon((at(end, -1, 1), at(end, -1, -1), ridge), fill=shaded(ground, light.on_face(turned) * 0.8))
    slope = shaded(ground, light.on_face(camera.turned((0, -0.6, 0.8))))
    draw.polygon((at(-1, -1, 1), at(1, -1, 1), right, left), fill=slope)
    fin = shaded(ground, light.on_face(camera.turned((0, 0, 1))) * 1.06)
    draw.polygon((left, right, at(1, -1 - rise * 1.5, 0), at(-1, -1 - rise * 1.5, 0)), fill=fin)
    draw.line((left, right), fill=(60, 60, 60, 120), width=2)


def milk_carton(light: Light, rng: random.Random) -> Image.Image:
    """Draw a gabled carton with the patches of a cow."""
    return _box("patches", (210, 380, 200), light, rng, roof=84)


def juice_carton(light: Light, rng: random.Random) -> Image.Image:
    """Draw a gabled carton with slices of fruit."""
    return _box("slices", (210, 380, 200), light, rng, roof=84)


def cereal_box(light: Light, rng: random.Random) -> Image.Image:
    """Draw a broad, thin box with a bowl before a burst of rays."""
    return _box("burst", (330, 470, 110), light, rng)
