"""Reads a prompt as a painter would: its subject, time of day, colours, mood, and the numbers in it."""

import random
import re
from dataclasses import dataclass, fields, replace

from pixapi_nb.local.art.colour import MATERIALS, NAMED, Colour


@dataclass(frozen=True)
class Look:
    """How the finished picture is graded. Each is 0 for "as painted"; 1 is a lot, below 0 the contrary."""

    warmth: float = 0
    brightness: float = 0
    contrast: float = 0
    saturation: float = 0
    haze: float = 0
    detail: float = 0
    bloom: float = 0
    vignette: float = 0
    grain: float = 0
    fade: float = 0

    def __add__(self, other: "Look") -> "Look":
        return Look(*(getattr(self, item.name) + getattr(other, item.name) for item in fields(self)))


_MOODS: dict[str, Look] = {
    "calm serene peaceful quiet tranquil gentle": Look(contrast=-0.15, haze=0.25, detail=-0.2),
    "dramatic epic stormy intense powerful": Look(contrast=0.45, brightness=-0.15, vignette=0.5, detail=0.5),
    "dreamy ethereal soft fairytale magical surreal": Look(haze=0.5, bloom=0.7, contrast=-0.25, brightness=0.12),
    "misty foggy hazy mist fog": Look(haze=0.8, contrast=-0.25, saturation=-0.15),
    "noir monochrome": Look(saturation=-0.95, contrast=0.55, vignette=0.8, grain=0.8),
    "minimal minimalist minimalistic simple clean": Look(detail=-0.9, contrast=-0.05, vignette=-0.3, grain=-0.5),
    "cinematic filmic film movie": Look(contrast=0.3, saturation=0.05, vignette=0.45, bloom=0.2, grain=0.3),
    "vibrant vivid colourful colorful bold": Look(saturation=0.5, contrast=0.15),
    "pastel delicate": Look(saturation=-0.3, brightness=0.25, contrast=-0.3),
    "vintage retro nostalgic polaroid analog": Look(fade=0.6, warmth=0.25, saturation=-0.25, grain=0.7),
    "moody gloomy melancholic dark sombre": Look(brightness=-0.3, saturation=-0.25, vignette=0.5, contrast=0.1),
    "cozy cosy warm inviting": Look(warmth=0.5, vignette=0.2),
    "cool cold icy frosty winter": Look(warmth=-0.55),
    "bright airy sunny luminous": Look(brightness=0.3, bloom=0.2),
    "hot tropical summer": Look(warmth=0.3, saturation=0.2),
}
_LOOKS = {word: look for words, look in _MOODS.items() for word in words.split()}
_SURFACES = frozenset(["matte", "glossy", "shiny", "polished", "brushed", "glazed"])
_DIALS = {item.name for item in fields(Look)}

_TIMES = {
    "dawn": "dawn sunrise daybreak",
    "morning": "morning breakfast",
    "noon": "noon midday day daylight afternoon",
    "sunset": "sunset golden-hour evening sundown",
    "dusk": "dusk twilight blue-hour gloaming",
    "night": "night midnight nocturnal moonlit moonlight moon starry stars noir cyberpunk",
}
_TIME_OF = {word: time for time, words in _TIMES.items() for word in words.split()}

_SUBJECTS = {
    "cup": "cup mug coffee espresso latte cappuccino tea teacup",
    "bottle": "bottle perfume vase jar cosmetic fragrance whisky",
    "cat": "cat kitten kitty cats feline",
    "portrait": "portrait person woman man girl boy people astronaut selfie",
    "space": "space planet galaxy nebula cosmos cosmic universe saturn mars orbit",
    "city": "city skyline street skyscraper skyscrapers tokyo paris london york urban town downtown metropolis buildings",
    "lighthouse": "lighthouse",
    "harbour": "harbour harbor port marina pier boats dock",
    "sea": "sea ocean beach coast coastline waves sailboat boat ship island seaside shore",
    "lake": "lake pond river fjord lagoon",
    "forest": "forest woods woodland trees tree jungle pines",
    "desert": "desert dunes dune sahara canyon cactus",
    "garden": "garden flower flowers meadow rose roses tulip tulips poppy poppies daisy daisies sunflower bouquet blossom "
    "field",
    "mountains": "mountain mountains alps peak peaks hills hill valley landscape volcano cabin cliffs",
    "product": "product packaging advert gadget",
    "abstract": "abstract background shapes geometric pattern gradient texture wallpaper",
}
_SUBJECT_OF = {word: subject for subject, words in _SUBJECTS.items() for word in words.split()}
_CLOSE = ("cup", "bottle", "cat", "portrait")
_RANK = dict.fromkeys(_SUBJECTS, 1) | dict.fromkeys(_CLOSE, 0) | {"forest": 2, "mountains": 3, "product": 4, "abstract": 5}
"""What is near the viewer, or more of a thing by itself, wins over what may be behind it."""

