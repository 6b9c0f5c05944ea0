import numpy as np
import pytest
from data_helpers import encoded, picture
from PIL import Image

from apr.data.reading.decoding import Undecodable, as_png, decode, decode_array

RGB = picture()
GRAY = RGB.convert("L")


def pixels(image):
    return np.asarray(image.convert("RGB"))


def test_a_plain_jpeg_is_left_as_it_is():
    decoded = decode(encoded(RGB))
    assert (decoded.conversions, decoded.plain_jpeg, decoded.image.mode) == ((), True, "RGB")
    plain_png = decode(encoded(RGB, "PNG"))
    assert (plain_png.conversions, plain_png.plain_jpeg) == ((), False)
    np.testing.assert_array_equal(plain_png.image, RGB)


@pytest.mark.parametrize(
    ("image", "kind", "name"),
    [
        (GRAY, "PNG", "grayscale"),
        (GRAY, "JPEG", "grayscale"),
        (RGB.quantize(8), "PNG", "palette"),
        (RGB.quantize(8), "GIF", "palette"),
        (RGB.convert("1"), "PNG", "one_bit"),
        (RGB.convert("CMYK"), "JPEG", "cmyk"),
    ],
)
def test_modes_are_converted_and_counted(image, kind, name):
    data = encoded(image, kind)
    decoded = decode(data)
    assert decoded.conversions == (name,)
    assert not decoded.plain_jpeg
    assert decoded.image.mode == "RGB"
    np.testing.assert_allclose(pixels(decoded.image).astype(int), pixels(image), atol=30)


def test_sixteen_bits_become_eight():
    values = np.array([[0, 255, 256], [32768, 65280, 65535]], np.uint16)
    decoded = decode(encoded(Image.fromarray(values), "PNG"))
    assert decoded.conversions == ("sixteen_bit",)
    np.testing.assert_array_equal(np.asarray(decoded.image)[..., 0], [[0, 0, 1], [128, 255, 255]])


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_pixels_are_white(mode):
    image = Image.new("RGBA", (4, 4), (200, 0, 0, 255))
    image.putpixel((0, 0), (0, 0, 0, 0))
    if mode == "P":
        palette = Image.new("P", (4, 4), 1)
        palette.putpalette([0, 0, 0, 200, 0, 0])
        palette.putpixel((0, 0), 0)
        data = encoded(palette, "PNG", transparency=0)
    else:
        data = encoded(image.convert(mode), "PNG")
    decoded = decode(data)
    assert "alpha" in decoded.conversions
    assert decoded.image.getpixel((0, 0)) == (255, 255, 255)
    assert decoded.image.getpixel((3, 3)) == ((60, 60, 60) if mode == "LA" else (200, 0, 0))


def test_a_camera_s_rotation_is_carried_out():
    exif = Image.Exif()
    exif[0x0112] = 6
    decoded = decode(encoded(RGB, "JPEG", exif=exif, quality=95))
    assert decoded.conversions == ("exif_rotated",)
    assert not decoded.plain_jpeg
    assert decoded.image.size == RGB.size[::-1]
    np.testing.assert_allclose(np.asarray(decoded.image).astype(int), np.rot90(np.asarray(RGB), -1), atol=60)


def test_first_frame_of_an_animation():
    frames = [Image.new("RGB", (6, 5), color) for color in ("red", "blue", "green")]
    decoded = decode(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert "animated_first_frame" in decoded.conversions
    assert decoded.image.getpixel((2, 2)) == (255, 0, 0)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (encoded(RGB)[:-200], r"^is damaged \(.+\)$"),
        (encoded(RGB, "PNG")[:-30], r"^is damaged \(.+\)$"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid",
            r"^is a Git-LFS pointer, not the picture \(fetch it with `git lfs pull`, or from the publisher\)$",
        ),
        (b"<!DOCTYPE html>", "^is an HTML page, not a picture$"),
        (b"", "^is empty$"),
        (b"BM nonsense", "^is not a picture$"),
        (encoded(Image.new("F", (3, 3)), "TIFF"), "^holds floating-point values; convert it to 8 bits first$"),
    ],
)
def test_what_cannot_be_decoded_says_why(data, words):
    with pytest.raises(Undecodable, match=words):
        decode(data)


def test_arrays_and_png():
    gray = np.arange(12, dtype=np.uint8).reshape(3, 4)
    for array in (gray, gray[..., None]):
        decoded = decode_array(array)
        assert decoded.conversions == ("grayscale",)
        np.testing.assert_array_equal(np.asarray(decoded.image)[..., 2], gray)
    colour = np.asarray(RGB)
    decoded = decode_array(colour.transpose(1, 0, 2))
    assert decoded.conversions == ()
    np.testing.assert_array_equal(np.asarray(decode(as_png(decoded.image)).image), colour.transpose(1, 0, 2))


def test_pictures_of_too_many_pixels_are_no_pictures(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with pytest.raises(Undecodable, match=r"^has too many pixels to be true \(Image size \(120 pixels\) .*\)$"):
        decode(encoded(RGB))


def test_a_decoder_that_says_nothing_is_named_by_its_error(monkeypatch):
    def fail(data):
        raise ValueError

    monkeypatch.setattr(Image, "open", fail)
    with pytest.raises(Undecodable, match=r"^is damaged \(ValueError\)$"):
        decode(b"x")


def test_a_grown_rotation_of_none_is_no_rotation():
    for orientation, said in ((0, ()), (1, ()), (2, ("exif_rotated",))):
        exif = Image.Exif()
        exif[0x0112] = orientation
        decoded = decode(encoded(RGB, "JPEG", exif=exif))
        assert (decoded.conversions, decoded.plain_jpeg) == (said, not said)
