"""Previews: any picture that Pillow can open, within the bytes that an output may have."""

from __future__ import annotations

import io
import random
import struct
import zlib

import pytest
from PIL import Image, ImageCms

from pixapi_nb import preview

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def noise(width, height, mode="RGB", seed=1):
    """What compresses worst."""
    size = width * height * len(Image.new(mode, (1, 1)).getbands())
    return Image.frombytes(mode, (width, height), random.Random(seed).randbytes(size))


def saved(image, kind="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def at(image, x, y):
    """A pixel's channels."""
    pixel = image.getpixel((x, y))
    assert isinstance(pixel, tuple)
    return pixel


def near(pixel, colour, off=40):
    return all(abs(a - b) <= off for a, b in zip(pixel, colour, strict=True))


def test_previews_get_smaller_as_their_number_grows():
    plans = [preview.preview_sizes(n) for n in range(1, 300)]
    assert plans == sorted(plans, reverse=True)
    assert plans[0][0] == 1024
    assert all(n * weight <= preview.BUDGET for n, (_, weight) in enumerate(plans, 1))
    assert preview.preview_sizes(0) == preview.preview_sizes(1)


@pytest.mark.parametrize("n", [1, 2, 4, 5, 10, 16, 40, 100])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_the_worst_picture_fits(n, mode):
    edge, weight = preview.preview_sizes(n)
    data, kind = preview.encode(preview.read(saved(noise(1200, 900, mode)), edge).image, weight)
    assert len(data) <= weight
    assert kind == ("image/png" if mode == "RGBA" else "image/jpeg")
    with Image.open(io.BytesIO(data)) as image:
        assert max(image.size) <= edge
        assert abs(image.width / image.height - 4 / 3) < 0.05
        assert image.has_transparency_data == (mode == "RGBA")


def test_an_ordinary_picture_keeps_its_size_and_quality():
    picture = preview.read(saved(Image.radial_gradient("L").resize((3000, 2000)).convert("RGB")), 1024)
    data, _ = preview.encode(picture.image, preview.BUDGET)
    assert picture.size == (3000, 2000)
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == (1024, 683)
        assert max(image.quantization[0]) < 40  # quality 85


def test_a_small_picture_is_not_enlarged():
    assert preview.read(saved(Image.new("RGB", (30, 20))), 1024).image.size == (30, 20)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_pictures_are_turned_upright(orientation, kind):
    """Drawn as EXIF means it: whatever the orientation, red is at the top left, green top right, blue bottom left."""
    upright = Image.new("RGB", (300, 200), WHITE)
    upright.paste(RED, (0, 0, 100, 66))
    upright.paste(GREEN, (200, 0, 300, 66))
    upright.paste(BLUE, (0, 133, 100, 200))
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Transpose members that store it turned that way
    stored = upright.transpose(Image.Transpose(undo[orientation])) if orientation in undo else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = preview.read(saved(stored, kind, exif=exif), 150)
    assert picture.size == (300, 200)
    assert picture.image.size == (150, 100)
    assert [near(at(picture.image, *place), colour) for place, colour in
            (((20, 15), RED), ((130, 15), GREEN), ((20, 85), BLUE), ((130, 85), WHITE))] == [True] * 4  # fmt: skip


@pytest.mark.parametrize("value", [0, 9, 65000])
def test_a_nonsensical_orientation_is_passed_over(value):
    exif = Image.Exif()
    exif[0x0112] = value
    assert preview.read(saved(Image.new("RGB", (30, 20)), "JPEG", exif=exif)).size == (30, 20)


def test_colours_follow_the_profile():
    """In a profile whose red and green have changed places, red is green."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = srgb.replace(b"rXYZ", b"????", 1).replace(b"gXYZ", b"rXYZ", 1).replace(b"????", b"gXYZ", 1)
    for mode in ("RGB", "RGBA"):
        image = Image.new(mode, (8, 8), RED if mode == "RGB" else (*RED, 100))
        shown = preview.read(saved(image, icc_profile=swapped)).image
        assert near(at(shown, 1, 1)[:3], GREEN, 5)
        assert shown.mode == mode
        assert not shown.info


@pytest.mark.parametrize("profile", [b"", b"rubbish", ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()])
def test_a_bad_profile_is_passed_over(profile):
    assert near(preview.read(saved(Image.new("RGB", (8, 8), RED), icc_profile=profile)).image.getpixel((1, 1)), RED, 5)


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("1", "PNG"), ("L", "PNG"), ("L", "JPEG"), ("LA", "PNG"), ("P", "PNG"), ("P", "GIF"), ("RGB", "WEBP"), ("RGBA", "WEBP"),
     ("CMYK", "JPEG"), ("I;16", "PNG"), ("I", "TIFF"), ("F", "TIFF"), ("YCbCr", "JPEG"), ("LAB", "TIFF"), ("RGB", "BMP")],
)  # fmt: skip
def test_every_kind_of_pixel(mode, kind):
    picture = preview.read(saved(Image.new(mode, (40, 30)), kind), 20)
    assert picture.image.size == (20, 15)
    assert picture.image.mode == ("RGBA" if mode in ("LA", "RGBA") else "RGB")
    assert preview.encode(picture.image)[0]


def test_sixteen_bits_become_eight():
    image = Image.new("I;16", (3, 1))
    for x, value in enumerate((0, 32768, 65535)):
        image.putpixel((x, 0), value)
    shown = preview.read(saved(image)).image
    assert [at(shown, x, 0)[0] for x in range(3)] == [0, 127, 255]


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame(kind):
    frames = [Image.new("RGB", (20, 20), colour) for colour in (RED, GREEN, BLUE)]
    shown = preview.read(saved(frames[0], kind, save_all=True, append_images=frames[1:])).image
    assert near(at(shown, 5, 5)[:3], RED)


def test_transparency_counts_where_it_is_used():
    opaque, nearly, glass = (Image.new("RGBA", (20, 20), (9, 9, 9, alpha)) for alpha in (255, 252, 128))
    assert [preview.read(saved(image)).image.mode for image in (opaque, nearly, glass)] == ["RGB", "RGB", "RGBA"]
    palette = Image.new("P", (20, 20))
    assert preview.read(saved(palette, "GIF", transparency=0)).image.mode == "RGBA"


def png(width, height, data=b""):
    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


WHOLE = saved(noise(64, 64))


@pytest.mark.parametrize(
    "data",
    [b"", b"<svg/>", b"\x89PNG\r\n\x1a\n", WHOLE[: len(WHOLE) // 2], WHOLE[:40], saved(noise(64, 64), "JPEG")[:700],
     png(8, 8), png(0, 8), png(2**31 - 1, 2**31 - 1), png(10_000, 8_950), png(60_000, 60_000)],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_what_cannot_be_read_says_so(data):
    with pytest.raises(preview.UnreadableError, match=r"^(is|has) "):
        preview.read(data, 512)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "TIFF"])
def test_damaged_files_are_read_or_refused(kind):
    chance, whole = random.Random(kind), saved(noise(40, 40), kind)
    for _ in range(150):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 12)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        try:
            preview.encode(preview.read(bytes(damaged), 32).image)
        except preview.UnreadableError:
            pass
        except Warning:  # this suite makes errors of them
            pass


def test_a_contact_sheet_holds_every_picture():
    colours = [RED, GREEN, BLUE, WHITE, (9, 9, 9)]
    sheet = preview.contact_sheet([Image.new("RGB", (100 * (i + 1), 300), colour) for i, colour in enumerate(colours)])
    assert max(sheet.size) <= 640
    assert set(colours) <= {colour for _, colour in sheet.getcolors(10_000_000) or []}
    assert preview.contact_sheet([Image.new("RGB", (1000, 100))]).size == (640, 64)
    assert preview.contact_sheet([Image.new("RGB", (10, 10))] * 6, columns=6).height == 10
    assert preview.contact_sheet([Image.new("RGBA", (10, 10))]).getpixel((0, 0)) == WHITE
