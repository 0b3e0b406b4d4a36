"""What is shown under a cell: the HTML is parsed, never compared as text."""

from __future__ import annotations

import ast
import base64
import inspect
import io
import json
import random
import re
import subprocess
import sys
import unicodedata
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markupsafe import Markup
from PIL import Image

from pixapi_nb import markup, show, show_grid, show_parts
from pixapi_nb.media import Media

HERE = Path("/home/ann/notes")
OUT = HERE / "pixapi_out"
MP4 = b"\x00\x00\x00\x20ftypisom" + bytes(100)

# What JupyterLab 4.6 keeps in a notebook that is not trusted, of what is used here; the two attributes that it drops are lost
# without loss (`title` says what `aria-label` says). Looked up in its sanitizer, and seen in a browser.
ATTRIBUTES = {
    "img": {"src", "alt", "width", "height", "style"},
    "video": {"controls", "playsinline", "preload", "src", "aria-label", "title", "style"},
    "a": {"href", "style"},
}
STYLES = {
    "align-items", "background-color", "background-image", "background-position", "background-size", "border", "border-bottom",
    "border-collapse", "border-left", "border-radius", "display", "flex", "flex-wrap", "font-size", "font-weight", "gap",
    "grid-template-columns", "height", "line-height", "margin", "max-height", "max-width", "min-width", "opacity",
    "overflow-wrap", "overflow-x", "padding", "text-align", "vertical-align", "white-space", "width",
}  # fmt: skip
TAGS = set("a bdi div figcaption figure img table tbody td th thead tr video".split())  # noqa: SIM905
VOID = {"img"}


@dataclass
class Node:
    tag: str
    attrs: dict[str, str | None]
    children: list[Node | str] = field(default_factory=list)

    def all(self, tag: str) -> list[Node]:
        found = [self] if self.tag == tag else []
        return found + [hit for child in self.children if isinstance(child, Node) for hit in child.all(tag)]

    @property
    def text(self) -> str:
        return "".join(child if isinstance(child, str) else child.text for child in self.children)


class Tree(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open = [Node("", {})]
        self.feed(html)
        self.close()
        assert len(self.open) == 1, "every tag is closed"

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs), "no attribute twice"
        node = Node(tag, dict(attrs))
        self.open[-1].children.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_endtag(self, tag):
        assert self.open.pop().tag == tag

    def handle_data(self, data):
        self.open[-1].children.append(data)

    def handle_comment(self, data):
        raise AssertionError("no comments")

    handle_decl = handle_pi = unknown_decl = handle_comment


def parse(html):
    """The tree of a page that holds only what survives, and links only to where we mean."""
    root = Tree(html).open[0]
    outer = root.children[0]
    assert isinstance(outer, Node)
    if outer.attrs.get("class"):  # an output as a whole: MathJax is to keep out of it
        assert outer.attrs.pop("class") == "tex2jax_ignore mathjax_ignore"
    for node in [hit for tag in {n.tag for n in walk(root)} for hit in root.all(tag)]:
        assert node.tag in TAGS
        assert set(node.attrs) <= ATTRIBUTES.get(node.tag, {"style"})
        for declaration in filter(None, (node.attrs.get("style") or "").split(";")):
            name, value = declaration.split(":")
            assert name in STYLES
            assert not re.search(r"var\(|calc\(|url\(|currentcolor|!|\b(min|max|clamp)\(", value, re.IGNORECASE)
        for link in filter(None, (node.attrs.get("href"), node.attrs.get("src"))):
            assert re.match(r"data:(image/(png|jpeg|gif)|video/(mp4|webm));base64,[A-Za-z0-9+/]+=*$|[^/:?#][^:?#]*$", link)
    return root


def walk(node):
    for child in node.children:
        if isinstance(child, Node):
            yield child
            yield from walk(child)


def noise(width, height, mode="RGB"):
    size = width * height * len(Image.new(mode, (1, 1)).getbands())
    return Image.frombytes(mode, (width, height), random.Random(1).randbytes(size))


def saved(image, kind="PNG"):
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def picture(image=None, name="hero.png", kind="PNG", path=True):
    data = saved(image or Image.new("RGB", (1536, 1024), (90, 140, 200)), kind)
    return Media(OUT / name if path else None, f"image/{kind.lower()}", data)


def video(size=2000, name="clip.mp4", path=True):
    return Media(OUT / name if path else None, "video/mp4", MP4 + bytes(size - len(MP4)))


