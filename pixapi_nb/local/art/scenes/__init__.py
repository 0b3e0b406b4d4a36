"""What the painter can paint: one function a subject, each putting its layers on a scene."""

from collections.abc import Callable

from pixapi_nb.local.art.brief import Brief
from pixapi_nb.local.art.canvas import Scene
from pixapi_nb.local.art.palette import Palette
from pixapi_nb.local.art.scenes import abstract, city, figures, garden, land, space, still, water


def _mountains(scene: Scene, brief: Brief, palette: Palette) -> None:
    """Some mountains stand at a lake."""
    (water.lake if brief.chance("shore").random() < 0.3 else land.mountains)(scene, brief, palette)


SUBJECTS: dict[str, Callable[[Scene, Brief, Palette], object]] = {
    "mountains": _mountains,
    "forest": land.forest,
    "desert": land.desert,
    "sea": water.sea,
    "lake": water.lake,
    "harbour": water.harbour,
    "lighthouse": water.lighthouse,
    "city": city.city,
    "garden": garden.garden,
    "space": space.space,
    "abstract": abstract.abstract,
    "product": still.bottle,
    "portrait": figures.portrait,
    "cat": figures.cat,
    "cup": still.cup,
    "bottle": still.bottle,
    "studio": still.studio,
}
