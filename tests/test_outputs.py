"""Files: whole or not there, of the type that their bytes show, and never lost to a full disk."""

from __future__ import annotations

import asyncio
import io
import os
import re
import warnings

import pytest
from PIL import Image

from pixapi_nb import outputs
from pixapi_nb.errors import DownloadFailed, UsageError
from pixapi_nb.events import Downloading, Trouble
from pixapi_nb.models import InputImage, MediaItem
from pixapi_nb.outputs import Expired, Outputs, fetched, file_stem
from tests.raw import CLOSE, KEY, PNG, RESET, answer, on_wire
from tests.raw import Trouble as Broken

pytest_plugins = ["tests.fixtures"]

JPEG = b"\xff\xd8\xff\xe0" + bytes(40)
MP4 = b"\0\0\0\x18ftypmp42isom" + bytes(40)
BIG = PNG + bytes(range(256)) * 800  # about 200 kB
TYPES = [
    (PNG, ".png", "image/png"),
    (JPEG, ".jpg", "image/jpeg"),
    (b"RIFF\0\0\0\0WEBPVP8 " + bytes(9), ".webp", "image/webp"),
    (b"GIF89a" + bytes(20), ".gif", "image/gif"),
    (b"\0\0\0\x1cftypavif" + bytes(20), ".avif", "image/avif"),
    (MP4, ".mp4", "video/mp4"),
    (b"\0\0\0\x14ftypqt  " + bytes(20), ".mov", "video/quicktime"),
    (b"\x1a\x45\xdf\xa3" + bytes(20), ".webm", "video/webm"),
]


@pytest.fixture
def receive(raw, tmp_path, brisk):
    """Receive one item from `raw` into `out`; what is reported goes to `events`."""

    def begin(item, stem="cup", folder=tmp_path / "out", index=0, count=1, events=None):
        async def report(event):
            if events is not None:
                events.append(event)

        item = MediaItem(url=raw.url + "/m.bin?sig=1") if item is None else item
        return on_wire(raw.url, lambda wire: Outputs(folder, report).receive(wire, item, stem, index, count))

    return begin


def files(tmp_path):
    return sorted(path.name for path in (tmp_path / "out").glob("*"))


def by_range(content, etag='"v1"', **headers):
    """A server that can go on in the middle."""

    def serve(asked):
        found = re.fullmatch(r"bytes=(\d+)-", asked.headers.get("range", ""))
        if not found or asked.headers.get("if-range", etag) != etag:
            return answer(200, content, ETag=etag, Accept_Ranges="bytes", **headers)
        start = int(found[1])
        return answer(
            206, content[start:], ETag=etag, Content_Range=f"bytes {start}-{len(content) - 1}/{len(content)}", **headers
        )

    return serve


def cut(content, after, etag='"v1"', **headers):
    """The head promises everything, and the connection ends early."""
    whole = answer(200, content, **({"ETag": etag, "Accept-Ranges": "bytes"} if etag else {}), **headers)
    return Broken("close", whole[: len(whole) - len(content) + after])


# -- what becomes of it


@pytest.mark.parametrize(("data", "suffix", "kind"), TYPES)
@pytest.mark.parametrize("inside", [False, True], ids=["url", "b64_json"])
def test_the_bytes_decide_the_type_and_no_part_is_left(raw, tmp_path, receive, data, suffix, kind, inside):
    raw.on("GET /m.bin", answer(200, data, Content_Type="text/html"))
    media = receive(MediaItem(data=data) if inside else None)
    assert (media.path, media.media_type) == (tmp_path / "out" / f"cup{suffix}", kind)
    assert media.bytes == data
    assert files(tmp_path) == [f"cup{suffix}"]


def test_a_download_is_reported_with_its_place_among_the_others(raw, receive):
    raw.on("GET /m.bin", answer(200, BIG))
    events: list[Downloading] = []
    receive(None, index=2, count=4, events=events)
    first, last = events[0], events[-1]
    assert isinstance(first, Downloading)
    assert (first.index, first.count, first.total) == (2, 4, len(BIG))
    assert 0 < last.received <= len(BIG)


@pytest.mark.parametrize("item", [MediaItem(data=b"<html>no picture</html>"), MediaItem(data=b""), None])
def test_what_is_neither_a_picture_nor_a_video_fails_and_leaves_nothing(raw, tmp_path, receive, item):
    raw.on("GET /m.bin", answer(200, "<html>Please log in</html>", Content_Type="image/png"))
    with pytest.raises(DownloadFailed, match="picture"):
        receive(item)
    assert files(tmp_path) == []


def test_something_else_for_a_while_is_waited_out(raw, receive):
    raw.on("GET /m.bin", answer(200, "<html>one moment</html>"), answer(200, PNG))
    assert receive(None).bytes == PNG