def shown(*media, prompt="a cup", beside=HERE, **options):
    made = show.result(media, prompt=prompt, beside=beside, **options)
    assert all(isinstance(value, str) for value in made.values())
    return made, parse(made["text/html"])


def opened(url):
    head, data = url.split(",")
    assert head in ("data:image/png;base64", "data:image/jpeg;base64", "data:image/gif;base64")
    return Image.open(io.BytesIO(base64.b64decode(data)))


CAPTION = show.Caption(model="gemini-3-pro-image-preview", seconds=12.4, credits="8 credits ($0.08)")


def test_one_picture():
    made, page = shown(picture(), caption=CAPTION)
    (img,) = page.all("img")
    assert img.attrs["alt"] == "a cup"
    assert (img.attrs["width"], img.attrs["height"]) == ("768", "512")
    assert opened(img.attrs["src"]).size == (1024, 683)
    (link,) = page.all("a")
    assert (link.attrs["href"], link.text) == ("pixapi_out/hero.png", "hero.png")
    said = page.text.replace("\xa0", " ")
    assert said == "gemini-3-pro-image-preview · 1536 × 1024 · 12 s · 8 credits ($0.08) · hero.png"
    assert made["text/plain"].splitlines() == ["pixapi_out/hero.png", said.removesuffix(" · hero.png")]
    assert max(Image.open(io.BytesIO(base64.b64decode(made["image/jpeg"]))).size) == 640


def test_without_a_caption_the_file_is_still_named():
    made, page = shown(picture(), prompt="")
    assert page.text == "hero.png"
    assert page.all("img")[0].attrs["alt"] == "pixapi_out/hero.png"
    assert made["text/plain"] == "pixapi_out/hero.png"


@pytest.mark.parametrize(
    ("size", "css"),
    [
        ((1024, 1024), (512, 512)),
        ((1080, 1920), (288, 512)),
        ((3840, 2160), (768, 432)),
        ((300, 200), (300, 200)),
        ((4000, 20), (768, 4)),
    ],
)
def test_a_picture_fits_and_is_not_enlarged(size, css):
    _, page = shown(picture(Image.new("RGB", size)))
    assert tuple(int(page.all("img")[0].attrs[side]) for side in ("width", "height")) == css


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.04, "0.0 s"), (3.21, "3.2 s"), (9.96, "10 s"), (59.4, "59 s"), (59.7, "1 min"), (125, "2 min 5 s"), (None, "")],
)
def test_seconds(seconds, said):
    made, _ = shown(picture(), caption=show.Caption(model="m", size="2K", seconds=seconds))
    assert made["text/plain"].splitlines()[1] == " · ".join(filter(None, ["m", "1536 × 1024", said])), "the actual size"


def test_what_the_embedded_pixapi_drew_is_marked():
    made, page = shown(picture(), caption=show.Caption(model="m", note="from the earlier run, 0 credits", local=True))
    assert page.text.startswith("local sketch m")
    assert "local sketch" in made["text/plain"]
    assert "from the earlier run, 0 credits" in made["text/plain"]


@pytest.mark.parametrize("n", [2, 3, 4, 7, 10])
def test_a_gallery(n):
    made, page = shown(*[picture(name=f"hero-{i}.png") for i in range(n)], caption=CAPTION)
    assert [figure.text for figure in page.all("figure")] == [f"[{i}] hero-{i}.png" for i in range(n)]
    assert [img.attrs["alt"] for img in page.all("img")] == ["a cup"] * n
    assert [link.attrs["href"] for link in page.all("a")] == [f"pixapi_out/hero-{i}.png" for i in range(n)]
    assert made["text/plain"].splitlines()[:n] == [f"pixapi_out/hero-{i}.png" for i in range(n)]
    assert page.text.replace("\xa0", " ").endswith("1536 × 1024 · 12 s · 8 credits ($0.08)")


def test_a_gallery_of_several_sizes_says_each():
    _, page = shown(picture(), picture(Image.new("RGB", (20, 30)), "b.png"), caption=CAPTION)
    assert [figure.text for figure in page.all("figure")] == ["[0] hero.png · 1536 × 1024", "[1] b.png · 20 × 30"]
    assert page.text.count("1536") == 1


