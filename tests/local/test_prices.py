"""Sizes and prices, as Pixapi prints them; pure, without a server."""

import pytest

from pixapi_nb.local import catalogue, sizes


def _model(name: str) -> catalogue.Model:
    model = catalogue.find(name)
    assert model is not None
    return model


@pytest.mark.parametrize(
    ("name", "size", "quality", "credits"),
    [
        ("nano-banana", (1024, 1024), "auto", 2), ("nano-banana", (4096, 4096), "auto", 2),
        ("nano-banana-2", (512, 512), "auto", 4), ("nano-banana-2", (1536, 1024), "auto", 4),
        ("nano-banana-2", (2048, 2048), "auto", 6), ("nano-banana-2", (4096, 4096), "auto", 8),
        ("nano-banana-pro", (1024, 1024), "auto", 8), ("nano-banana-pro", (2048, 2048), "auto", 8),
        ("nano-banana-pro", (4096, 4096), "auto", 16), ("gpt-image-1.5", (1024, 1024), "high", 1),
        ("gpt-image-2", (1536, 1024), "low", 1), ("gpt-image-2", (1024, 1024), "medium", 4),
        ("gpt-image-2", (1024, 1024), "high", 14), ("gpt-image-2", (1024, 1024), "auto", 14),
        ("gpt-image-2", (2048, 1152), "low", 2), ("gpt-image-2", (2048, 1152), "medium", 17),
        ("gpt-image-2", (2048, 1152), "high", 67), ("gpt-image-2", (3840, 2160), "low", 4),
        ("gpt-image-2", (3840, 2160), "medium", 34), ("gpt-image-2", (3840, 2160), "auto", 133),
    ],
)  # fmt: skip
def test_an_image(name: str, size: tuple[int, int], quality: str, credits: float) -> None:  # noqa: A002
    assert catalogue.image_credits(_model(name), *size, quality, 1) == credits
    assert catalogue.image_credits(_model(name), *size, quality, 3) == 3 * credits


@pytest.mark.parametrize(
    ("name", "size", "credits"),
    [
        ("veo", (1280, 720), 12), ("veo", (720, 1280), 12), ("veo", (1920, 1080), 14.4), ("veo", (3840, 2160), 36),
        ("kling", (1280, 720), 13.44), ("wan", (1280, 720), 12),
    ],
)  # fmt: skip
def test_six_seconds_of_video(name: str, size: tuple[int, int], credits: float) -> None:  # noqa: A002
    assert catalogue.video_credits(_model(name), *size, 6) == credits


@pytest.mark.parametrize(
    ("name", "size", "pixels"),
    [
        ("nano-banana", "auto", (1024, 1024)), ("nano-banana", "1536x1024", (1536, 1024)),
        ("nano-banana", "64x4096", (64, 4096)), ("nano-banana-pro", "1K", (1024, 1024)),
        ("nano-banana-pro", "2K", (2048, 2048)), ("nano-banana-pro", "4K", (4096, 4096)),
        ("nano-banana-pro", "1:1", (1024, 1024)), ("nano-banana-pro", "16:9", (1360, 768)),
        ("nano-banana-pro", "9:16", (768, 1360)),
        ("gpt-image-2", "auto", (1024, 1024)), ("gpt-image-2", "3840x2160", (3840, 2160)),
    ],
)  # fmt: skip
def test_an_image_size(name: str, size: str, pixels: tuple[int, int]) -> None:
    assert sizes.image_size(size, _model(name)) == pixels


@pytest.mark.parametrize(
    ("size", "pixels"),
    [("auto", (1280, 720)), ("1920x1080", (1920, 1080)), ("16:9", (1280, 720)), ("9:16", (720, 1280)), ("1:1", (720, 720))],
)
def test_a_video_size(size: str, pixels: tuple[int, int]) -> None:
    assert sizes.video_size(size) == pixels
