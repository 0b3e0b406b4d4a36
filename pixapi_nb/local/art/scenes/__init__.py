"""What the painter can paint: one function a subject, each putting its layers on a scene."""

from collections.abc import Callable

from pixapi_nb.local.art.brief import Brief
from pixapi_nb.local.art.canvas import Scene
from pixapi_nb.local.art.palette import Palette
from pixapi_nb.local.art.scenes import (
    abstract,
    bottle,
    cat,
    city,
    coast,
    cup,
    garden,
    harbour,
    land,
    lighthouse,
    portrait,
    space,
    studio,
    water,
)


def _mountains(scene: Scene, brief: Brief, palette: Palette) -> None:
    """Some mountains stand at a lake."""
    (water.lake if brief.chance("shore").random() < 0.3 else land.mountains)(scene, brief, palette)


SUBJECTS: dict[str, Callable[[Scene, Brief, Palette], object]] = {
    "mountains": _mountains,
    "forest": land.forest,
    "desert": land.desert,
    "sea": coast.sea,
    "lake": water.lake,
    "harbour": harbour.harbour,
    "lighthouse": lighthouse.lighthouse,
    "city": city.city,
    "garden": garden.garden,
    "space": space.space,
    "abstract": abstract.abstract,
    "product": bottle.bottle,
    "portrait": portrait.portrait,
    "cat": cat.cat,
    "cup": cup.cup,
    "bottle": bottle.bottle,
    "studio": studio.studio,
}
