"""A pen for figures, in units of the figure itself."""

from PIL import ImageDraw

from pixapi_nb.local.art import canvas
from pixapi_nb.local.art.canvas import Point
from pixapi_nb.local.art.colour import Colour, eight_bit


class Sketch:
    """A pen whose unit is the head: x to the right, y down, (0, 0) its middle, 1 half its height."""

    def __init__(self, pen: ImageDraw.ImageDraw, middle: Point, unit: float) -> None:
        self._pen, self._middle, self._unit = pen, middle, unit

    def shape(self, points: list[Point], colour: Colour, *, angular: bool = False) -> None:
        outline = points if angular else canvas.curve(points, 14)
        self._pen.polygon([self._at(point) for point in outline], fill=eight_bit(colour))

    def oval(self, middle: Point, across: float, down: float, colour: Colour) -> None:
        left, top = self._at((middle[0] - across, middle[1] - down))
        right, bottom = self._at((middle[0] + across, middle[1] + down))
        self._pen.ellipse((left, top, right, bottom), fill=eight_bit(colour))

    def stroke(self, points: list[Point], colour: Colour, wide: float) -> None:
        self._pen.line([self._at(point) for point in points], eight_bit(colour), max(1, round(wide * self._unit)), "curve")

    def _at(self, point: Point) -> Point:
        return self._middle[0] + point[0] * self._unit, self._middle[1] + point[1] * self._unit
