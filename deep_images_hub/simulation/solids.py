"""Solids under light: bodies of revolution (cans, bottles, apples) and boxes. A small, orthographic renderer.

Lengths are given in units of which a can is 430 high. PX_PER_UNIT of them are drawn, somewhat more than a scene shows:
shrinking smooths the edges.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, radians, sin

import numpy as np
from numpy.typing import NDArray
from PIL import Image

PX_PER_UNIT = 0.7
_AMBIENT = 0.5


@dataclass(frozen=True)
class Light:
    """Where light comes from, and how hard it is.

    Attributes:
        direction: unit vector to the light; x to the right, y down, z to the viewer.
        strength: of the directed light, beside an even one.
        elevation: how far the viewer looks down on things: 0 from the side, 0.35 from well above.
    """

    direction: tuple[float, float, float]
    strength: float
    elevation: float

    def on(self, x: NDArray[np.float32], y: NDArray[np.float32], z: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the brightness of surfaces with these unit normals."""
        towards = x * self.direction[0] + y * self.direction[1] + z * self.direction[2]
        brightness: NDArray[np.float32] = _AMBIENT + self.strength * np.maximum(towards, 0)
        return brightness

    def on_face(self, normal: tuple[float, float, float]) -> float:
        """Return the brightness of one flat face."""
        return _AMBIENT + self.strength * max(0.0, sum(n * d for n, d in zip(normal, self.direction, strict=True)))


def light_from(azimuth_deg: float, height_deg: float, *, strength: float, elevation: float) -> Light:
    """Return a light that stands to the right (positive azimuth) or left of the viewer, this high above the horizon."""
    azimuth, height = radians(azimuth_deg), radians(height_deg)
    direction = (sin(azimuth) * cos(height), -sin(height), cos(azimuth) * cos(height))
    return Light(direction, strength, elevation)


def px(length: float) -> int:
    """Return a length in whole pixels of the drawing."""
    return round(length * PX_PER_UNIT)


def profile(points: Sequence[tuple[float, float]], height: float) -> NDArray[np.float32]:
    """Return the radius of each row of a body of revolution, in px.

    Args:
        points: (share of the height from the top, radius), from top to bottom; straight lines between them.
        height: of the body.
    """
    shares, radii = zip(*points, strict=True)
    return np.asarray(np.interp(np.linspace(0, 1, px(height)), shares, radii) * PX_PER_UNIT, dtype=np.float32)


def revolve(
    radii: NDArray[np.float32], texture: Image.Image, light: Light, *, turn: float, gloss: float, is_flesh: bool = False
) -> Image.Image:
    """Draw a body of revolution with a texture around it.

    Args:
        radii: (height,) px, of each row from top to bottom.
        texture: its width goes once around, its height from top to bottom; where it is transparent, so is the body.
        turn: how far the body is turned on its axis, 0..1.
        gloss: strength of the highlight, 0..1.
        is_flesh: closed at top and bottom, as fruit is; else cut flat, and seen from above the rims bulge.

    Returns:
        RGBA, as wide as the body and as high as it appears.
    """
    height, widest = len(radii), int(radii.max())
    bulge = np.float32(0.0 if is_flesh else light.elevation)
    rows = height + int(bulge * radii[-1]) + 1
    y = np.arange(rows, dtype=np.float32)[:, None]
    x = np.arange(-widest, widest + 1, dtype=np.float32)[None, :]
    radius_of_row = np.maximum(np.concatenate([radii, np.full(rows - height, radii[-1], np.float32)]), np.float32(0.5))[:, None]
    across = x / radius_of_row
    is_inside = np.abs(across) < 1
    np.clip(across, -1, 1, out=across)
    towards_viewer = np.sqrt(1 - across * across)
    source_row = y - bulge * radius_of_row * towards_viewer
    is_inside &= (source_row >= 0) & (source_row <= height - 1)
    columns = ((np.arcsin(across) * np.float32(0.5 / np.pi) + np.float32(turn + 1)) % 1 * (texture.width - 1)).astype(np.int32)
    texture_rows = (np.clip(source_row, 0, height - 1) * np.float32((texture.height - 1) / (height - 1))).astype(np.int32)
    texels = np.asarray(texture.convert("RGBA")).view(np.uint32)[..., 0][texture_rows, columns]

    # The steeper the profile opens, the more the surface looks up or down.
    slope = np.gradient(radius_of_row[:, 0])[:, None]
    length = np.sqrt(1 + slope * slope)
    brightness = light.on(across / length, -slope / length, towards_viewer / length)
    shine = np.maximum(0, brightness - np.float32(_AMBIENT + 0.86 * light.strength)) * np.float32(gloss * 900)
    body = texels[..., None].view(np.uint8).copy()
    body[..., :3] = np.minimum(body[..., :3] * brightness[..., None] + shine[..., None], 255)
    body[..., 3] *= is_inside
    return Image.fromarray(body)


@dataclass(frozen=True)
class Camera:
    """An orthographic view of a box: turned by `yaw_deg` on its axis, seen from above by `elevation` (as in `Light`)."""

    yaw_deg: float
    elevation: float

    def project(self, x: float, y: float, z: float) -> tuple[float, float]:
        """Return where a point appears: x to the right, y down, z to the viewer before the turn."""
        yaw = radians(self.yaw_deg)
        depth = -x * sin(yaw) + z * cos(yaw)
        return x * cos(yaw) + z * sin(yaw), y + depth * self.elevation

    def turned(self, normal: tuple[float, float, float]) -> tuple[float, float, float]:
        """Return a face's normal after the turn."""
        yaw = radians(self.yaw_deg)
        x, y, z = normal
        return x * cos(yaw) + z * sin(yaw), y, -x * sin(yaw) + z * cos(yaw)


def paste_face(canvas: Image.Image, texture: Image.Image, corners: Sequence[tuple[float, float]], brightness: float) -> None:
    """Lay a texture on a parallelogram of the canvas.

    Args:
        corners: where the texture's top left, top right and bottom left corners go, in px of the canvas.
        brightness: what its colours are multiplied with.
    """
    (x0, y0), (x1, y1), (x2, y2) = corners
    forward = np.array(
        [[(x1 - x0) / texture.width, (x2 - x0) / texture.height, x0], [(y1 - y0) / texture.width, (y2 - y0) / texture.height, y0]]
    )
    turn = forward[:, :2]
    if abs(np.linalg.det(turn)) < 1e-6:
        return
    xs, ys = (x0, x1, x2, x1 + x2 - x0), (y0, y1, y2, y1 + y2 - y0)
    left, top = max(0, int(min(xs))), max(0, int(min(ys)))
    size = (int(max(xs)) + 2 - left, int(max(ys)) + 2 - top)
    back = np.linalg.inv(turn)
    offset = back @ (np.array([left, top]) - forward[:, 2])
    coefficients = (back[0, 0], back[0, 1], offset[0], back[1, 0], back[1, 1], offset[1])
    face = lit(texture, brightness).transform(size, Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR)
    canvas.alpha_composite(face, (left, top))


def lit(texture: Image.Image, brightness: float) -> Image.Image:
    """Return an RGB texture under this brightness, as opaque RGBA."""
    table = [min(255, round(level * brightness)) for level in range(256)]
    image = texture.convert("RGB").point(table * 3)
    image.putalpha(255)
    return image


def shaded(colour: tuple[int, int, int], brightness: float) -> tuple[int, int, int, int]:
    """Return a colour under this brightness, opaque."""
    red, green, blue = (min(255, round(level * brightness)) for level in colour)
    return red, green, blue, 255
