"""The media host: a CDN that knows no keys."""

import base64
import hashlib
import io

import httpx
import pytest
from PIL import Image

from tests.local.server import KEY, Server, get


@pytest.fixture
def url(server: Server) -> str:
    return server.urls(server.submit())[0]


def test_a_whole_file(url: str) -> None:
    answer = get(url)
    assert answer.headers["content-type"] == "image/png"
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert answer.headers["accept-ranges"] == "bytes"
    assert Image.open(io.BytesIO(answer.content)).size == (64, 64)


@pytest.mark.parametrize(("asked", "part"), [("0-99", slice(0, 100)), ("100-", slice(100, None)), ("-50", slice(-50, None))])
def test_a_part_of_it(url: str, asked: str, part: slice) -> None:
    whole = get(url)
    answer = get(url, headers={"Range": f"bytes={asked}", "If-Range": whole.headers["etag"]})
    assert answer.status_code == 206
    assert answer.content == whole.content[part]
    first, last, _ = part.indices(len(whole.content))
    assert answer.headers["content-range"] == f"bytes {first}-{last - 1}/{len(whole.content)}"


def test_a_part_of_another_version_is_the_whole(url: str) -> None:
    answer = get(url, headers={"Range": "bytes=10-", "If-Range": '"another"'})
    assert answer.status_code == 200
    assert answer.content == get(url).content


def test_a_part_beyond_the_end(url: str) -> None:
    answer = get(url, headers={"Range": "bytes=99999999-"})
    assert answer.status_code == 416


def test_urls_cannot_be_guessed(server: Server, url: str) -> None:
    parts = httpx.URL(url)
    assert get(parts.copy_with(query=None)).status_code == 403
    assert get(parts.copy_merge_params({"expires": "9999999999"})).status_code == 403
    assert get(parts.copy_merge_params({"sig": "0" * 32})).status_code == 403
    assert get(f"{server.media}/0/0.png").status_code == 404
    assert get(f"{server.media}/../tasks.sqlite3").status_code == 404
    assert server.client.get(parts.raw_path.decode()).status_code == 404


def test_expired_urls_and_fresh_ones(server: Server) -> None:
    name = server.submit(n=2)
    old = server.urls(name)
    server.back_door("POST", f"expire/{name}")
    assert [get(url).status_code for url in old] == [403, 403]
    assert [get(url).status_code for url in server.urls(name)] == [200, 200]


def test_who_sent_a_key_is_recorded(server: Server, url: str) -> None:
    get(url)
    get(url, headers={"Authorization": f"Bearer {KEY}"})
    seen = [entry["authorization"] for entry in server.requests(httpx.URL(url).path)]
    assert seen == [False, True]
    assert {entry["server"] for entry in server.requests(httpx.URL(url).path)} == {"media"}


@pytest.mark.parametrize("where", ["own", "data", "elsewhere"])
def test_the_start_image_of_a_video(server: Server, url: str, where: str) -> None:
    if where == "own":
        image = url
    elif where == "data":
        image = "data:image/png;base64," + base64.b64encode(get(url).content).decode()
    else:
        # Reserved, so that fetching it would fail.
        image = "https://pictures.invalid/cat.png"
    name = server.submit("videos/generations", model="kling", prompt="waves", duration=1, size="64x64", input_image=image)
    clip = get(server.urls(name)[0])
    assert clip.headers["content-type"] == "video/mp4"
    assert clip.content[4:8] == b"ftyp"


def test_the_same_request_gives_the_same_picture(server: Server) -> None:
    def digests(prompt: str) -> list[str]:
        urls = server.urls(server.submit(prompt=prompt, n=2, size="96x96"))
        return [hashlib.sha256(get(url).content).hexdigest() for url in urls]

    first = digests("a harbour")
    assert first == digests("a harbour")
    assert len({*first, *digests("a desert")}) == 4