@pytest.mark.parametrize("address", ["ftp://example.org/a.png", "http://[", "http://127.0.0.1:99999/a.png"])
def test_an_address_that_leads_nowhere_is_not_tried_for_hours(receive, tmp_path, address):
    with pytest.raises(Expired):
        receive(MediaItem(url=address))
    assert files(tmp_path) == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_url_that_has_ended_is_said_to_be_so_and_leaves_nothing(raw, tmp_path, receive, status):
    raw.on("GET /m.bin", answer(status, "gone"))
    with pytest.raises(Expired):
        receive(None)
    with pytest.raises(Expired):
        receive(MediaItem())
    assert files(tmp_path) == []


def test_no_medium_is_larger_than_allowed(raw, tmp_path, receive, monkeypatch):
    monkeypatch.setattr(outputs, "_LARGEST", 1000)
    raw.on("GET /m.bin", answer(200, BIG))
    with pytest.raises(DownloadFailed, match="larger than"):
        receive(None)
    assert files(tmp_path) == []
    assert len(raw.asked) == 1


def test_patience_ends_but_not_before_some_tries(raw, tmp_path, receive, monkeypatch):
    """A laptop that slept has lost hours, and tried once."""
    monkeypatch.setattr(outputs, "_PATIENCE", 0)
    monkeypatch.setattr(outputs, "_LEAST_TRIES", 4)
    raw.on("GET /m.bin", answer(503), answer(503), answer(503), answer(200, PNG))
    assert receive(None).bytes == PNG
    raw.on("GET /m.bin", answer(503))
    with pytest.raises(DownloadFailed, match="503"):
        receive(None, stem="another")
    assert files(tmp_path) == ["cup.png"]
    assert len(raw.asked) == 8


# -- going on


@pytest.mark.parametrize("trouble", [answer(500), answer(503), answer(429), answer(408), answer(425), CLOSE, RESET])
def test_trouble_of_the_media_host_is_waited_out(raw, receive, trouble):
    raw.on("GET /m.bin", trouble, trouble, answer(200, PNG))
    events: list[object] = []
    assert receive(None, events=events).bytes == PNG
    assert [event.failures for event in events if isinstance(event, Trouble)] == [1, 2]


def test_the_media_hosts_retry_after_is_obeyed(raw, receive, monkeypatch):
    waits = []

    async def sleep(seconds):
        waits.append(seconds)

    monkeypatch.setattr("pixapi_nb.outputs.anyio.sleep", sleep)
    raw.on("GET /m.bin", answer(429, Retry_After="90"), answer(200, PNG))
    receive(None)
    assert [round(wait) for wait in waits] == [90]


def test_a_broken_download_goes_on_where_it_ended(raw, receive):
    raw.on("GET /m.bin", cut(BIG, 50_000), by_range(BIG))
    assert receive(None).bytes == BIG
    first, second = raw.asked
    assert "range" not in first.headers
    assert (second.headers["range"], second.headers["if-range"]) == ("bytes=50000-", '"v1"')


def test_several_breaks_in_one_download(raw, receive):
    def part(start, until):
        whole = by_range(BIG)
        return lambda asked: whole(asked)[: until - len(BIG)] if asked.headers.get("range") == f"bytes={start}-" else b""

    def broken(start, until):
        head = f'HTTP/1.1 206 x\r\nETag: "v1"\r\nContent-Length: {len(BIG) - start}\r\n'.encode()
        return Broken(
            "close", head + f"Content-Range: bytes {start}-{len(BIG) - 1}/{len(BIG)}\r\n\r\n".encode() + BIG[start:until]
        )

    raw.on("GET /m.bin", cut(BIG, 10_000), broken(10_000, 60_000), broken(60_000, 60_001), by_range(BIG))
    assert receive(None).bytes == BIG
    assert [asked.headers.get("range") for asked in raw.asked] == [None, "bytes=10000-", "bytes=60000-", "bytes=60001-"]


@pytest.mark.parametrize(
    "first",
    [
        cut(BIG, 50_000, etag=None),
        cut(BIG, 50_000, etag='W/"v1"'),
        Broken("close", answer(200, BIG, ETag='"v1"')[:50_000]),
        cut(BIG, 50_000, Content_Encoding="gzip"),
    ],
    ids=["no ETag", "weak ETag", "no ranges", "encoded"],
)
def test_without_a_strong_validator_it_starts_again(raw, receive, first):
    raw.on("GET /m.bin", first, by_range(BIG))
    assert receive(None).bytes == BIG
    assert "range" not in raw.asked[1].headers


@pytest.mark.parametrize(
    "second",
    [
        answer(200, BIG),
        by_range(BIG, etag='"v2"'),
        lambda asked: answer(206, BIG[50_001:], ETag='"v1"', Content_Range=f"bytes 50001-{len(BIG) - 1}/{len(BIG)}"),
        lambda asked: answer(206, BIG[:100], ETag='"v1"', Content_Range=f"bytes 0-99/{len(BIG)}"),
        lambda asked: answer(206, BIG[50_000:60_000], ETag='"v1"', Content_Range=f"bytes 50000-59999/{len(BIG)}"),
        lambda asked: answer(206, BIG[50_000:], ETag='"v2"', Content_Range=f"bytes 50000-{len(BIG) - 1}/{len(BIG)}"),
        lambda asked: answer(206, BIG[50_000:], ETag='"v1"', Content_Range="nonsense"),
        lambda asked: answer(206, BIG[50_000:], ETag='"v1"'),
        answer(416, Content_Range=f"bytes */{len(BIG)}"),
    ],
    ids=[
        *["ignores it", "another file", "another start", "the beginning", "a short piece", "another ETag"],
        *["nonsense", "no range", "416"],
    ],
)  # fmt: skip
def test_a_range_that_is_not_the_one_asked_for_is_not_glued_on(raw, receive, second):
    raw.on("GET /m.bin", cut(BIG, 50_000), second, by_range(BIG))
    assert receive(None).bytes == BIG