@pytest.mark.parametrize("n", [1, 2, 4, 10, 12])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_an_output_stays_at_a_megabyte(n, mode):
    """Of the worst pictures, with the longest prompt in the worst characters and eight inputs."""
    worst = saved(noise(1100, 1100, mode))
    media = [Media(OUT / f"{i}.png", "image/png", worst) for i in range(n)]
    inputs = [(f"in{i}", worst) for i in range(8)]
    made, _ = shown(*media, prompt='"' * 2000, caption=CAPTION, inputs=inputs)
    assert len(json.dumps(made)) < 1_000_000


def test_transparency_stays():
    glass = Image.new("RGBA", (200, 100), (200, 30, 30, 90))
    made, page = shown(picture(glass))
    assert opened(page.all("img")[0].attrs["src"]).convert("RGBA").getpixel((5, 5)) == (200, 30, 30, 90)
    assert Image.open(io.BytesIO(base64.b64decode(made["image/jpeg"]))).mode == "RGB"


@pytest.mark.parametrize("embed", ["preview", "full"])
@pytest.mark.parametrize("kind", ["WEBP", "AVIF", "TIFF", "BMP"])
def test_only_what_every_front_end_shows_is_embedded(kind, embed):
    if kind == "AVIF" and "AVIF" not in Image.SAVE:
        pytest.skip("this Pillow has no AVIF")
    _, page = shown(
        picture(Image.new("RGB", (64, 64)), "hero.x", kind), embed=embed, inputs=[("in", saved(Image.new("RGB", (9, 9)), kind))]
    )
    assert all(opened(img.attrs["src"]).format == "JPEG" for img in page.all("img"))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF"])
def test_full_is_the_file_itself(kind):
    medium = picture(noise(1200, 300), "hero", kind)
    made, page = shown(medium, embed="full")
    assert base64.b64decode(page.all("img")[0].attrs["src"].split(",")[1]) == medium.bytes
    assert "image/jpeg" in made


def test_a_link_carries_no_bytes():
    made, page = shown(picture(), embed="link")
    assert page.all("img")[0].attrs["src"] == "pixapi_out/hero.png"
    assert set(made) == {"text/html", "text/plain"}
    assert "base64" not in made["text/html"]


@pytest.mark.parametrize("beside", [None, Path("/home/ann/other"), Path("/home/ann/notes/pixapi_out/deeper")])
def test_outside_the_folder_there_is_no_link(beside):
    made, page = shown(picture(), embed="link", beside=beside)
    assert not page.all("a")
    assert page.text == made["text/plain"] == "/home/ann/notes/pixapi_out/hero.png"
    assert page.all("img")[0].attrs["src"].startswith("data:image/jpeg"), "seen all the same"


def test_in_memory():
    made, page = shown(picture(path=False), prompt="", embed="link")
    assert page.all("img")[0].attrs["src"].startswith("data:image/jpeg")
    assert page.text == "no file"
    assert made["text/plain"] == "image without a file"


