"""Strangers prove it: the current OpenAI SDK, which was not written for this server."""

import base64
import io
from collections.abc import Iterator

import openai
import pytest
from PIL import Image

from tests.local.server import KEY, Server, get


@pytest.fixture
def sdk(server: Server) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.api}/v1", api_key=KEY, max_retries=0, timeout=20) as client:
        yield client


def _png(colour: str) -> tuple[str, bytes, str]:
    out = io.BytesIO()
    Image.new("RGB", (96, 96), colour).save(out, "PNG")
    return f"{colour}.png", out.getvalue(), "image/png"


def _size(answer: openai.types.ImagesResponse) -> list[tuple[int, int]]:
    items = answer.data or []
    files = [get(item.url).content if item.url else base64.b64decode(item.b64_json or "") for item in items]
    return [Image.open(io.BytesIO(file)).size for file in files]


def test_generate(sdk: openai.OpenAI) -> None:
    answer = sdk.images.generate(model="nano-banana", prompt="a lighthouse", n=2, size="1024x1024")
    assert _size(answer) == [(1024, 1024)] * 2
    assert answer.created > 0


def test_generate_as_base64(sdk: openai.OpenAI) -> None:
    answer = sdk.images.generate(model="gpt-image-1.5", prompt="a lighthouse", size="256x256", response_format="b64_json")
    assert _size(answer) == [(256, 256)]


def test_edit_one_image(sdk: openai.OpenAI) -> None:
    answer = sdk.images.edit(model="nano-banana", image=_png("red"), prompt="warmer", size="256x256")
    assert _size(answer) == [(256, 256)]


def test_edit_several_images(server: Server, sdk: openai.OpenAI) -> None:
    answer = sdk.images.edit(model="nano-banana", image=[_png("red"), _png("teal")], prompt="together", n=1, size="256x256")
    assert _size(answer) == [(256, 256)]
    assert server.requests("/edits")[-1]["fields"]["image"] == "2 file(s)"


def test_models(sdk: openai.OpenAI) -> None:
    models = {model.id: model for model in sdk.models.list()}
    assert "gemini-3-pro-image-preview" in models
    assert models["veo"].object == "model"


@pytest.mark.parametrize(
    ("change", "error", "code"),
    [
        ({"size": "big"}, openai.BadRequestError, "400"), ({"model": "midjourney"}, openai.NotFoundError, "model_not_found"),
        ({"prompt": "forbidden-test-prompt"}, openai.UnprocessableEntityError, "prompt_rejected"),
    ],
)  # fmt: skip
def test_refusals(sdk: openai.OpenAI, change: dict[str, str], error: type[openai.APIStatusError], code: str) -> None:
    fields: dict[str, str] = {"model": "nano-banana", "prompt": "a lake", **change}
    with pytest.raises(error) as caught:
        sdk.images.generate(**fields)  # type: ignore[call-overload]  # sizes are not a literal here
    assert str(caught.value.code) == code
    assert (caught.value.request_id or "").startswith("req_")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
        (503, openai.InternalServerError),
        (402, openai.APIStatusError),
    ],
)
def test_trouble(server: Server, sdk: openai.OpenAI, status: int, error: type[openai.APIStatusError]) -> None:
    server.faults({"kind": "status", "status": status, "times": 1})
    with pytest.raises(error) as caught:
        sdk.models.list()
    assert caught.value.status_code == status


def test_a_wrong_key(server: Server) -> None:
    with (
        openai.OpenAI(base_url=f"{server.api}/v1", api_key="wrong", max_retries=0) as client,
        pytest.raises(openai.AuthenticationError),
    ):
        client.models.list()


def test_a_broken_connection(server: Server, sdk: openai.OpenAI) -> None:
    server.faults({"kind": "reset", "times": 1})
    with pytest.raises(openai.APIConnectionError):
        sdk.models.list()
