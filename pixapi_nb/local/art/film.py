"""Films a painted scene, or a given picture: H.264 in MP4, 24 frames a second, cheap enough to wait for.

A painted scene moves by its layers: near ones pass faster than far ones, clouds and birds go their own way. The layers are
graded once, and every frame is only laid together from them.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageChops

from pixapi_nb.local.art import brief as briefs
from pixapi_nb.local.art import canvas, caption, finish, painter
from pixapi_nb.local.art.brief import Brief

FRAMES_A_SECOND = 24
_LARGEST = 1280
_PAN = 0.14
"""How far the nearest layer moves in a film, as a share of the picture's width."""
_PHASES = 4
"""Slow layers move by such a part of a pixel: by whole ones they would jerk."""


def film(prompt: str, seed: str, width: int, height: int, seconds: float, start: Image.Image | None) -> bytes:
    """An MP4 of exactly this size in pixels and length in seconds, from the start picture if there is one."""
    brief = briefs.read(prompt, seed)
    scale = min(1, _LARGEST / max(width, height))
    size = _even(width * scale), _even(height * scale)
    count = max(1, round(seconds * FRAMES_A_SECOND))
    frames = _of_scene(brief, size, count) if start is None else _of_picture(brief, start, size, count)
    return _encoded(_titled(frames, prompt, (width, height)), (width, height))


def _of_scene(brief: Brief, size: tuple[int, int], count: int) -> Iterator[Image.Image]:
    margin = round(size[0] * _PAN)
    scene = painter.staged(brief, size[0] + margin, size[1])
    vignette = finish.vignette(size, brief.look)
    movers = [_Mover(layer, brief) for layer in scene.layers]
    for number in range(count):
        share = number / max(1, count - 1)
        frame = Image.new("RGB", size)
        for mover in movers:
            mover.lay(frame, share, margin, scene.unit)
        frame.paste((0, 0, 0), (0, 0), vignette)
        yield frame


class _Mover:
    """A layer, graded, ready to be laid at any quarter of a pixel."""

    def __init__(self, layer: canvas.Layer, brief: Brief) -> None:
        self._layer = layer
        colours = finish.graded(layer.image.convert("RGB"), brief.look)
        self._left, self._top = layer.left, layer.top
        if layer.image.mode == "RGBA":
            colours.putalpha(layer.image.getchannel("A"))
            box = colours.getchannel("A").getbbox() or (0, 0, 1, 1)
            self._left, self._top, colours = self._left + box[0], self._top + box[1], colours.crop(box)
        self._phases: dict[int, Image.Image] = {0: colours}

    def lay(self, frame: Image.Image, share: float, margin: int, unit: int) -> None:
        layer = self._layer
        left = self._left - margin * layer.depth * share + layer.drift[0] * unit * share
        top = self._top + round(layer.drift[1] * unit * share)
        whole = int(left // 1)
        canvas.lay(frame, self._shifted(int((left - whole) * _PHASES)), whole, top)

    def _shifted(self, phase: int) -> Image.Image:
        if phase not in self._phases:
            still = self._phases[0]
            beside = ImageChops.offset(still, 1, 0)
            beside.paste(still.crop((0, 0, 1, still.height)), (0, 0))
            self._phases[phase] = Image.blend(still, beside, phase / _PHASES)
        return self._phases[phase]


def _of_picture(brief: Brief, start: Image.Image, size: tuple[int, int], count: int) -> Iterator[Image.Image]:
    """A slow move into the picture, while a light passes over it."""
    picture = finish.graded(painter.covering(start, *size), brief.look)
    vignette = finish.vignette(size, brief.look)
    chance = brief.chance("camera")
    towards = chance.uniform(0.25, 0.75), chance.uniform(0.3, 0.6)
    beam = canvas.mask(canvas.glow(size[0] * 2, size[1], (size[0], size[1] * 0.2), min(size) * 0.45) * 0.28)
    for number in range(count):
        share = number / max(1, count - 1)
        zoom = 1 - 0.2 * share
        left, top = (part * side * (1 - zoom) for part, side in zip(towards, size, strict=True))
        box = left, top, left + size[0] * zoom, top + size[1] * zoom
        frame = picture.resize(size, Image.Resampling.BILINEAR, box=box) if number else picture.copy()
        across = round(size[0] * (1 - share))
        frame.paste((255, 244, 220), (0, 0), beam.crop((across, 0, across + size[0], size[1])))
        frame.paste((0, 0, 0), (0, 0), vignette)
        yield frame


def _titled(frames: Iterator[Image.Image], prompt: str, size: tuple[int, int]) -> Iterator[Image.Image]:
    band = caption.strip(prompt, *size)
    for frame in frames:
        full = frame if frame.size == size else frame.resize(size, Image.Resampling.BILINEAR)
        full.paste(band, (0, size[1] - band.height), band)
        yield full


def _encoded(frames: Iterator[Image.Image], size: tuple[int, int]) -> bytes:
    with tempfile.TemporaryDirectory(prefix="pixapi-film-") as folder:
        # A real file: to put the index in front, where a browser wants it, FFmpeg opens it a second time.
        path = Path(folder, "film.mp4")
        with av.open(path, "w", format="mp4", options={"movflags": "+faststart"}) as container:
            stream = container.add_stream("libx264", rate=FRAMES_A_SECOND, options={"preset": "superfast", "crf": "27"})
            stream.width, stream.height = size
            stream.pix_fmt = "yuv420p"
            for frame in frames:
                picture = av.VideoFrame.from_ndarray(np.asarray(frame), format="rgb24")
                container.mux(stream.encode(picture))
            container.mux(stream.encode())
        return path.read_bytes()


def _even(number: float) -> int:
    return max(2, round(number / 2) * 2)
