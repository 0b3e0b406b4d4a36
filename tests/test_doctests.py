"""The examples in the docstrings are true."""

from __future__ import annotations

import builtins
import doctest
import importlib
import pkgutil

import pytest

import pixapi_nb

MODULES = [
    found.name
    for found in pkgutil.walk_packages(pixapi_nb.__path__, "pixapi_nb.")
    if not found.name.startswith("pixapi_nb.local") and not found.ispkg
]
FINDER = doctest.DocTestFinder(exclude_empty=True)


def examples(name):
    return [test for test in FINDER.find(importlib.import_module(name)) if test.examples]


def test_there_are_examples():
    assert sum(len(examples(name)) for name in MODULES) >= 15


@pytest.mark.parametrize("name", MODULES)
def test_examples_are_true(name, monkeypatch):
    runner = doctest.DocTestRunner(optionflags=doctest.IGNORE_EXCEPTION_DETAIL)
    # A doctest leaves its last value as the builtin `_`, and IPython then keeps no `_` of its own.
    monkeypatch.setattr(builtins, "_", None, raising=False)
    for test in examples(name):
        assert runner.run(test).failed == 0, test.name
