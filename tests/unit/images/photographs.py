"""Photographs for tests, in every form in which cameras, phones and people who mean harm send them."""

import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageCms

MAX_PIXELS = 4_000_000


def scene(size: tuple[int, int] = (96, 80)) -> Image.Image:
    """Draw something sharp and colourful; its top left corner is red, its bottom right corner blue."""
    rows, columns = np.indices((size[1], size[0]))
    checks = ((rows // 5 + columns // 7) % 2 * 120 + 60).astype(np.uint8)
    pixels = np.stack([checks, np.roll(checks, 3, axis=1), 255 - checks], axis=-1)
    third = (size[1] // 3, size[0] // 3)
    pixels[: third[0], : third[1]] = (220, 20, 30)
    pixels[-third[0] :, -third[1] :] = (20, 40, 210)
    return Image.fromarray(pixels)


def encoded(image: Image.Image, file_format: str = "JPEG", **options: object) -> bytes:
    body = io.BytesIO()
    image.save(body, file_format, **options)
    return body.getvalue()


def exif(orientation: int) -> bytes:
    tags = Image.Exif()
    tags[0x0112] = orientation
    tags[0x010E] = "private description"
    return tags.tobytes()


def icc_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def several_frames(file_format: str) -> bytes:
    frames = [scene().rotate(angle) for angle in (0, 20, 40)]
    return encoded(frames[0], file_format, save_all=True, append_images=frames[1:])


def png_bomb(side_px: int) -> bytes:
    """A small PNG whose header announces a picture of side_px x side_px."""
    header = struct.pack(">IIBBBBB", side_px, side_px, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(4096))), (b"IEND", b""))
    packed = (struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def webp_bomb(side_px: int) -> bytes:
    """A WebP whose canvas is said to be side_px x side_px."""
    side = (side_px - 1).to_bytes(3, "little")
    chunks = b"VP8X" + struct.pack("<I", 10) + bytes(4) + side + side
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + chunks


def jpeg_bomb(side_px: int) -> bytes:
    """A JPEG whose frame header announces side_px x side_px."""
    body = bytearray(encoded(scene()))
    frame = body.index(b"\xff\xc0")
    body[frame + 5 : frame + 9] = struct.pack(">HH", side_px, side_px)
    return bytes(body)