def test_a_part_of_an_earlier_try_is_not_glued_on(raw, tmp_path, receive):
    """Left by a kernel that was killed."""
    (tmp_path / "out").mkdir()
    for name in ("cup.part", f"cup.{os.getpid()}.part"):
        (tmp_path / "out" / name).write_bytes(b"GIF89a" + bytes(300_000))
    raw.on("GET /m.bin", by_range(BIG))
    assert receive(None).bytes == BIG
    assert "range" not in raw.asked[0].headers


# -- a disk that takes no files


@pytest.mark.parametrize("inside", [False, True], ids=["url", "b64_json"])
@pytest.mark.parametrize("where", ["in the way", "long", "full"])
def test_a_folder_that_cannot_be_written_costs_nobody_a_picture(raw, tmp_path, receive, inside, where, monkeypatch):
    raw.on("GET /m.bin", answer(200, BIG))
    item, folder = MediaItem(data=BIG) if inside else None, tmp_path / "out"
    if where == "in the way":
        folder.write_text("a file")
    if where == "full":

        def full(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("pixapi_nb.outputs.os.fsync", full)
        monkeypatch.setattr("pixapi_nb.outputs.Path.write_bytes", full)
    stem = "x" * 300 if where == "long" else "cup"
    with pytest.warns(UserWarning, match="is in memory only"):
        media = receive(item, stem=stem)
    assert (media.path, media.bytes) == (None, BIG)
    monkeypatch.undo()
    assert media.save(tmp_path / "saved").read_bytes() == BIG
    assert not list(tmp_path.rglob("*.part"))


def test_a_warning_made_an_error_does_not_cost_it_either(raw, tmp_path, receive):
    (tmp_path / "out").write_text("in the way")
    raw.on("GET /m.bin", answer(200, PNG))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert receive(None).bytes == PNG


# -- pictures given by URL


def fetch(raw, image):
    return on_wire(raw.url, lambda wire: fetched(wire, image))


def test_a_picture_given_by_url_is_fetched_without_the_key_and_checked(raw):
    avif = io.BytesIO()
    Image.new("RGB", (8, 8)).save(avif, "BMP")
    raw.on("GET /a.png", answer(200, PNG), answer(200, avif.getvalue()))
    given = InputImage(name="image", url=raw.url + "/a.png?sig=1")
    for _ in range(2):
        image = fetch(raw, given)
        assert (image.name, image.media_type, image.url) == ("image.png", "image/png", given.url)
    assert fetch(raw, image) is image
    assert all("authorization" not in asked.headers and KEY not in repr(asked) for asked in raw.asked)


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (answer(404), "HTTP 404"),
        (answer(200, "<html>"), "not a picture"),
        (answer(200, PNG[:30]), "not a picture"),
        (answer(200, PNG + bytes(5000)), "larger than"),
        (CLOSE, "did not deliver"),
        (answer(302, "", Location="ftp://x/"), "leads nowhere"),
    ],
)
def test_a_picture_that_cannot_be_fetched_is_refused_before_anything_is_sent(raw, trouble, said, monkeypatch):
    monkeypatch.setattr(outputs, "LARGEST_INPUT", 4000)
    raw.on("GET /a.png", trouble)
    with pytest.raises(UsageError, match=said) as caught:
        fetch(raw, InputImage(name="image", url=raw.url + "/a.png?sig=canary"))
    assert "canary" not in str(caught.value)


def test_a_picture_in_a_data_url():
    url = InputImage(name="x", data=PNG).as_url()
    assert asyncio.run(fetched(None, InputImage(name="image", url=url))).data == PNG  # type: ignore[arg-type]


# -- names


@pytest.mark.parametrize(
    ("prompt", "stem"),
    [
        ("A cup, on a table!", "a-cup-on-a-table-"),
        ("../../etc/passwd", "etc-passwd-"),
        ("Zürich 猫", "zürich-猫-"),
        ("!!!", "pixapi-"),
        ("x" * 1000, "x" * 40 + "-"),
        ("CON\x00\n\x1b[31m", "con-31m-"),
        ("𝒜" * 300, "a" * 40 + "-"),
    ],
)
def test_a_files_name_says_what_is_in_it_and_nothing_else(prompt, stem):
    name = file_stem(prompt, 0.0, "abcdef123456", 0, 1)
    assert re.fullmatch(re.escape(stem) + r"\d{8}-\d{6}-abcdef", name)
    assert file_stem(prompt, 0.0, "abcdef123456", 3, 4) == name + "-4"
