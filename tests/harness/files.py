"""Notebook files, typed: what nbformat gives is an `Any`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode

KERNELSPEC = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}


def notebook_of(cells: Sequence[str]) -> NotebookNode:
    """A notebook with these code cells."""
    notebook: NotebookNode = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.metadata["kernelspec"] = dict(KERNELSPEC)
    return notebook


def read_notebook(path: Path) -> NotebookNode:
    """The valid notebook in a file. Raises nbformat's ValidationError for another."""
    notebook: NotebookNode = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook


def write_notebook(notebook: NotebookNode, path: Path) -> Path:
    """Write the file; the path."""
    nbformat.write(notebook, path)
    return path
