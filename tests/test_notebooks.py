"""Every notebook that we ship runs from a clean kernel, and what is stored in it reads well without one."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))

LOCAL = "%load_ext pixapi_nb\n%pixapi local"
LOGGED_IN = """\
%load_ext pixapi_nb
from pixapi_nb import session
from pixapi_nb.wire import Secret
own = session.current()
own.base_url, own.key = "{PIXAPI_BASE_URL}", Secret("{PIXAPI_KEY}")"""


def html_of(cell):
    return "".join(output.get("data", {}).get("text/html", "") for output in cell.get("outputs", []))


def test_there_are_notebooks():
    wanted = {"quickstart", "sliders", "edit-and-animate", "costs-and-recovery", "sweep", "python-api"}
    assert wanted <= {n.stem for n in NOTEBOOKS}


@pytest.mark.kernel
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_from_a_clean_kernel(path, tmp_path, monkeypatch):
    monkeypatch.setenv("PIXAPI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PIXAPI_LOCAL_OPTIONS", "--seconds 0.6")
    copy = Path(shutil.copy(path, tmp_path))
    notebook = nbformat.read(copy, as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = "".join(html_of(cell) for cell in notebook.cells)
    assert "<img" in shown, "pictures stand beneath its cells"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_one_line_decides_whom_it_asks(path):
    first, *others = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    assert first == LOCAL
    assert not re.search(r"base_url *=|%pixapi local|PIXAPI_HOME", "\n".join(others))


@pytest.mark.kernel
@pytest.mark.parametrize(("name", "paid"), [("costs-and-recovery", 2), ("python-api", 7)])
def test_with_a_key_all_of_it_asks_the_server(name, paid, tmp_path, monkeypatch, pixapi_server):
    """The key is where `%pixapi login` keeps it: in the session, and not in the environment."""
    for variable in pixapi_server.env:
        monkeypatch.delenv(variable)
    (path,) = [path for path in NOTEBOOKS if path.stem == name]
    notebook = nbformat.read(path, as_version=4)
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    first.source = LOGGED_IN.format(**pixapi_server.env)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert len(pixapi_server.tasks()) == paid
    shown = "".join(str(cell.get("outputs", "")) for cell in notebook.cells)
    assert "local sketch" not in shown
    assert pixapi_server.env["PIXAPI_KEY"] not in shown


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_is_stored_reads_well_without_a_kernel(path):
    assert path.stat().st_size < 1_000_000
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code), "outputs are stored, all from one run"
    assert any("data:image/" in html_of(cell) for cell in code)
    for cell in code:
        for output in cell.outputs:
            assert output.output_type != "error"
    # Nothing of the machine that it was run on: no address on it, no folder of it.
    assert not re.search(r"127\.0\.0\.1|localhost|/tmp/|/home/|/root/|/work/", path.read_text("utf-8"))
