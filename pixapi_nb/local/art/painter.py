"""Paints a prompt: a brief, a palette, a scene, a finish, a caption."""

from PIL import Image, ImageOps

from pixapi_nb.local.art import brief as briefs
from pixapi_nb.local.art import canvas, finish, palette
from pixapi_nb.local.art.brief import Brief
from pixapi_nb.local.art.canvas import Scene
from pixapi_nb.local.art.caption import captioned
from pixapi_nb.local.art.scenes import SUBJECTS

_LARGEST = 1536
"""Larger pictures are painted with this long edge and enlarged; only the caption is drawn at full size."""


def picture(prompt: str, seed: str, width: int, height: int) -> Image.Image:
    """A picture of exactly this size in pixels; the same for the same prompt and seed."""
    brief = briefs.read(prompt, seed)
    scale = min(1, _LARGEST / max(width, height))
    scene = staged(brief, max(1, round(width * scale)), max(1, round(height * scale)))
    painted = _cut_out(scene) if brief.transparent else scene.flat()
    painted = finish.finished(painted, brief, palette.mixed(brief))
    if painted.size != (width, height):
        painted = painted.resize((width, height), Image.Resampling.BICUBIC)
    return captioned(painted, prompt)


def staged(brief: Brief, width: int, height: int) -> Scene:
    """The scene of a brief, its layers still apart."""
    scene = Scene(width, height)
    SUBJECTS[brief.subject](scene, brief, palette.mixed(brief))
    return scene


def covering(picture: Image.Image, width: int, height: int) -> Image.Image:
    """A given picture, cut so that it fills this size."""
    return ImageOps.fit(on_white(picture), (width, height), Image.Resampling.LANCZOS)


def on_white(picture: Image.Image) -> Image.Image:
    """A given picture without its transparency."""
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    sheet = Image.new("RGBA", picture.size, "white")
    sheet.alpha_composite(picture.convert("RGBA"))
    return sheet.convert("RGB")


def badge(picture: Image.Image) -> Image.Image:
    """A picture cut to a disc, on a transparent ground."""
    radius = min(picture.size) * 0.44
    shape = Image.new("L", picture.size)
    shape.paste(canvas.disc(radius), (round(picture.width / 2 - radius), round(picture.height / 2 - radius)))
    return canvas.filled(shape, picture)


def _cut_out(scene: Scene) -> Image.Image:
    """The subject alone; where all of the scene is the subject, a round badge of it."""
    return scene.cut_out() or badge(scene.flat())
