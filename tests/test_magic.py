"""The magic in a fresh IPython without a kernel, whose `run_cell` raises what the cell raises, against a real server."""

from __future__ import annotations

import asyncio
import re
import threading
import types
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from PIL import Image
from traitlets import TraitError
from traitlets.config import Config

from pixapi_nb import books, completion, magic, session
from pixapi_nb.errors import (
    InsufficientCredits,
    MissingKey,
    ModelNotFound,
    PixapiError,
    PromptError,
    PromptRejected,
    RateLimited,
    TaskFailed,
    Unauthorized,
    UsageError,
)
from pixapi_nb.jobs import Job
from pixapi_nb.models import ImageRequest, Model
from pixapi_nb.options import cell_parser
from pixapi_nb.pricing import Price
from tests.harness.pixapi import PixapiServer

MODEL = "gemini-3-pro-image-preview"


class Shell(InteractiveShell):
    """A cell that fails fails the test."""

    def run_cell(self, raw_cell: str, store_history: bool = True, *args: Any, **kwargs: Any) -> Any:
        result = super().run_cell(raw_cell, store_history, *args, **kwargs)
        result.raise_error()
        return result


@pytest.fixture
def bare(pixapi_server: PixapiServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """A shell without the extension."""
    monkeypatch.setattr(session, "_current", None)
    pixapi_server.settings(seconds=0)
    config = Config({"HistoryManager": {"enabled": False}})
    InteractiveShell.clear_instance()
    shell = Shell.instance(config=config, user_module=types.ModuleType("notebook"))
    yield shell
    magic.unload(shell)
    shell.restore_sys_module_state()
    Shell.clear_instance()
    if session._current is not None:
        session._current.close()


@pytest.fixture
def shell(bare: Shell) -> Shell:
    """A shell with the extension; its pictures are small, and soon painted."""
    bare.run_cell("%load_ext pixapi_nb")
    bare.run_cell('%config PixapiMagics.size = "160x96"')
    return bare


def cell(options: str = "", body: str = "a cup", model: str = MODEL) -> str:
    return f"%%pixapi {model} {options}\n{body}"


def sent(server: PixapiServer) -> list[dict[str, Any]]:
    """The fields of the paid requests that reached the server."""
    return [entry["fields"] for entry in server.requests("POST")]


# -- what a cell asks for


def test_options_are_the_fields_of_the_api(shell: Shell, pixapi_server: PixapiServer) -> None:
    shell.run_cell(cell("-n 2 --size 1536x1024 -q high --response-format b64_json", model="gpt-image-2"))
    assert sent(pixapi_server) == [
        {
            "model": "gpt-image-2",
            "prompt": "a cup",
            "n": 2,
            "size": "1536x1024",
            "quality": "high",
            "response_format": "b64_json",
        }
    ]
    job = shell.user_ns["_"]
    assert [medium.to_pil().size for medium in job] == [(1536, 1024)] * 2
    assert job.credits == job.estimate.low == job.estimate.high


def test_sync_is_one_request_and_has_no_task(shell: Shell, pixapi_server: PixapiServer) -> None:
    shell.run_cell(cell("--sync"))
    assert [entry["path"] for entry in pixapi_server.requests("POST")] == ["/v1/images/generations"]
    assert pixapi_server.requests("GET", "/v1/tasks") == []
    assert shell.user_ns["_"].task_id is None


def test_configured_defaults_stand_where_the_cell_says_nothing(shell: Shell, pixapi_server: PixapiServer) -> None:
    shell.run_cell('%config PixapiMagics.size = "1024x1536"')
    shell.run_cell("%config PixapiMagics.n = 2")
    shell.run_cell(cell())
    shell.run_cell(cell("-n 1 -s 16:9"))
    assert [(fields["n"], fields["size"]) for fields in sent(pixapi_server)] == [(2, "1024x1536"), (1, "16:9")]


PROMPTS = [
    "it's \"quoted\", ''twice'' and '''thrice\"\"\"",
    "two\nlines, and\n\n\na gap",
    "żółw 猫 🧑‍🚀 e\u0301 \u202eright to left",
    'JSON: {"light": {"key": 3}, "size": [1, 2]} and {single} braces',
    "back\\slash \\n \\{{not a template}} %s %(x)s $HOME ${x} {x!r}",
    "!ls\n%time\n%%time\n?help\n# not a comment\n@decorated",
    "    indented\n\tand tabbed",
    "x" * 1900,
]


@pytest.mark.parametrize("prompt", PROMPTS, ids=range(len(PROMPTS)))
def test_a_prompt_arrives_as_it_was_written(shell: Shell, pixapi_server: PixapiServer, prompt: str) -> None:
    shell.run_cell(cell(body=prompt))
    wanted = prompt.strip().replace("\\{{not a template}}", "{{not a template}}")
    assert [fields["prompt"] for fields in sent(pixapi_server)] == [wanted]


def test_braces_and_dollars_on_the_line_are_literal(shell: Shell, pixapi_server: PixapiServer, tmp_path: Path) -> None:
    shell.user_ns |= {"x": "expanded", "MODEL": MODEL}
    shell.run_cell(cell("--save '{x} $x {1/0} {{x}}'"))
    assert len(list((tmp_path / "{x} $x {1/0} {{x}}").glob("*.png"))) == 1
    with pytest.raises(UsageError, match=re.escape("'{x}'")):
        shell.run_cell(cell("-n {x}"))
    with pytest.raises(UsageError, match=re.escape("pixapi $x")):
        shell.run_cell("%pixapi $x")
    with pytest.raises(ModelNotFound, match=re.escape("$MODEL")):
        shell.run_cell(cell(model="$MODEL"))


def test_variables_and_declared_controls_fill_the_prompt(shell: Shell, pixapi_server: PixapiServer) -> None:
    shell.user_ns |= {"material": "glass {{material}} {x}", "warmth": 9}
    shell.run_cell(cell(body="A {{material}} cup, {{style: noir | studio}}, warmth {{warmth: 0..10}}, {{n: 0..4}}"))
    assert sent(pixapi_server)[0]["prompt"] == "A glass {{material}} {x} cup, noir, warmth 9, 2"


def test_a_picture_may_go_in_as_a_variable_an_item_of_a_job_or_a_file(shell: Shell, pixapi_server: PixapiServer) -> None:
    shell.run_cell(cell("-n 2 -o pair"))
    pair = shell.user_ns["pair"]
    pair[1].save("cup.png")
    for source in ("pair[1]", "cup.png", "pair"):
        shell.run_cell(cell(f"-i {source}", "the same in green"))
    edits = pixapi_server.requests("POST", "/edits")
    assert [entry["fields"]["image"] for entry in edits] == ["1 file(s)"] * 2 + [edits[2]["fields"]["image"]]


def test_a_picture_that_is_still_being_made_is_waited_for(shell: Shell, pixapi_server: PixapiServer) -> None:
    """As in Run All: the variable is not even there when the next cell begins."""
    pixapi_server.settings(seconds=1)
    shell.run_cell(cell("-b -o hero"))
    shell.run_cell(cell("-i hero -o green", "the same in green"))
    assert len(shell.user_ns["green"]) == 1
    assert [entry["path"] for entry in pixapi_server.requests("POST")] == [
        "/v1/async/images/generations",
        "/v1/async/images/edits",
    ]


def test_what_is_saved_has_the_kind_of_its_name(shell: Shell, tmp_path: Path) -> None:
    shell.run_cell(cell("-o hero"))
    hero = shell.user_ns["hero"]
    (copied,) = hero.save(tmp_path / "copies")
    assert copied.read_bytes() == hero[0].bytes
    with Image.open(hero[0].save(tmp_path / "hero.jpg")) as image:
        assert image.format == "JPEG"
    with pytest.raises(PixapiError, match=r"hero\.xyz cannot be written"):
        hero[0].save(tmp_path / "hero.xyz")
    assert not (tmp_path / "hero.xyz").exists()


def test_the_help_names_every_option() -> None:
    said = magic.PixapiMagics.pixapi.__doc__ or ""
    options = [option for action in cell_parser()._actions for option in action.option_strings]
    assert [option for option in options if not re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", said)] == []


def test_a_dry_run_shows_the_request_and_its_price_and_sends_nothing(
    shell: Shell, pixapi_server: PixapiServer, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run_cell(cell("-n 3 --dry-run", "a {{material: glass | clay}} cup"))
    said = capsys.readouterr().out
    assert {"prompt: a glass cup", "n: 3"} <= set(said.splitlines())
    assert "24 credits" in said
    assert pixapi_server.requests() == []


def test_a_dry_run_tells_what_would_happen(
    shell: Shell, pixapi_server: PixapiServer, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run_cell("%config PixapiMagics.budget = 10")
    shell.run_cell(cell("--dry-run --reuse --interact"))
    first = capsys.readouterr().out.splitlines()
    assert {"reuse: no earlier run answers it", "budget: 10 of 10 credits are left"} <= set(first)
    shell.run_cell(cell())
    capsys.readouterr()
    shell.run_cell(cell("--dry-run --reuse"))
    again = capsys.readouterr().out.splitlines()
    assert {"reuse: an earlier run answers it: 0 credits", "budget: 2 of 10 credits are left: it would be refused"} <= set(
        again
    )
    shell.run_cell(cell("--dry-run", model="unheard-of"))
    assert "price: unknown" in capsys.readouterr().out
    assert len(pixapi_server.requests("POST")) == 1


def test_a_budget_is_no_debt(shell: Shell) -> None:
    (own,) = magic._loaded.values()
    with pytest.raises(TraitError, match="0 credits or more"):
        own.budget = -1
    shell.run_cell("%config PixapiMagics.budget = -1")
    assert session.current().budget is None


@pytest.mark.parametrize(
    ("line", "offered", "not_offered"),
    [
        ("%%pixapi nano", ["nano-banana"], ["--size"]),
        ("%%pixapi -n 2 nano", ["nano-banana"], []),
        ("%%pixapi nano-banana --embed ", ["preview", "full", "link"], []),
        ("%%pixapi nano-banana --embed=", ["preview", "full", "link"], ["--size"]),
        ("%%pixapi nano-banana -", ["--size"], ["nano-banana"]),
        ("%%pixapi sora", ["sora-9"], []),
        ("%pixapi ta", ["tasks"], []),
        ("%pixapi tasks --", ["--close", "--all"], []),
        ("%pixapi resume ", ["task_of_yesterday"], []),
        ("%pixapi tasks --close ", ["task_of_yesterday"], []),
    ],
)
def test_tab(shell: Shell, pixapi_server: PixapiServer, line: str, offered: list[str], not_offered: list[str]) -> None:
    own = session.current()
    server = own.server()
    told: Any = Future()
    told.set_result((Model(id="sora-9", kind="video"),))
    own._models[server] = told
    job = Job(ImageRequest(model="nano", prompt="p"), server=server.name, estimate=Price())
    own.ledger.intend(replace(books.entry(job, "d", notebook=None), state="submitted", task_id="task_of_yesterday"))
    word = re.split(r"[\s=]", line)[-1]
    found = completion.complete(line, word, {})
    assert set(offered) <= set(found)
    assert not set(not_offered) & set(found)


def test_a_magic_in_a_function_and_in_a_loop(shell: Shell, pixapi_server: PixapiServer) -> None:
    shell.run_cell(
        f"def draw(what):\n"
        f"    return get_ipython().run_cell_magic('pixapi', '{MODEL}', f'a {{what}} cup')\n"
        f"jobs = [draw(what) for what in ('clay', 'glass')]\n"
        f"for job in jobs:\n"
        f"    print(len(job), job.status)"
    )
    assert [fields["prompt"] for fields in sent(pixapi_server)] == ["a clay cup", "a glass cup"]
    assert [job.status for job in shell.user_ns["jobs"]] == ["completed"] * 2


@pytest.mark.parametrize("around", ["%%time\n{}", "%%capture kept\n{}", "\n\n{}", "%%timeit -n1 -r1\n{}"])
def test_cells_around_the_magic(shell: Shell, pixapi_server: PixapiServer, around: str) -> None:
    shell.user_ns["material"] = "clay"
    shell.run_cell(around.format(cell(body="a {{material}} cup")))
    assert [fields["prompt"] for fields in sent(pixapi_server)] == ["a clay cup"]


# -- what the cell gives


def test_the_value_is_the_job_and_is_shown_once(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run_cell(cell())
    job = shell.user_ns["_"]
    assert isinstance(job, Job)
    assert capsys.readouterr().out.count("pixapi_out/a-cup") == 1
    shell.run_cell("_")
    assert capsys.readouterr().out.count("pixapi_out/a-cup") == 1
    assert shell.user_ns["_"] is job
    shell.run_cell("print(_); [_]")
    line = f"<Job {MODEL}: completed, 1 image, {job.task_id}>"
    assert capsys.readouterr().out == f"{line}\nOut[5]: [{line}]\n"


def test_a_terminal_shows_no_empty_out(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run_cell(cell())
    assert not re.search(r"Out\[\d+\]: *\n?$", capsys.readouterr().out)


def test_a_job_stands_for_its_pictures(shell: Shell, tmp_path: Path) -> None:
    shell.run_cell(cell("-n 3 -o hero"))
    hero = shell.user_ns["hero"]
    assert len(hero) == len(list(hero)) == 3
    assert len({medium.bytes for medium in hero}) == 3
    assert hero[0].to_pil().size == (160, 96)
    assert sorted(path.resolve() for path in hero.save("kept")) == sorted((tmp_path / "kept").iterdir())
    assert asyncio.run(_awaited(hero)) is hero.result() is hero
    assert {medium.path and medium.path.parent for medium in hero} == {tmp_path / "pixapi_out"}


async def _awaited(job: Job) -> Job:
    return await job


def test_files_stay_beside_the_notebook_when_the_working_directory_moves(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    shell.run_cell("import os; os.chdir('elsewhere')")
    shell.run_cell(cell("-o one"))
    shell.run_cell(cell("-o two --save mine"))
    assert shell.user_ns["one"][0].path.parent == tmp_path / "pixapi_out"
    assert shell.user_ns["two"][0].path.parent == tmp_path / "mine"


# -- errors


REFUSED = [
    ("-o 2x", "a cup", "'2x' cannot be the name of a variable"),
    ("-o class", "a cup", "'class' cannot be the name"),
    ("--nope", "a cup", "option --nope is not known"),
    ("--siez 1K", "a cup", "Did you mean --size?"),
    ("a cup", "on a table", "word a is not known"),
    ("-n 0", "a cup", "at least one"),
    ("-n", "a cup", "expected one argument"),
    ("-s huge", "a cup", "'huge' is no size"),
    ("-q best", "a cup", "quality 'best' does not exist"),
    ("-d 6", "a cup", "-d is for videos"),
    ("'-s", "a cup", "No closing quotation|no closing quotation"),
    ("-i nothing.png", "a cup", "no such variable and no such file"),
    ("", "  \n ", "the prompt is empty"),
    ("--embed never", "a cup", "invalid choice"),
    ("--save notes.txt", "a cup", "is a file, and has to be a folder"),
    ("--sweep material,style", "a {{style: a | b}} cup", "--sweep=material,style"),
]


@pytest.mark.parametrize(("options", "body", "said"), REFUSED)
def test_what_is_wrong_is_said_before_anything_is_sent(
    shell: Shell, pixapi_server: PixapiServer, options: str, body: str, said: str
) -> None:
    Path("notes.txt").write_text("in the way")
    with pytest.raises(UsageError, match=said) as raised:
        shell.run_cell(cell(options, body))
    assert pixapi_server.requests("POST") == []
    assert_short(raised.value)


def test_a_cell_without_a_body_or_a_model_says_what_is_missing(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="the prompt is empty"):
        shell.run_cell(f"%%pixapi {MODEL}")
    with pytest.raises(UsageError, match="no model is given"):
        shell.run_cell("%%pixapi")
    assert "pixapi_awaited" not in "".join(capsys.readouterr())


TEMPLATES = ["{{nobody}}", "{{a b}}", "{{x: }}", "{{x: 5..1}}", "{{x: a | b = c}}", "open {{x", "{{x: 0..1}} {{x: 0..2}}"]


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_bad_template_shows_the_place(shell: Shell, pixapi_server: PixapiServer, template: str) -> None:
    with pytest.raises(PromptError) as raised:
        shell.run_cell(cell(body=template))
    assert pixapi_server.requests("POST") == []
    assert re.search(r"^ +\^+$", raised.value.message, re.MULTILINE)
    assert_short(raised.value)


def test_a_variable_that_does_not_fit_is_an_error_and_not_the_default(shell: Shell, pixapi_server: PixapiServer) -> None:
    shell.user_ns["warmth"] = 11
    with pytest.raises(PromptError, match="11"):
        shell.run_cell(cell(body="{{warmth: 0..10}}"))
    assert pixapi_server.requests("POST") == []


ANSWERS = [
    (401, Unauthorized, "PIXAPI_KEY"),
    (402, InsufficientCredits, "(?i)add credits"),
    (404, ModelNotFound, "%pixapi models"),
    (422, PromptRejected, "Change the prompt"),
]


@pytest.mark.parametrize(("status", "kind", "way_on"), ANSWERS)
@pytest.mark.parametrize("options", ["", "--sync"])
def test_what_the_server_refuses(
    shell: Shell, pixapi_server: PixapiServer, status: int, kind: type[PixapiError], way_on: str, options: str
) -> None:
    pixapi_server.faults({"kind": "status", "status": status, "match": {"method": "POST"}})
    with pytest.raises(kind, match=way_on) as raised:
        shell.run_cell(cell(options))
    assert len(pixapi_server.requests("POST")) == 1
    assert_short(raised.value)


def test_a_full_server_is_asked_again_and_then_given_up(
    shell: Shell, pixapi_server: PixapiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pixapi_nb.lifecycle.backoff", lambda *_, **__: 0.01)
    pixapi_server.faults({"kind": "status", "status": 429, "match": {"method": "POST"}})
    with pytest.raises(RateLimited, match="5 times") as raised:
        shell.run_cell(cell())
    assert len(pixapi_server.requests("POST")) == 5
    assert_short(raised.value)


def test_a_task_that_fails(shell: Shell, pixapi_server: PixapiServer) -> None:
    pixapi_server.faults({"kind": "fail_task", "match": {"method": "POST"}, "task": {"error": "the model is tired"}})
    with pytest.raises(TaskFailed, match="the model is tired") as raised:
        shell.run_cell(cell())
    assert_short(raised.value)
    assert pixapi_server.charges() == []


@pytest.mark.parametrize("line", ["nope", "taks", "../x"])
def test_an_unknown_command_names_the_known_ones(shell: Shell, line: str) -> None:
    with pytest.raises(UsageError, match="There are: ") as raised:
        shell.run_cell(f"%pixapi {line}")
    assert_short(raised.value)


def test_without_a_key_both_ways_on_are_named(bare: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIXAPI_KEY")
    bare.run_cell("%load_ext pixapi_nb")
    with pytest.raises(MissingKey, match=r"(?s)%pixapi login.*%pixapi local") as raised:
        bare.run_cell(cell())
    assert_short(raised.value)


@pytest.mark.parametrize(
    "mode",
    [
        "Context",
        "Verbose",
        "Plain",
        "Minimal",
    ],
)
def test_an_error_shows_in_red_and_without_a_stack(shell: Shell, capsys: pytest.CaptureFixture[str], mode: str) -> None:
    shell.run_cell(f"%xmode {mode}")
    capsys.readouterr()
    with pytest.raises(UsageError) as raised:
        shell.run_cell(cell("--nope"))
    assert raised.value.hint
    assert capsys.readouterr().out == f"\x1b[31mUsageError\x1b[0m: {raised.value.message}\n{raised.value.hint}\n"


def assert_short(error: PixapiError) -> None:
    lines = "\n".join(error._render_traceback_()).splitlines()
    assert len(lines) <= 6
    assert all(len(line) <= 200 for line in lines)
    assert lines[0].startswith(f"\x1b[31m{type(error).__name__}\x1b[0m: ")
    assert not re.search(r"\.py|Traceback|site-packages|0x[0-9a-f]+", "\n".join(lines))


# -- `-o`


def test_out_is_unbound_when_the_server_did_not_accept(shell: Shell, pixapi_server: PixapiServer) -> None:
    shell.user_ns["hero"] = "of an earlier run"
    pixapi_server.faults({"kind": "status", "status": 402, "match": {"method": "POST"}})
    with pytest.raises(InsufficientCredits):
        shell.run_cell(cell("-o hero"))
    assert "hero" not in shell.user_ns


def test_out_is_bound_as_soon_as_the_server_accepts(shell: Shell, pixapi_server: PixapiServer) -> None:
    pixapi_server.faults({"kind": "fail_task", "match": {"method": "POST"}, "task": {"error": "no"}})
    with pytest.raises(TaskFailed):
        shell.run_cell(cell("-o hero"))
    hero = shell.user_ns["hero"]
    assert hero.status == "failed"
    assert hero.task_id == pixapi_server.tasks()[0]["id"]
    with pytest.raises(TaskFailed):
        len(hero)


def test_out_is_left_alone_by_a_cell_that_sends_nothing(shell: Shell) -> None:
    shell.user_ns["hero"] = "of an earlier run"
    with pytest.raises(UsageError):
        shell.run_cell(cell("-o hero -s huge"))
    shell.run_cell(cell("-o hero --dry-run"))
    assert shell.user_ns["hero"] == "of an earlier run"


# -- the extension


def state(shell: Shell) -> dict[str, object]:
    """All that an extension can change of a shell."""
    events = {name: list(callbacks) for name, callbacks in shell.events.callbacks.items()}
    completers = shell.strdispatchers["complete_command"]
    formatter = shell.display_formatter
    assert formatter is not None
    return {
        "magics": {kind: sorted(names) for kind, names in shell.magics_manager.magics.items()},
        "registry": sorted(shell.magics_manager.registry),
        "transformers": [*shell.input_transformers_cleanup, *shell.input_transformers_post],
        "events": events,
        "formatters": sorted(map(str, formatter.ipython_display_formatter.type_printers)),
        "mimebundles": sorted(map(str, formatter.mimebundle_formatter.type_printers)),
        "configurables": list(shell.configurables),
        "completers": [sorted(completers.strs), sorted(completers.regexs)],
        "names": sorted(name for name in shell.user_ns if not re.match(r"_i?\d*$", name)),
    }


def test_unloading_undoes_everything(bare: Shell) -> None:
    bare.run_cell("%reload_ext IPython.extensions.storemagic")  # what `%load_ext` itself leaves behind
    before = state(bare)
    bare.run_cell("%load_ext pixapi_nb")
    loaded = state(bare)
    assert {key for key in before if before[key] != loaded[key]} >= {"magics", "transformers", "events", "formatters"}
    bare.run_cell("%unload_ext pixapi_nb")
    assert state(bare) == before
    with pytest.raises(BaseException, match=r"Cell magic `%%pixapi` not found|not found"):
        bare.run_cell(cell())


def test_loading_again_changes_nothing_and_reloading_works(shell: Shell, pixapi_server: PixapiServer) -> None:
    loaded = state(shell)
    shell.run_cell("%load_ext pixapi_nb")
    assert state(shell) == loaded
    shell.run_cell("%reload_ext pixapi_nb")
    assert [len(shell.events.callbacks[name]) for name in ("pre_run_cell", "post_run_cell")] == [1, 1]
    shell.run_cell(cell())
    assert len(sent(pixapi_server)) == 1


def test_loading_starts_writes_and_sends_nothing(bare: Shell, pixapi_server: PixapiServer, tmp_path: Path) -> None:
    files, threads, task = sorted(tmp_path.rglob("*")), set(threading.enumerate()), asyncio.Task
    bare.run_cell("%load_ext pixapi_nb")
    assert sorted(tmp_path.rglob("*")) == files
    assert set(threading.enumerate()) == threads
    assert asyncio.Task is task
    assert pixapi_server.requests() == []