_STYLES = {
    "watercolour": "watercolour watercolor aquarelle gouache",
    "ink": "ink sketch pencil line-art etching linocut woodcut engraving manga",
    "pixel": "pixel pixelart 8-bit 16-bit",
    "oil": "oil impressionist impasto painterly",
    "neon": "neon cyberpunk synthwave vaporwave",
    "poster": "poster screenprint risograph riso bauhaus",
}
_STYLE_OF = {word: style for style, words in _STYLES.items() for word in words.split()}

_PAIRS = {
    "golden hour": "golden-hour", "blue hour": "blue-hour", "line art": "line-art", "pixel art": "pixel",
    "rose gold": "copper",
}  # fmt: skip
_DIAL = re.compile(r"\b([a-z]+)\b[\s:=]+(?:of |is |at |level )?(\d+(?:\.\d+)?)(?:\s*(?:of|/|out of)\s*(\d+(?:\.\d+)?)|(\s*%))?")


@dataclass(frozen=True)
class Brief:
    """What the painter is to paint."""

    prompt: str
    seed: str
    subject: str
    time: str
    time_said: bool
    """Whether the prompt names it."""
    colours: tuple[Colour, ...]
    """In the order in which the prompt names them, without the subject's own."""
    own: Colour | None
    """The colour or material of the subject itself: the red of "a red mug"."""
    look: Look
    style: str | None
    words: frozenset[str]
    transparent: bool

    def chance(self, part: str) -> random.Random:
        """Chance for one part of the picture, the same each time."""
        return random.Random(f"{self.seed}/{part}")

    def behind(self) -> "Brief":
        """The brief for what is behind a subject that is there already."""
        return replace(self, subject="studio") if self.subject in _CLOSE or self.subject == "abstract" else self

    def says(self, *words: str) -> bool:
        return not self.words.isdisjoint(words)


def read(prompt: str, seed: str) -> Brief:
    """The brief in a prompt. ``seed``, with what the prompt says apart from its settings, decides all that it leaves open.

    Colours, hours, moods, manners and numbers are settings: turning one changes the picture in that, not in all else.
    """
    text = prompt.lower()
    for pair, word in _PAIRS.items():
        text = text.replace(pair, word)
    words = re.findall(r"[a-z0-9]+(?:-[a-z]+)*", text)
    subject = _subject(words)
    own, colours = _colours(words, subject)
    look, style = Look(), None
    for word in words:
        # "warm light" and "a light room" are both meant; "sunlight" is not.
        look += _LOOKS.get(word, Look())
        style = style or _STYLE_OF.get(word)
    seed = f"{seed}/{' '.join(word for word in words if not _is_setting(word))}"
    open_time = random.Random(f"{seed}/time").choice(("dawn", "morning", "sunset", "sunset", "dusk", "noon"))
    said = next((_TIME_OF[word] for word in words if word in _TIME_OF), None)
    return Brief(
        prompt, seed, subject, said or open_time, said is not None, colours, own, _bounded(_dialled(look, text)), style,
        frozenset(words), transparent=bool(re.search(r"transparent|cut-?out|no background", text)),
    )  # fmt: skip


def _subject(words: list[str]) -> str:
    """What it shows: a lake in the mountains is a lake; of equals, the first one named."""
    found = min(filter(None, map(_named_by, words)), key=_RANK.__getitem__, default="abstract")
    return "abstract" if "abstract" in words and found not in _CLOSE else found


def _is_setting(word: str) -> bool:
    tables = NAMED, MATERIALS, _LOOKS, _DIALS, _TIME_OF, _STYLE_OF, _SURFACES
    return word.isdecimal() or (any(word in table for table in tables) and not _named_by(word))


def _named_by(word: str) -> str | None:
    singular = word.removesuffix("s")
    return _SUBJECT_OF.get(word) or _SUBJECT_OF.get(singular)


def _colours(words: list[str], subject: str) -> tuple[Colour | None, tuple[Colour, ...]]:
    """The subject's own colour, and those of the picture."""
    own: Colour | None = None
    colours: list[Colour] = []
    places = [place for place, word in enumerate(words) if _named_by(word) == subject]
    for place, word in enumerate(words):
        if word not in NAMED and word not in MATERIALS:
            continue
        # "a matte black espresso cup": up to three words before the subject are its own. A rose may be one itself.
        if any(0 < named - place <= 3 for named in places):
            if own is not None and word in NAMED:
                colours.append(own)
            own = NAMED.get(word) or own or MATERIALS[word]
        elif word in NAMED and place not in places:
            colours.append(NAMED[word])
    return own, tuple(dict.fromkeys(colours))


def _dialled(look: Look, text: str) -> Look:
    """The look, with numbers such as "warmth 7 of 10", "contrast: 30%" or "haze=0.8" in their place."""
    for name, number, whole, percent in _DIAL.findall(text):
        if name in _DIALS:
            value = float(number)
            scale = float(whole) if whole else 100 if percent else 1 if "." in number and value <= 1 else 10
            look = replace(look, **{name: 2 * value / (scale or 1) - 1})
    return look


def _bounded(look: Look) -> Look:
    return Look(*(min(1.0, max(-1.0, getattr(look, item.name))) for item in fields(look)))
