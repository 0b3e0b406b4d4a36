"""Notebooks that nobody sits at: nbclient, papermill, nbconvert. They keep the pictures, and nothing of a widget."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter
from nbformat import NotebookNode

from tests.harness.files import notebook_of, read_notebook, write_notebook
from tests.harness.kernels import nbclient_run, outputs_of, papermill_run
from tests.harness.messages import Output
from tests.harness.pixapi import PixapiServer

pytestmark = pytest.mark.kernel

MODEL = "gemini-3-pro-image-preview"
CELLS = [
    '%load_ext pixapi_nb\n%config PixapiMagics.size = "160x96"',
    f"%%pixapi {MODEL} -o hero\na clay cup",
    f"%%pixapi {MODEL} -n 3\na glass cup",
    f"%%time\n%%pixapi {MODEL}\na steel cup",
    "hero",
    "print(len(hero))",
]


def nbclient(path: Path) -> NotebookNode:
    return nbclient_run(path, cwd=path.parent)


def papermill(path: Path) -> NotebookNode:
    return papermill_run(path)


def nbconvert(path: Path) -> NotebookNode:
    command = [sys.executable, "-m", "jupyter", "nbconvert", "--to", "notebook", "--execute", "--inplace", path.name]
    done = subprocess.run(command, cwd=path.parent, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return read_notebook(path)


@pytest.fixture
def notebook(pixapi_server: PixapiServer, tmp_path: Path) -> Path:
    """A notebook with four results, and the server for it."""
    return write_notebook(notebook_of(CELLS), tmp_path / "cups.ipynb")


@pytest.mark.parametrize("run", [nbclient, papermill, nbconvert])
def test_outputs_hold_the_static_pictures(run: Callable[[Path], NotebookNode], notebook: Path) -> None:
    done = run(notebook)
    shown = [outputs_of(done, index) for index in range(len(CELLS))]
    assert shown[0] == []
    for (result, *rest), prompt, count in zip(shown[1:5], ["clay", "glass", "steel", "clay"], [1, 3, 1, 1], strict=True):
        assert_static(result, f"a {prompt} cup", count, notebook.parent)
        assert [output.kind for output in rest] == (["stream"] if prompt == "steel" else [])
    assert [output.text for output in shown[5]] == ["1\n"]
    assert "widget" not in json.dumps([cell.get("outputs", []) for cell in done.cells])
    page = Page()
    page.feed(HTMLExporter(template_name="lab").from_notebook_node(done)[0])
    assert page.alts == ["a clay cup", *["a glass cup"] * 3, "a steel cup", "a clay cup"]
    assert "application/vnd.jupyter.widget-view+json" not in page.scripts


def test_the_notebook_carries_no_state_of_widgets(pixapi_server: PixapiServer) -> None:
    assert "widgets" not in nbclient_run(CELLS[:2]).metadata


def test_a_failing_cell_fails_the_run(pixapi_server: PixapiServer) -> None:
    pixapi_server.faults({"kind": "status", "status": 402, "match": {"method": "POST"}})
    with pytest.raises(CellExecutionError) as raised:
        nbclient_run([*CELLS[:2], "print('behind')"])
    said = re.sub(r"\x1b\[[\d;]*m", "", str(raised.value)).partition("------------------\n\n")[2]
    assert said.strip().startswith("InsufficientCredits: The balance is too low for this request.")
    assert not re.search(r"\.py|Traceback|asyncio", said)


def assert_static(result: Output, prompt: str, count: int, folder: Path) -> None:
    """One display: the pictures as HTML, as JPEG for front ends without, and the names of their files."""
    assert result.kind == "display_data"
    assert set(result.data) == {"text/html", "text/plain", "image/jpeg"}
    page = Page()
    page.feed(result.data["text/html"])
    assert page.alts == [prompt] * count
    *files, caption = result.data["text/plain"].splitlines()
    assert [(folder / file).read_bytes()[:4] for file in files] == [b"\x89PNG"] * count
    assert caption.startswith(f"{MODEL} · 160")


class Page(HTMLParser):
    """The pictures that a page carries itself, and the types of its scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.alts: list[str] = []
        self.scripts: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "img" and (given.get("src") or "").startswith("data:image/"):
            self.alts.append(given.get("alt") or "")
        elif tag == "script":
            self.scripts.append(given.get("type"))
