"""Apples, pears and bananas as cut-outs under light."""

import random
from math import cos, pi, sin

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from deep_images_hub.simulation.label_art import Colour
from deep_images_hub.simulation.solids import PX_PER_UNIT, Light, px, revolve, shaded

_APPLES: tuple[tuple[Colour, Colour], ...] = (
    ((190, 26, 34), (228, 190, 70)),
    ((150, 16, 36), (96, 8, 26)),
    ((132, 176, 44), (176, 204, 84)),
    ((222, 196, 80), (232, 128, 60)),
    ((214, 84, 84), (236, 208, 130)),
)
_PEARS: tuple[tuple[Colour, Colour], ...] = (
    ((168, 178, 60), (196, 190, 88)),
    ((206, 186, 84), (196, 116, 56)),
    ((126, 146, 52), (158, 168, 70)),
    ((176, 126, 66), (200, 160, 96)),
    ((160, 52, 44), (196, 120, 60)),
)
_BANANAS: tuple[tuple[Colour, Colour], ...] = (
    ((234, 200, 60), (190, 150, 40)),
    ((222, 208, 90), (150, 170, 60)),
    ((150, 172, 62), (120, 150, 50)),
    ((206, 160, 60), (120, 76, 30)),
)


def _skin(colours: tuple[Colour, Colour], rng: random.Random, freckles: int, has_streaks: bool) -> Image.Image:
    """A skin that runs from one colour to the other in soft patches, with freckles."""
    noise = np.random.default_rng(rng.getrandbits(64))
    patches = noise.random((5, 4 if not has_streaks else 40), dtype=np.float32) * 255
    mix = Image.fromarray(patches.astype(np.uint8)).resize((480, 320), Image.Resampling.BICUBIC)
    skin = Image.composite(Image.new("RGB", mix.size, colours[0]), Image.new("RGB", mix.size, colours[1]), mix)
    draw = ImageDraw.Draw(skin)
    fleck = tuple(min(255, level + 40) for level in colours[0])
    for _ in range(freckles):
        x, y, size = rng.randrange(480), rng.randrange(320), rng.choice((1, 1, 2))
        draw.ellipse((x - size, y - size, x + size, y + size), fill=fleck if rng.random() < 0.6 else (110, 84, 50))
    return skin


