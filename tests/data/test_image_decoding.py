"""Image files of every form as numbers, and those that are no images."""

import io
import struct
import warnings
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from backlight.data.images.decoding import BrokenImageError, decode, look_at, quiet

RAMP = np.arange(0, 240, 10, dtype=np.uint8).reshape(4, 6)
COLOURS = np.stack([RAMP, 255 - RAMP, RAMP // 2], axis=-1)


def saved(image: Image.Image | NDArray[Any], form: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(file, form, **options)
    return file.getvalue()


def read(content: bytes, size: tuple[int, int] = (6, 4), *, gray: bool = False) -> NDArray[np.uint8]:
    with quiet():
        return decode(content, size, gray=gray)


def looked(content: bytes) -> tuple[tuple[int, int], bool]:
    with quiet():
        look = look_at(io.BytesIO(content))
        return look.size, look.coloured


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF", "PPM", "GIF", "WEBP"])
def test_forms_that_lose_nothing(form: str) -> None:
    options = {"lossless": True} if form == "WEBP" else {}
    grey = np.array_equal(read(saved(RAMP, form, **options), gray=True), RAMP)
    assert grey
    assert looked(saved(COLOURS, form, **options)) == ((6, 4), True)
    if form != "GIF":
        assert np.array_equal(read(saved(COLOURS, form, **options)), COLOURS)


def test_jpeg_in_grey_colour_and_cmyk() -> None:
    flat = np.full((16, 24, 3), (200, 40, 90), np.uint8)
    for mode in ("RGB", "CMYK"):
        pixels = read(saved(Image.fromarray(flat).convert(mode), "JPEG", quality=95), (24, 16))
        assert np.abs(pixels.astype(int) - flat).max() <= 4
    assert looked(saved(RAMP, "JPEG")) == ((6, 4), False)
    grey = 0.299 * 200 + 0.587 * 40 + 0.114 * 90
    assert np.abs(read(saved(flat, "JPEG", quality=95), (3, 2), gray=True) - grey).max() <= 2


def test_grey_by_definition() -> None:
    by_definition = COLOURS @ np.array([0.299, 0.587, 0.114])
    assert np.abs(read(saved(COLOURS), gray=True) - by_definition).max() <= 0.51


def test_sixteen_bits_one_bit_and_a_palette() -> None:
    wide = (RAMP.astype(np.uint16) * 257) + 100
    assert np.array_equal(read(saved(wide), gray=True), RAMP)
    assert np.array_equal(read(saved(wide, "PPM"), gray=True), RAMP)
    assert looked(saved(wide)) == ((6, 4), False)
    bits = RAMP > 100
    assert np.array_equal(read(saved(bits), gray=True), bits * 255)
    palette = Image.fromarray(COLOURS).quantize(24)
    assert np.array_equal(read(saved(palette)), np.asarray(palette.convert("RGB")))


@pytest.mark.parametrize("form", ["PNG", "WEBP", "TIFF"])
def test_what_is_transparent_lies_on_white(form: str) -> None:
    glass = np.dstack([COLOURS, np.zeros((4, 6), np.uint8)])
    glass[0, :, 3] = 255
    glass[1, :, 3] = 128
    pixels = read(saved(glass, form, **({"lossless": True, "exact": True} if form == "WEBP" else {})))
    assert np.array_equal(pixels[0], COLOURS[0])
    assert np.abs(pixels[1].astype(int) - (COLOURS[1] * 128.0 + 255 * 127) / 255).max() <= 1
    assert (pixels[2:] == 255).all()


def test_a_transparent_colour_of_a_palette_and_of_grey() -> None:
    clear = saved(Image.fromarray(RAMP), transparency=int(RAMP[1, 2]))
    pixels = read(clear, gray=True)
    assert pixels[1, 2] == 255
    assert (np.delete(pixels.ravel(), 8) == np.delete(RAMP.ravel(), 8)).all()


TURNED = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: a.swapaxes(0, 1)[:, ::-1],
    7: lambda a: a.swapaxes(0, 1)[::-1, ::-1],
    8: lambda a: a.swapaxes(0, 1)[::-1],
}


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("form", ["PNG", "TIFF", "WEBP"])
def test_exif_orientation(orientation: int, form: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = saved(RAMP, form, exif=exif, **({"lossless": True} if form == "WEBP" else {}))
    upright = TURNED[orientation](RAMP)
    size = (upright.shape[1], upright.shape[0])
    assert looked(content)[0] == size
    assert np.array_equal(read(content, size, gray=True), upright)


def test_damaged_exif_is_passed_over() -> None:
    content = saved(COLOURS, "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert read(content).shape == (4, 6, 3)


def test_the_first_of_several_pictures() -> None:
    frames = [Image.fromarray(np.full((4, 6), level, np.uint8)) for level in (10, 200)]
    for form in ("GIF", "TIFF"):
        content = saved(frames[0], form, save_all=True, append_images=frames[1:])
        assert (read(content, gray=True) == 10).all()


def test_reducing_averages_over_all_pixels() -> None:
    fine = np.zeros((64, 64), np.uint8)
    fine[:, ::2] = 200
    for form in ("PNG", "JPEG"):
        assert np.abs(read(saved(fine, form), (4, 4), gray=True).astype(int) - 100).max() <= 5
    assert read(saved(fine), (3, 5), gray=True).shape == (5, 3)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is not an image that can be read"),
        (b"no image at all", "is not an image that can be read"),
        (saved(COLOURS)[:50], "is a damaged image"),
        (saved(np.zeros((99, 99, 3), np.uint8), "JPEG")[:-200], "is a damaged image .*truncated"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "is not an image that can be read"),
        (saved(RAMP.astype(np.float32), "TIFF"), "holds numbers with a point"),
        (saved(RAMP.astype(np.int32) * 1000, "TIFF"), "has more than 16 bits"),
        (b"P5 0 0 255\n", "has no pixels|is a damaged image|is not an image"),
    ],
)
def test_broken_images(content: bytes, reason: str) -> None:
    with pytest.raises(BrokenImageError, match=reason):
        read(content)


@pytest.mark.parametrize("side", [9_500, 60_000])
def test_an_image_bomb_without_a_warning(side: int) -> None:
    content = bytearray(saved(RAMP, "BMP"))
    struct.pack_into("<ii", content, 18, side, side)
    with (
        warnings.catch_warnings(record=True) as heard,
        pytest.raises(BrokenImageError, match="more than the 89,478,485"),
    ):
        looked(bytes(content))
    assert not heard
