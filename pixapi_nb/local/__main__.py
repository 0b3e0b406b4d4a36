"""``python -m pixapi_nb.local``: start the embedded Pixapi, say where it listens, serve until told to stop."""

import argparse
import contextlib
import importlib.util
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

NEEDED = ("starlette", "uvicorn", "python_multipart", "PIL", "numpy", "av")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code is 2 for what can be put right by whoever typed it."""
    options = _parser().parse_args(argv)
    if missing := [name for name in NEEDED if importlib.util.find_spec(name) is None]:
        return _refuse(f"the embedded Pixapi needs {', '.join(missing)}: pip install 'pixapi-nb[local]'")
    from pixapi_nb.local import faults, server
    from pixapi_nb.local.settings import Settings

    settings = Settings()
    try:
        settings.update({"seconds": options.seconds, "capacity": options.capacity, "rate": options.rate})
        rules = faults.parse(json.loads(options.faults.read_text("utf-8"))) if options.faults else []
    except (OSError, ValueError) as error:
        return _refuse(str(error))
    folder = options.state or Path(tempfile.mkdtemp(prefix="pixapi-local-"))
    plan = server.Plan(folder, options.port, options.media_port, settings, rules, options.admin, options.until_stdin_closes)
    try:
        server.run(plan, _announce)
    except OSError as error:
        return _refuse(str(error))
    finally:
        if options.state is None:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m pixapi_nb.local",
        description="The embedded Pixapi: draws local sketches over Pixapi's own HTTP contract. Any key sk_... will do.",
    )
    parser.add_argument("--port", type=int, default=0, help="of the API (default: any free one)")
    parser.add_argument("--media-port", type=int, default=0, help="of the media host (default: any free one)")
    parser.add_argument("--state", type=Path, metavar="DIR", help="keep tasks and media there (default: forget them)")
    parser.add_argument("--seconds", default="4", metavar="A[..B]", help="how long a task takes (default: 4)")
    parser.add_argument("--capacity", type=int, metavar="N", help="how many tasks run at once (default: no limit)")
    parser.add_argument("--rate", type=float, metavar="R", help="submissions accepted a second (default: no limit)")
    parser.add_argument("--admin", action="store_true", help="open /_local/..., the back door for tests")
    parser.add_argument("--faults", type=Path, metavar="FILE", help="JSON: fault rules to begin with")
    parser.add_argument("--until-stdin-closes", action="store_true", help="stop when standard input ends")
    return parser


def _announce(api: str, media: str) -> None:
    if sys.stdout.isatty():
        lines = [f"Embedded Pixapi: {api} (media: {media}). It draws local sketches; Ctrl-C stops it.", "Use it with:"]
        lines += [f"  export PIXAPI_BASE_URL={api}", "  export PIXAPI_KEY=sk_local"]
        sys.stdout.write("\n".join(lines) + "\n")
    else:
        sys.stdout.write(json.dumps({"api": api, "media": media, "pid": os.getpid()}) + "\n")
    sys.stdout.flush()


def _refuse(problem: str) -> int:
    sys.stderr.write(f"pixapi_nb.local: {problem}\n")
    return 2


if __name__ == "__main__":
    code = main()
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    # Painters may be in the middle of a picture: nothing of theirs is needed, and nobody should wait for them.
    os._exit(code)
