"""Where the key comes from, besides PIXAPI_KEY: what `%pixapi login` was told, and the system's keyring when asked.

The keyring needs the package `keyring`; without it, or without a keyring on this machine, there is simply none.
"""

from __future__ import annotations

import contextlib

from pixapi_nb.errors import UsageError
from pixapi_nb.wire import Secret

__all__ = ["forget", "recall", "remember", "secret"]

_SERVICE, _NAME = "pixapi_nb", "PIXAPI_KEY"


def secret(text: str) -> Secret:
    """A key as typed. Raises UsageError for what cannot be one; the message does not repeat it."""
    text = text.strip()
    if not text or not text.isascii() or any(c.isspace() for c in text):
        raise UsageError("that is not a key.", hint="Keys are one word; Pixapi's begin with sk_.")
    return Secret(text)


def recall() -> Secret | None:
    """The key in the keyring."""
    try:
        import keyring
    except ImportError:
        return None
    with contextlib.suppress(Exception):  # keyrings raise what their systems raise
        found = keyring.get_password(_SERVICE, _NAME)
        return Secret(found) if found else None
    return None


def remember(key: Secret) -> None:
    """Put the key into the keyring. Raises UsageError where there is none."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError as error:
        raise UsageError("there is no keyring to use.", hint="pip install keyring, or leave --keyring away.") from error
    try:
        keyring.set_password(_SERVICE, _NAME, key.reveal())
    except KeyringError as error:
        raise UsageError(f"the keyring took no key: {type(error).__name__}.", hint="Leave --keyring away.") from error


def forget() -> None:
    """Take it out again, if it is there."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return
    with contextlib.suppress(KeyringError):
        keyring.delete_password(_SERVICE, _NAME)