@pytest.mark.parametrize(
    ("name", "href"),
    [
        ("50% off.png", "pixapi_out/50%25%20off.png"),
        ("a#b?c=1&d.png", "pixapi_out/a%23b%3Fc%3D1%26d.png"),
        ('"><script>.png', "pixapi_out/%22%3E%3Cscript%3E.png"),
        ("é 猫.png", "pixapi_out/%C3%A9%20%E7%8C%AB.png"),
        ("javascript:alert(1).png", "pixapi_out/javascript%3Aalert%281%29.png"),
        ("bad\udcff.png", "pixapi_out/bad%FF.png"),
        ("\u202egnp.exe", "pixapi_out/%E2%80%AEgnp.exe"),
        ("line\nbreak\x1b[31m.png", "pixapi_out/line%0Abreak%1B%5B31m.png"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="names that Windows does not have")
def test_odd_file_names(name, href):
    made, page = shown(picture(name=name), embed="link")
    assert page.all("a")[0].attrs["href"] == page.all("img")[0].attrs["src"] == href
    assert harmless(page.text)
    assert harmless(made["text/plain"])
    json.dumps(made).encode()


def test_a_name_cannot_be_a_scheme():
    medium = Media(HERE / "javascript:alert(1)", "image/png", saved(Image.new("RGB", (9, 9))))
    _, page = shown(medium, embed="link")
    assert page.all("a")[0].attrs["href"] == "javascript%3Aalert%281%29"


HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "\"' onload='alert(1)' x=\"",
    "--> <!-- ]]> {{7*7}} {0} {self.__class__} %s",
    "&lt;b&gt; &amp; &#0; &#x202e;",
    "\u202eevil\u2066\u2069\u200f\u061c\ufeff\u00ad",
    "null\x00byte \x1b[31mred\x07 \x7f\x9b",
    "lone \ud800 surrogate",
    "tag \U000e0041 characters",
    "a\r\nb\u2028c\u2029d\x85e",
    "x" * 20_000,
    "\x00" * 20_000,
    "<" * 20_000,
]


def harmless(text):
    return all(unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp") or c in "\n\u200c\u200d" for c in text)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_words(text):
    """Whatever anybody says changes the text that is shown, and nothing else."""
    media = [picture(), video(), Media(OUT / f"{text[:50]}.png".replace("/", ""), "image/png", b"broken")]
    caption = show.Caption(model=text, size=text, seconds=1, credits=text, note=text, local=True)
    inputs = [(text, saved(Image.new("RGB", (9, 9)))), (text, b"broken")]
    for chosen in ([media[0]], [media[1]], media):
        made, page = shown(*chosen, prompt=text, caption=caption, inputs=inputs)
        _, usual = shown(*chosen, prompt="a cup", caption=caption, inputs=inputs)
        assert [node.tag for node in walk(page)] == [node.tag for node in walk(usual)]
        assert harmless(made["text/html"])
        assert harmless(made["text/plain"])
        json.dumps(made, ensure_ascii=False).encode()  # no lone surrogates: Jupyter's protocol is UTF-8
        for node in walk(page):
            assert len(node.attrs.get("alt") or "") <= 1000
    for html in (markup.note(text), markup.table([text], [[text]])):
        assert harmless(html)
        parse(html)


def test_the_alternative_text_is_the_prompt():
    assert markup.words("  a  cup,\n\n in\tthe   sun ") == "a cup, in the sun"
    assert markup.words("👩\u200d🎨 می\u200cخواهم") == "👩\u200d🎨 می\u200cخواهم", "joiners are part of the writing"
    assert markup.words("word " * 500).endswith("word…")
    assert len(markup.words("word " * 500)) <= 1000


def test_edits_show_what_went_in():
    inputs = [("room.jpg", saved(noise(800, 600))), ("cup <1>", saved(Image.new("RGBA", (90, 90), (1, 2, 3, 4))))]
    made, page = shown(picture(), inputs=inputs, caption=CAPTION)
    room, cup, hero = page.all("img")
    assert [img.attrs["alt"] for img in (room, cup, hero)] == ["input: room.jpg", "input: cup <1>", "a cup"]
    assert opened(room.attrs["src"]).format == "JPEG"
    assert opened(cup.attrs["src"]).format == "PNG"
    assert max(opened(room.attrs["src"]).size) <= 320
    assert [figure.text for figure in page.all("figure")] == ["room.jpg", "cup <1>"]
    assert made["text/plain"].startswith("pixapi_out/hero.png\n")


@pytest.mark.parametrize("data", [b"", b"broken", saved(noise(64, 64))[:2000], b"<svg/>"])
def test_a_picture_that_cannot_be_opened_becomes_a_note(data):
    made, page = shown(Media(OUT / "hero.png", "image/png", data), caption=CAPTION)
    assert not page.all("img")
    assert "pixapi_out/hero.png" in page.text
    assert page.all("a")[0].attrs["href"] == "pixapi_out/hero.png"
    assert "not shown" in made["text/plain"]
    assert "image/jpeg" not in made
    _, among = shown(Media(OUT / "hero.png", "image/png", data), picture(), inputs=[("in", data)])
    assert len(among.all("img")) == 1


@pytest.mark.parametrize("kind", ["image/png", "video/mp4"])
def test_a_file_that_is_gone_becomes_a_note(tmp_path, kind):
    made, page = shown(Media(tmp_path / "gone", kind), beside=tmp_path)
    assert "cannot be read" in page.text
    assert "cannot be read" in made["text/plain"]


def test_any_object_with_the_four_properties(tmp_path):
    @dataclass
    class Locked:
        path: Path
        media_type: str = "image/png"
        kind: str = "image"

        @property
        def bytes(self):
            raise PermissionError(13, "Permission denied")

    _, page = shown(Locked(OUT / "hero.png"))
    assert "pixapi_out/hero.png cannot be read." in page.text


def test_a_video():
    made, page = shown(video(), caption=show.Caption(model="veo", size="1280x720", seconds=94))
    (player,) = page.all("video")
    assert player.attrs["src"].startswith("data:video/mp4;base64,")
    assert player.attrs["aria-label"] == player.attrs["title"] == "a cup"
    assert {"controls", "playsinline"} <= set(player.attrs)
    assert page.all("a")[-1].attrs["href"] == "pixapi_out/clip.mp4"
    assert made["text/plain"] == "pixapi_out/clip.mp4\nveo · 1280x720 · 1 min 34 s"
    assert "image/jpeg" not in made


def test_large_videos_are_linked():
    _, page = shown(video(5_000_000, "a.mp4"), video(5_000_000, "b.mp4"))
    assert [player.attrs["src"][:30] for player in page.all("video")] == ["data:video/mp4;base64,AAAAIGZ0", "pixapi_out/b.mp4"]


@pytest.mark.parametrize(
    ("embed", "beside", "path", "src"),
    [
        ("full", HERE, True, "data:"),
        ("link", HERE, True, "pixapi_out/clip.mp4"),
        ("preview", None, True, None),
        ("preview", HERE, False, "data:"),
    ],
)
def test_where_a_large_video_is(embed, beside, path, src):
    made, page = shown(video(8_100_000, path=path), embed=embed, beside=beside)
    if src is None:
        assert not page.all("video")
        assert "open the file" in page.text
        assert made["text/plain"] == "/home/ann/notes/pixapi_out/clip.mp4"
    else:
        assert page.all("video")[0].attrs["src"].startswith(src)


@pytest.mark.parametrize(
    ("head", "kind"), [(MP4, "mp4"), (b"\0\0\0\x14ftypqt  ", "mp4"), (b"\x1a\x45\xdf\xa3", "webm"), (b"?", "mp4")]
)
def test_a_video_is_what_its_bytes_say(head, kind):
    _, page = shown(Media(OUT / "clip", "video/<x>", head + bytes(50)))
    assert page.all("video")[0].attrs["src"].startswith(f"data:video/{kind};base64,")


def test_notes():
    for kind in ("info", "warning", "error"):
        assert parse(markup.note("a <b>", kind)).text == "a <b>"
    assert parse(markup.note(Markup('see <a href="x.png">x</a>'))).all("a")


def test_tables():
    page = parse(markup.table(["id", "credits"], [["veo", 1.6], [Markup("<bdi>wan</bdi>"), None]], foot=["all", 1.6]))
    assert [[cell.text for cell in row.children] for row in page.all("tr")] == [
        ["id", "credits"],
        ["veo", "1.6"],
        ["wan", ""],
        ["all", "1.6"],
    ]
    aligned = [["text-align:right" in cell.attrs["style"] for cell in row.children] for row in page.all("tr")]
    assert aligned == [[False, True]] * 4
    assert len(parse(markup.table(["id"], [])).all("tr")) == 1
    with pytest.raises(ValueError, match="zip"):
        markup.table(["id"], [["a", "b"]])


def test_a_cell_of_many():
    page = parse(show.cell(picture(), of=4, alt="a <cup>", width=150))
    (img,) = page.all("img")
    assert (img.attrs["alt"], img.attrs["width"]) == ("a <cup>", "150")
    assert max(opened(img.attrs["src"]).size) == 300
    assert "cannot be read" in parse(show.cell(Media(OUT / "gone.png", "image/png"), of=1)).text


def test_a_hundred_cells_stay_at_a_megabyte():
    worst = Media(OUT / "hero.png", "image/png", saved(noise(600, 600)))
    assert len(show.cell(worst, of=100, alt="a cup")) * 100 < 1_000_000


@pytest.mark.parametrize("module", [markup, show, show_grid, show_parts])
def test_html_is_escaped_by_construction(module):
    """Every Markup is a literal, and no f-string holds a tag."""
    tree = ast.parse(inspect.getsource(module))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Markup":
            assert all(isinstance(argument, ast.Constant) for argument in node.args)
        if isinstance(node, ast.JoinedStr):
            assert not any(isinstance(part, ast.Constant) and "<" in str(part.value) for part in node.values)


def test_it_needs_no_notebook():
    code = "import sys, pixapi_nb; before = set(sys.modules); import pixapi_nb.show; print(*sorted(set(sys.modules) - before))"
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert not {"IPython", "ipywidgets", "httpx"} & set(out)
    own = {name.removeprefix("pixapi_nb.") for name in out if name.startswith("pixapi_nb.")}
    assert own <= {"errors", "markup", "models", "preview", "show"}