def _smooth(radii: NDArray[np.float64], reach: float) -> NDArray[np.float32]:
    """Round off the corners of a profile over this share of its height."""
    kernel = np.hanning(int(len(radii) * reach) | 1)
    padded = np.pad(radii, len(kernel) // 2, mode="reflect", reflect_type="odd")
    smoothed = np.convolve(padded, kernel / kernel.sum(), mode="valid")
    return np.maximum(smoothed, 0).astype(np.float32)


def _with_stem(body: Image.Image, rng: random.Random, *, dip: float, length: float, has_leaf: bool) -> Image.Image:
    """Put a stem, and perhaps a leaf, on a fruit. dip: how deep the stem begins below the top."""
    canvas = Image.new("RGBA", (body.width + px(60), body.height + px(length + 30)))
    top, middle = px(length), canvas.width / 2
    canvas.alpha_composite(body, (px(30), top))
    draw = ImageDraw.Draw(canvas)
    if dip:
        hollow = Image.new("RGBA", canvas.size)
        box = (middle - px(46), top + px(2), middle + px(46), top + px(dip * 1.7))
        ImageDraw.Draw(hollow).ellipse(box, fill=(40, 30, 10, 110))
        canvas.alpha_composite(hollow.filter(ImageFilter.BoxBlur(px(5))))
    lean = px(rng.uniform(-26, 26))
    stem = ((middle, top + px(dip)), (middle + lean * 0.4, top - px(length * 0.4)), (middle + lean, px(6)))
    draw.line(stem, fill=(92, 64, 34, 255), width=px(11), joint="curve")
    if has_leaf:
        side, root = rng.choice((-1, 1)), top - px(length * 0.2)
        steps = [(px(8 + step * 9), sin(step / 8 * pi), px(step * 2)) for step in range(9)]
        upper = [(middle + side * out, root - px(26) * arch - rise) for out, arch, rise in steps]
        lower = [(middle + side * out, root + px(13) * arch - rise) for out, arch, rise in reversed(steps)]
        draw.polygon((*upper, *lower), fill=(74, 128, 48, 255))
        draw.line((upper[0], upper[-1]), fill=(150, 186, 100, 255), width=2)
    return canvas.crop(canvas.getbbox())


def apple(light: Light, rng: random.Random) -> Image.Image:
    """Draw an apple: broad shoulders, a stem in its dip, sometimes a leaf."""
    skin = _skin(rng.choice(_APPLES), rng, freckles=90, has_streaks=rng.random() < 0.5)
    wide, narrowing = rng.uniform(128, 142), rng.uniform(0.14, 0.26)
    down = np.linspace(0, 1, px(wide * 1.8))
    # Rounder than a circle at the shoulders, narrower towards the base.
    round_off = (1 - np.abs(2 * down - 1) ** 2.5) ** (1 / 1.9)
    radii = _smooth(round_off * (1 + narrowing * 0.5 - narrowing * down) * wide * PX_PER_UNIT, 0.05)
    body = revolve(radii, skin, light, turn=rng.random(), gloss=0.55, is_flesh=True)
    return _with_stem(body, rng, dip=24, length=40, has_leaf=rng.random() < 0.4)


def pear(light: Light, rng: random.Random) -> Image.Image:
    """Draw a pear: a narrow neck over a round belly, freckled."""
    skin = _skin(rng.choice(_PEARS), rng, freckles=260, has_streaks=False)
    belly, neck, height = rng.uniform(112, 124), rng.uniform(50, 64), rng.uniform(310, 350)
    down = np.linspace(0, height, px(height))
    round_belly = np.sqrt(np.clip(belly**2 - (down - (height - belly)) ** 2, 0, None))
    round_neck = np.sqrt(np.clip(neck**2 - (down - neck) ** 2, 0, None))
    slope = np.interp(down, (neck, height - belly), (neck, belly), left=0, right=0)
    radii = _smooth(np.maximum(np.maximum(round_belly, round_neck), slope * 0.96) * PX_PER_UNIT, 0.16)
    ends = np.sqrt(np.clip(np.minimum(down, height - down) / 10, 0, 1))
    body = revolve((radii * ends).astype(np.float32), skin, light, turn=rng.random(), gloss=0.5, is_flesh=True)
    return _with_stem(body, rng, dip=4, length=52, has_leaf=rng.random() < 0.25)


_STEPS = 32


def _one_banana(light: Light, rng: random.Random, colours: tuple[Colour, Colour], bend: float) -> Image.Image:
    canvas = Image.new("RGBA", (px(560), px(400)))
    draw = ImageDraw.Draw(canvas)
    start = pi / 2 - bend / 2

    def at(share: float, offset: float) -> tuple[float, float]:
        angle = start + share * bend
        return (280 + (230 + offset) * cos(angle)) * PX_PER_UNIT, (40 + (230 + offset) * sin(angle)) * PX_PER_UNIT

    shares = [step / _STEPS for step in range(_STEPS + 1)]
    half_widths = [46 * min(1.0, (share / 0.16) ** 0.6, ((1 - share) / 0.26) ** 0.7) for share in shares]
    for band in range(9):
        low, high = band / 4.5 - 1, (band + 1) / 4.5 - 1
        # Three flat sides, as a banana has: brightness jumps at its ridges.
        facing = (-0.75, -0.1, 0.6)[band // 3]
        brightness = light.on_face((facing * 0.3, facing, 0.8)) * (1 - 0.06 * (band % 2))
        mix = 0.05 * band
        (red, green, blue) = (round(first * (1 - mix) + second * mix) for first, second in zip(*colours, strict=True))
        inner = [at(share, low * half) for share, half in zip(shares, half_widths, strict=True)]
        outer = [at(share, high * half) for share, half in zip(shares, half_widths, strict=True)]
        draw.polygon((*inner, *reversed(outer)), fill=shaded((red, green, blue), brightness))
    for _ in range(rng.randrange(0, 26)):
        x, y = at(rng.uniform(0.1, 0.9), rng.uniform(-34, 34))
        size = rng.uniform(1.5, 6) * PX_PER_UNIT
        draw.ellipse((x - size, y - size * 0.6, x + size, y + size * 0.6), fill=(96, 62, 26, 220))
    for end, beyond in ((0.0, -0.05), (1.0, 1.1)):
        draw.line((at(end, 0), at(beyond, -6)), fill=(104, 88, 40, 255), width=px(20))
        draw.line((at(end + (beyond - end) * 0.8, -5), at(beyond, -6)), fill=(60, 46, 26, 255), width=px(20))
    return canvas


def banana(light: Light, rng: random.Random) -> Image.Image:
    """Draw one banana or a bunch of up to three, bent, with ridges and dark ends."""
    colours = rng.choice(_BANANAS)
    bend = rng.uniform(1.5, 2.1)
    bunch = _one_banana(light, rng, colours, bend)
    for _ in range(rng.choice((0, 0, 1, 2))):
        behind = _one_banana(light, rng, colours, bend + rng.uniform(-0.1, 0.1))
        turned = behind.rotate(rng.uniform(9, 20), Image.Resampling.BILINEAR, center=(px(500), px(110)))
        bunch = Image.alpha_composite(turned, bunch)
    if rng.random() < 0.5:
        bunch = bunch.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return bunch.crop(bunch.getbbox())
