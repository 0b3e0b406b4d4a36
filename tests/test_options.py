"""The line of `%%pixapi`: words, quotes, and what was meant."""

from __future__ import annotations

import pytest

from pixapi_nb.errors import UsageError
from pixapi_nb.options import Parser, cell_parser, closest, split


def parsed(line):
    return cell_parser().parse(split(line))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("nano -n 2 --size 1536x1024", ["nano", "-n", "2", "--size", "1536x1024"]),
        ("""-i 'my cat.png' --save "a b" """, ["-i", "my cat.png", "--save", "a b"]),
        ("nano -o $HOME {hero}", ["nano", "-o", "$HOME", "{hero}"]),
        ("nano # no comment", ["nano", "#", "no", "comment"]),
        ("-i 'it''s'", ["-i", "its"]),
        ("", []),
    ],
)
def test_words_and_quotes_and_nothing_is_expanded(line, words):
    assert split(line) == words


def test_every_option_reaches_its_field():
    words = parsed(
        "nano-banana -n 3 -s 2K -q high --response-format b64_json -i a.png -i hero[1] -d 6s --as video -o shot "
        "--sync --dry-run --interact --save out --embed link"
    )
    expected = {
        "model": "nano-banana", "n": 3, "size": "2K", "quality": "high", "response_format": "b64_json",
        "image": ["a.png", "hero[1]"], "duration": 6.0, "kind": "video", "out": "shot", "sync": True, "dry_run": True,
        "interact": True, "save": "out", "embed": "link",
    }  # fmt: skip
    assert {name: getattr(words, name) for name in expected} == expected


def test_what_is_not_given_is_none_and_lists_are_not_shared():
    first, second = parsed("nano"), parsed("nano -i x")
    assert (first.n, first.size, first.kind, first.out, first.duration, first.save) == (None,) * 6
    assert (first.image, second.image) == ([], ["x"])


@pytest.mark.parametrize("line", ["-n 2 nano", "nano -n2", "nano -n 2", "--size=2K nano -n 2"])
def test_options_may_come_before_and_after_the_model(line):
    words = parsed(line)
    assert (words.model, words.n) == ("nano", 2)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("nano --szie 1024x1024", "option --szie is not known. Did you mean --size?"),
        ("nano --dryrun", "option --dryrun is not known. Did you mean --dry-run?"),
        ("nano --respone-format=url", "Did you mean --response-format?"),
        ("nano --sav out", "Did you mean --save?"),
        ("nano -z", "option -z is not known."),
        ("nano a cup on a table", "word a is not known."),
        ("nano –n 2", "word –n is not known."),
        ("nano -n two", "'two' is not a whole number"),
        ("nano -n 1.5", "'1.5' is not a whole number"),
        ("nano -d long", "'long' is not a number of seconds"),
        ("nano -n", "-n: expected one argument"),
        ("nano -o 2cool", "'2cool' cannot be the name of a variable"),
        ("nano -o class", "'class' cannot be the name of a variable"),
        ("nano -o a.b", "'a.b' cannot be the name of a variable"),
        ("nano --embed all", "invalid choice: 'all'"),
        ("nano --as sound", "invalid choice: 'sound'"),
        ("nano -i 'open", "no closing quotation"),
        ("nano \\", "no escaped character"),
        ("nano --\x1b[31mred", "option --red is not known"),
    ],
)
def test_what_is_wrong_is_said_with_what_was_meant(line, said):
    with pytest.raises(UsageError) as caught:
        parsed(line)
    assert said in caught.value.message
    assert caught.value.hint
    assert str(caught.value).replace("\n", "").isprintable()


def test_options_are_never_guessed_from_their_beginning():
    with pytest.raises(UsageError, match="--siz is not known"):
        parsed("nano --siz 2K")


def test_a_line_never_ends_the_process(capsys):
    for line in ("--help", "-h", "--version"):
        with pytest.raises(UsageError):
            parsed(line)
    assert capsys.readouterr() == ("", "")


def test_a_parser_of_another_command_says_its_own_name():
    with pytest.raises(UsageError, match="word x") as caught:
        Parser("%pixapi tasks").parse(["x"])
    assert caught.value.hint


def test_closest():
    assert closest("modles", ["models", "tasks"]) == " Did you mean models?"
    assert closest("xyzzy", ["models", "tasks"]) == ""
    assert closest("m" * 1_000_000, ["models"]) == ""
