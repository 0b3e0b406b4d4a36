"""Pictures and videos from a notebook: a Jupyter extension and widgets over the Pixapi API.

In a notebook: `%load_ext pixapi_nb`, then `%%pixapi MODEL` with a prompt beneath it. In Python: `Client`, `AsyncClient`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pixapi_nb.version import __version__

if TYPE_CHECKING:
    from pixapi_nb.client import AsyncClient, Client
    from pixapi_nb.errors import PixapiError
    from pixapi_nb.sweep_call import sweep

__all__ = [
    "AsyncClient",
    "Client",
    "PixapiError",
    "__version__",
    "load_ipython_extension",
    "sweep",
    "unload_ipython_extension",
]


def __getattr__(name: str) -> Any:
    """The clients, imported when first asked for: `%load_ext` and `--help` need none of httpx."""
    from importlib import import_module

    homes = {"AsyncClient": "client", "Client": "client", "PixapiError": "errors", "sweep": "sweep_call"}
    if name not in homes:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{homes[name]}"), name)


def load_ipython_extension(ipython: Any) -> None:
    """`%load_ext pixapi_nb`."""
    from pixapi_nb import magic

    magic.load(ipython)


def unload_ipython_extension(ipython: Any) -> None:
    """`%unload_ext pixapi_nb`: undoes it."""
    from pixapi_nb import magic

    magic.unload(ipython)
