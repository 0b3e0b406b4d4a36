"""Where a panel lives: whom it asks, and how its requests are carried out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from IPython import get_ipython

from pixapi_nb import session
from pixapi_nb.session import Options, Session

__all__ = ["Home"]


@dataclass(frozen=True)
class Home:
    """`options` is asked anew for every generation, so that a budget set meanwhile holds."""

    session: Session
    options: Callable[[], Options]

    @classmethod
    def found(cls) -> Home:
        """The extension's, with its `%config PixapiMagics` settings, if it is loaded; else the process's session."""
        shell = get_ipython()
        magics = shell.magics_manager.registry.get("PixapiMagics") if shell is not None else None
        return cls(session.current(), Options) if magics is None else cls(magics.session, magics.panel_options)
