"""Decode a picture of any kind to RGB, and count what had to be converted."""

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from apr.basics.causes import reason
from apr.data.sources.file_kinds import kind_of

JPEG_SUFFIXES = {".jpg", ".jpeg", ".jpe", ".jfif"}
SUFFIXES = JPEG_SUFFIXES | {".bmp", ".gif", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp"}
EXIF_ORIENTATION = 0x0112
SIXTEEN_BITS = ("I", "I;16", "I;16B", "I;16L", "I;16N")
KINDS = {"L": "grayscale", "1": "one_bit", "CMYK": "cmyk", "P": "palette", "PA": "palette"}
KINDS |= dict.fromkeys(SIXTEEN_BITS, "sixteen_bit")


class Undecodable(Exception):
    """Why a picture cannot be decoded."""


@dataclass(frozen=True)
class Decoded:
    """A picture.

    Attributes:
        image: RGB, 8 bits, upright.
        conversions: what was done to it, such as "grayscale" or "exif_rotated"; empty for a plain picture.
        plain_jpeg: its own bytes decode to `image` without any conversion.
    """

    image: Image.Image
    conversions: tuple[str, ...]
    plain_jpeg: bool


def sixteen() -> int:
    """The depth of 16-bit pictures where nothing says that they use less of it."""
    return 16


def decode(data: bytes, bits: Callable[[], int] = sixteen) -> Decoded:
    """Decode a file's bytes to upright 8-bit RGB.

    Grayscale and 16-bit values are spread over the channels, transparent pixels shown on white, the first frame
    taken of an animation, and the rotation that a camera noted carried out.

    Args:
        data: of the file.
        bits: asked for the depth of 16-bit values, of which the upper eight are kept.

    Raises:
        Undecodable: the bytes are no whole picture.
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            return _to_rgb(image, bits)
    except Undecodable:
        raise
    except UnidentifiedImageError:
        raise Undecodable(_what_instead(data)) from None
    except Image.DecompressionBombError as error:
        raise Undecodable(f"has too many pixels to be true ({error})") from error
    except Exception as error:  # Pillow's decoders raise whatever a damaged file leads them to.
        raise Undecodable(f"is damaged ({reason(error)})") from error


def decode_array(pixels: np.ndarray) -> Decoded:
    """Make a picture of an array.

    Args:
        pixels: uint8 [H, W], [H, W, 1] or [H, W, 3].
    """
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    image = Image.fromarray(np.ascontiguousarray(pixels))
    return Decoded(image.convert("RGB"), ("grayscale",) if pixels.ndim == 2 else (), False)


def as_png(image: Image.Image) -> bytes:
    """Encode an RGB picture without loss."""
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


def _to_rgb(image: Image.Image, bits: Callable[[], int]) -> Decoded:
    done = []
    jpeg = image.format == "JPEG"
    if getattr(image, "n_frames", 1) > 1 and not jpeg:
        done.append("animated_first_frame")
        image.seek(0)
    if image.getexif().get(EXIF_ORIENTATION, 1) not in (0, 1):
        done.append("exif_rotated")
        image = ImageOps.exif_transpose(image)
    if image.mode in KINDS:
        done.append(KINDS[image.mode])
    if image.mode in SIXTEEN_BITS:
        image = _eight_bits(image, bits)
    if image.mode == "F":
        raise Undecodable("holds floating-point values; convert it to 8 bits first")
    if image.has_transparency_data:
        done.append("alpha")
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    plain = jpeg and not done and image.mode == "RGB"
    return Decoded(image.convert("RGB"), tuple(done), plain)


def _eight_bits(image: Image.Image, bits: Callable[[], int]) -> Image.Image:
    values = np.asarray(image).astype(np.int64)
    if values.min() < 0 or values.max() > 65535:
        raise Undecodable(f"has values from {values.min()} to {values.max()}, beyond 16 bits; convert it first")
    return Image.fromarray((values >> (bits() - 8)).astype(np.uint8))


def _what_instead(data: bytes) -> str:
    kind = kind_of(data[:512])
    return {
        "lfs pointer": "is a Git-LFS pointer, not the picture (fetch it with `git lfs pull`, or from the publisher)",
        "html": "is an HTML page, not a picture",
        "empty": "is empty",
    }.get(kind, "is not a picture")
