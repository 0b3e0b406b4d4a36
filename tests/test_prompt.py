"""The template language: what parses, what it renders to, and where an error points."""

from __future__ import annotations

import decimal
from decimal import Decimal
from fractions import Fraction
from unittest.mock import MagicMock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixapi_nb.controls import MOST_STOPS, Choices, Control, ControlError, Free, Range, Scale
from pixapi_nb.errors import PromptError
from pixapi_nb.prompt import Placeholder, Template


def only(prompt: str) -> Control:
    """The one control of a prompt."""
    (control,) = Template.parse(prompt).controls.values()
    return control


def parsed(prompt: str) -> Template | PromptError:
    """The template, or what is wrong with it."""
    try:
        return Template.parse(prompt)
    except PromptError as error:
        return error


# ---- what a declaration means


@pytest.mark.parametrize(
    ("prompt", "control"),
    [
        ("{{x}}", Free("x")),
        ("{{ x }}", Free("x")),
        ("{{größe}}", Free("größe")),
        ("{{gro\u0308ße}}", Free("größe")),  # Python reads the two spellings as one name
        ("{{x: a | b}}", Choices("x", ("a", "b"), "a")),
        ("{{x:a|b}}", Choices("x", ("a", "b"), "a")),
        ("{{x: a | b | c = b}}", Choices("x", ("a", "b", "c"), "b")),
        ("{{x: in the rain, at 5 p.m. | 日本 = 日本}}", Choices("x", ("in the rain, at 5 p.m.", "日本"), "日本")),
        ("{{x:\n  a\n| b\n}}", Choices("x", ("a", "b"), "a")),
        ("{{x: 1 | 2.5 | -3}}", Choices("x", ("1", "2.5", "-3"), "1")),
        ("{{x: a: b | c}}", Choices("x", ("a: b", "c"), "a: b")),
        ("{{x: {a} | {b}}}", Choices("x", ("{a}", "{b}"), "{a}")),
        (
            '{{x: {"k": {"v": "1|2 = 3"}} | none}}',
            Choices("x", ('{"k": {"v": "1|2 = 3"}}', "none"), '{"k": {"v": "1|2 = 3"}}'),
        ),
        ("{{x: a } | b}}", Choices("x", ("a }", "b"), "a }")),
        (r"{{x: a\|b | c\=d | e\}\} | \{ = c\=d}}", Choices("x", ("a|b", "c=d", "e}}", "{"), "c=d")),
        (r"{{x: C:\new | a\\b}}", Choices("x", ("C:\\new", "a\\b"), "C:\\new")),
        ("{{x: well .. no | yes}}", Choices("x", ("well .. no", "yes"), "well .. no")),
        ("{{x: 0..10}}", Range("x", 0, 10, 1, 5)),
        ("{{x: 1..10}}", Range("x", 1, 10, 1, 5)),
        ("{{x:-5 .. 5}}", Range("x", -5, 5, 1, 0)),
        ("{{x: -5..-1 = -1}}", Range("x", -5, -1, 1, -1)),
        ("{{x: +1..+3}}", Range("x", 1, 3, 1, 2)),
        ("{{x: −5..5}}", Range("x", -5, 5, 1, 0)),  # the true minus sign
        ("{{x: −1..−.5 = −.7}}", Range("x", -1.0, -0.5, 0.1, -0.7)),
        ("{{x: 1-2 .. 3-4}}", Scale("x", ("1-2", "3-4"), "1-2")),
        ("{{x: 0..10 step 5}}", Range("x", 0, 10, 5, 5)),
        ("{{x: 0..10 step 3}}", Range("x", 0, 10, 3, 3)),
        ("{{x: 0..1 step 0.1}}", Range("x", 0.0, 1.0, 0.1, 0.5)),
        ("{{x: 0..1 step 0.1 = 0.3}}", Range("x", 0.0, 1.0, 0.1, 0.3)),
        ("{{x: 0..1 step .25 = .5}}", Range("x", 0.0, 1.0, 0.25, 0.5)),
        ("{{x: 0.0..1.0}}", Range("x", 0.0, 1.0, 0.1, 0.5)),
        ("{{x: -0.05..0.05}}", Range("x", -0.05, 0.05, 0.01, 0.0)),
        ("{{x: 0.0..10.0 step 1.0}}", Range("x", 0, 10, 1, 5)),
        ("{{x: calm .. wild}}", Scale("x", ("calm", "wild"), "calm")),
        ("{{x: calm..lively..wild}}", Scale("x", ("calm", "lively", "wild"), "lively")),
        ("{{x: very calm .. lively .. wild = wild}}", Scale("x", ("very calm", "lively", "wild"), "wild")),
        ("{{x: 1920s .. 1950s .. 1980s}}", Scale("x", ("1920s", "1950s", "1980s"), "1950s")),
        ("{{x: well... .. no}}", Scale("x", ("well...", "no"), "well...")),
        (r"{{x: a\.\.b .. c}}", Scale("x", ("a..b", "c"), "a..b")),
    ],
)
def test_declaration(prompt, control):
    assert only(prompt) == control
    assert repr(only(prompt)) == repr(control)  # ints stay ints


@pytest.mark.parametrize(
    ("prompt", "rendered"),
    [
        ("", ""),
        ("a cup", "a cup"),
        ('{"a": {"b": 1}}', '{"a": {"b": 1}}'),
        ("} }} }}} {", "} }} }}} {"),
        (r"\n \\ \{ C:\dir", r"\n \\ \{ C:\dir"),
        (r"\{{x}}", "{{x}}"),
        (r"\\{{x}}", r"\X"),
        (r"\\\{{x}}", r"\{{x}}"),
        (r"\{{{{x}}", "{{X"),
        ("{{{x}}}", "{X}"),
        ("{{{{x}}}}", "{{X}}"),
        (r"\{{{", "{{{"),
        ('{"n": {{n: 1..3}}}', '{"n": 2}'),
        ('{"a": {"n": {{n: 1..3}}}}', '{"a": {"n": 2}}'),
        ("{{x}}{{x}}{{y: a|b}}{{y}}", "XXaa"),
        ("{{y}} {{y: a | b = b}} {{y}}", "b b b"),
        ("{{y: a | b}} {{y:a|b}}", "a a"),
    ],
)
def test_render(prompt, rendered):
    assert Template.parse(prompt).render({"x": "X", "unused": object()}) == rendered


def test_controls_come_in_order_of_first_appearance():
    template = Template.parse("{{b}} {{a: 1..3}} {{c}} {{b: x | y}} {{a}}")
    assert list(template.controls) == ["b", "a", "c"]
    assert template.names == ("c",)
    assert template.defaults() == {"b": "x", "a": 2}


def test_parts_know_their_places():
    text = "a {{x}} b {{y: 1..3}}"
    parts = Template.parse(text).parts
    assert [text[p.start : p.end] if isinstance(p, Placeholder) else p for p in parts] == [
        "a ",
        "{{x}}",
        " b ",
        "{{y: 1..3}}",
    ]


def test_spans_mark_the_changing_words():
    template = Template.parse(r"\{{ {{x}}, {{y: a | b}}!")
    assert template.spans({"x": ""}) == [("{{ ", None), ("", "x"), (", ", None), ("a", "y"), ("!", None)]


# ---- errors point at the place


@pytest.mark.parametrize(
    ("prompt", "place", "said"),
    [
        ("a {{x", "{{", "not closed"),
        ("a {{x} b", "{{", "not closed"),
        ("a {{x: a | b and {{y}}", "{{", "not closed"),
        ("a {{x: :-{ | b}} c", "{{", r"\{"),
        ("a {{}} b", "{{}}", "needs a name"),
        ("a {{  }} b", "{{  }}", "needs a name"),
        ("a {{: a | b}} b", "{{: a | b}}", "needs a name"),
        ("a {{os.environ}} b", "os.environ", "identifiers"),
        ("a {{ f() }} b", "f()", "identifiers"),
        ("a {{x[0]}} b", "x[0]", "identifiers"),
        ("a {{2x}} b", "2x", "identifiers"),
        ("a {{a | b}} b", "a | b", "identifiers"),
        ("a {{x!r}} b", "x!r", "identifiers"),
        ("a {{class}} b", "class", "Python's own"),
        ("a {{__name__}} b", "__name__", "Python's own"),
        ("a {{ｃｌａｓｓ}} b", "ｃｌａｓｓ", "Python's own"),
        ("a {{x:.2f}} b", ".2f", "one value alone"),
        ("a {{x: only}} b", "only", "one value alone"),
        ("a {{x: 0-10}} b", "0-10", "two dots: 0..10."),
        ("a {{x: 0 to 10}} b", "0 to 10", "two dots: 0..10."),
        ("a {{x: 1…9 step 2 = 3}} b", "1…9 step 2", "two dots: 1..9."),
        ("a {{x: −0.5...0.5}} b", "−0.5...0.5", "two dots: -0.5..0.5."),
        ("a {{x: 2026-05-06}} b", "2026-05-06", "one value alone"),
        ("a {{x:}} b", ":", "nothing is declared after this colon. Choices are written"),
        ("a {{x: = 3}} b", ":", "nothing is declared"),
        ("a {{x: a | | b}} b", "| ", "a choice is empty"),
        ("a {{x: | b}} b", ": ", "a choice is empty"),
        ("a {{x: a |}} b", "|", "a choice is empty"),
        ("a {{x: a .. .. b}} b", ". ", "a stop is empty"),
        ("a {{x: foo | bar | foo }} b", "foo", "twice"),
        ("a {{x: foo .. foo}} b", "foo", "twice"),
        ("a {{x: noir | studio = noire}} b", "noire", "Did you mean noir?"),
        ("a {{x: noir | studio =}} b", "=", "no default"),
        ("a {{x: 1=2 | b}} b", "=", r"\="),
        ("a {{x: a | b = a = b}} b", "=", r"\="),
        ("a {{x: calm .. wild = mild}} b", "mild", "not among the stops"),
        ("a {{x: calm .. 10}} b", "10", "a number among words"),
        ("a {{x: 10..0}} b", "10..0", "goes up"),
        ("a {{x: 1..1}} b", "1..1", "goes up"),
        ("a {{x: 0..}} b", "0..", "0..10"),
        ("a {{x: 0..ten}} b", "ten", "not a number"),
        ("a {{x: 0..10 by 2}} b", "0..10 by 2", "step"),
        ("a {{x: 0..5..10}} b", "0..5..10", "0..10"),
        ("a {{x: 0..10 step two}} b", "two", "not a number"),
        ("a {{x: 0..10 step 0}} b", "0", "above 0"),
        ("a {{x: 0..10 step -1}} b", "-1", "above 0"),
        ("a {{x: 0..10 step 11}} b", "11", "larger than the range"),
        ("a {{x: 0..10 = 11}} b", "11", "from 0 to 10"),
        ("a {{x: 0..10 = 2.5}} b", "2.5", "a whole number"),
        ("a {{x: 0..10 step 3 = 10}} b", "10", "from 0 to 9 in steps of 3"),
        ("a {{x: 0..10 = noon}} b", "noon", "not a number"),
        ("a {{x: 0..10000}} b", "0..10000", "at most 10,000 stops"),
        ("a {{x: 0..1234567890123456}} b", "1234567890123456", "15 digits"),
        (
            "a {{x: 100000000000000..100000000000001 step .01}}",
            "100000000000000..100000000000001 step .01",
            "15 digits",
        ),
        ("{{x: a | b}} {{x: a | c}}", "{{x: a | c}}", "second time"),
        ("{{x}} {{x: 0..3}} {{x: 0..4}}", "{{x: 0..4}}", "second time"),
    ],
)
def test_parse_error(prompt, place, said):
    with pytest.raises(PromptError) as caught:
        Template.parse(prompt)
    error = caught.value
    assert said in str(error)
    assert error.prompt == prompt
    assert prompt[error.start : error.end].strip(" ") == place.strip(" ")
    assert 0 <= error.start < error.end <= len(prompt)


def test_error_points_at_the_right_one_of_two():
    with pytest.raises(PromptError) as caught:
        Template.parse("{{x: foo | foo}}")
    assert caught.value.start == 11


@pytest.mark.parametrize(
    ("prompt", "values", "said"),
    [
        ("a {{materail}}", {"material": "jade"}, "Did you mean material?"),
        ("a {{styl}}{{style: a | b}}", {}, "Did you mean style?"),
        ("a {{x}}", {}, "no variable is named x"),
        ("a {{x}}", {"x": [1]}, "a value of type list"),
        ("a {{x}}", {"x": True}, "not True"),
        ("a {{x}}", {"x": None}, "not None"),
        ("a {{x}}", {"x": b"bytes"}, "a value of type bytes"),
        ("a {{x}}", {"x": 1j}, "a value of type complex"),
        ("a {{x}}", {"x": np.bool_(True)}, "a value of type bool"),
        ("a {{x}}", {"x": np.zeros(3)}, "a value of type ndarray"),
        ("a {{x}}", {"x": float("nan")}, "can be written out"),
        ("a {{x}}", {"x": float("-inf")}, "can be written out"),
        ("a {{x}}", {"x": 10**5000}, "can be written out"),
        ("a {{x}}", {"x": Decimal("1e999999")}, "can be written out"),
        ("a {{x}}", {"x": Fraction(10**400, 3)}, "can be written out"),
        ("a {{x: noir | studio}}", {"x": "noirr"}, "Did you mean noir?"),
        ("a {{x: noir | studio}}", {"x": 3}, "takes one of noir, studio"),
        ("a {{x: noir | studio}}", {"x": ["noir"]}, "a value of type list"),
        ("a {{x: calm .. wild}}", {"x": "Calm"}, "Did you mean calm?"),
        ("a {{x: 0..10}}", {"x": 11}, "a whole number from 0 to 10, not 11"),
        ("a {{x: 0..10}}", {"x": 2.5}, "a whole number from 0 to 10, not 2.5"),
        ("a {{x: 0..10}}", {"x": "3"}, "takes a number, not text"),
        ("a {{x: 0..10}}", {"x": True}, "not True"),
        ("a {{x: 0..1 step 0.1}}", {"x": 0.25}, "a number from 0 to 1 in steps of 0.1, not 0.25"),
    ],
)
def test_render_error(prompt, values, said):
    with pytest.raises(PromptError) as caught:
        Template.parse(prompt).render(values)
    assert said in str(caught.value)
    assert (caught.value.start, prompt[caught.value.start : caught.value.start + 2]) == (2, "{{")


# ---- values as text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a <b> {{x}} \\{{", "a <b> {{x}} \\{{"),  # not parsed again
        ("", ""),
        (3, "3"),
        (-3, "-3"),
        (3.0, "3"),
        (0.1 + 0.2, "0.3"),
        (-0.0, "0"),
        (1e-7, "0.0000001"),
        (1e22, "10000000000000000000000"),
        (2**64 - 1, "18446744073709551615"),
        (Decimal("1.50"), "1.5"),
        (Decimal("-0.00"), "0"),
        (Fraction(1, 4), "0.25"),
        (np.int64(7), "7"),
        (np.float64(0.1), "0.1"),
        (np.float32(0.1), "0.1"),
        (np.float16(0.1), "0.1"),
        (np.str_("jade"), "jade"),
    ],
)
def test_value_as_text(value, text):
    with decimal.localcontext() as context:
        context.prec = 3  # a notebook's own choice changes nothing
        assert Template.parse("{{x}}").render({"x": value}) == text


class Hostile:
    """Whatever is asked of it, it raises."""

    def refuse(self, *args, **kwargs):
        raise AssertionError("evaluated")

    __str__ = __repr__ = __format__ = __getattr__ = __getitem__ = __call__ = __int__ = __float__ = __index__ = refuse
    __eq__ = __hash__ = __bool__ = __len__ = __iter__ = refuse


class HostileText(str):
    __str__ = __repr__ = __format__ = __eq__ = __hash__ = __len__ = Hostile.refuse


class HostileInt(int):
    __str__ = __repr__ = __format__ = __eq__ = __hash__ = __int__ = __index__ = bit_length = Hostile.refuse


class HostileFloat(float):
    __str__ = __repr__ = __format__ = __eq__ = __hash__ = __int__ = __float__ = Hostile.refuse


@pytest.mark.parametrize("prompt", ["{{x}}", "{{x: a | b}}", "{{x: 0..9}}", "{{x: a .. b}}"])
@pytest.mark.parametrize("make", [Hostile, lambda: MagicMock(spec=str), lambda: MagicMock(spec=int)])
def test_nothing_is_asked_of_a_value(prompt, make):
    with pytest.raises(PromptError, match="a value of type"):
        Template.parse(prompt).render({"x": make()})


@pytest.mark.parametrize(
    ("make", "text"),
    [(lambda: HostileText("a"), "a"), (lambda: HostileInt(3), "3"), (lambda: HostileFloat(2.5), "2.5")],
)
def test_a_subclass_is_its_plain_value(make, text):
    rendered = Template.parse("{{x}}").render({"x": make()})
    assert type(rendered) is str
    assert rendered == text


# ---- controls from Python


def test_range_stops():
    tenths = Range.of("x", 0, 1, 0.1)
    assert tenths.values() == (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
    assert tenths.coerce(0.1 + 0.2) == 0.3
    assert all(map(tenths.fits, np.linspace(0, 1, 11)))
    assert not tenths.fits(0.25)
    assert not tenths.fits(-0.1)
    assert Range.of("x", 0, 10, 3).values() == (0, 3, 6, 9)
    assert Range.of("x", 0.0, 1.0).step == 0.1  # as interact does
    assert repr(Range.of("x", np.int64(0), np.int64(4))) == "Range(name='x', start=0, stop=4, step=1, default=2)"


@pytest.mark.parametrize(
    ("k", "stops"),
    [(1, (5,)), (2, (0, 10)), (3, (0, 5, 10)), (4, (0, 3, 7, 10)), (11, tuple(range(11))), (99, tuple(range(11)))],
)
def test_sample(k, stops):
    assert Range.of("x", 0, 10).sample(k) == stops


def test_sample_of_a_scale():
    assert Scale.of("x", "abcde").sample(3) == ("a", "c", "e")
    with pytest.raises(ValueError, match="at least one"):
        Scale.of("x", "abc").sample(0)


def test_choices_of_numbers():
    choices = Choices.of("x", [1, 2.5, "many"], default=2.5)
    assert choices == Choices("x", ("1", "2.5", "many"), "2.5")
    assert choices.coerce(1) == choices.coerce("1") == "1"


@pytest.mark.parametrize(
    "make",
    [
        lambda: Choices.of("x", []),
        lambda: Choices.of("x", ["a", " b"]),
        lambda: Choices.of("x", ["a", ["b"]]),
        lambda: Choices.of("x y", ["a", "b"]),
        lambda: Scale.of("x", []),
        lambda: Scale.of("x", ["a", "1"]),
        lambda: Free("import"),
        lambda: Range.of("x", "0", "1"),
        lambda: Range.of("x", 0, float("inf")),
        lambda: Range.of("x", True, 3),
        lambda: Range("x", 0, MOST_STOPS, 1, 0),
    ],
)
def test_a_control_that_makes_no_sense(make):
    with pytest.raises(ControlError):
        make()


# ---- size


@pytest.mark.parametrize(
    "prompt",
    [
        "{" * 100_000,
        "}" * 100_000,
        "\\" * 100_000 + "{",
        r"\{{" * 33_000,
        "{ " * 50_000,
        "a" * 100_000,
        "{{x}}" * 20_000,
        "{{x: 0..9999}}" * 7_000,
        "{{x: 0..1 step 0.0001}}" * 4_000,
        "{{x: a | b}}" * 8_000,
        "".join(f"{{{{x{i}: 0..9999}}}}" for i in range(5_000)),
        "{{x: " + " | ".join(map(str, range(15_000))) + "}}",
        "{{x: " + " .. ".join(f"a{i}" for i in range(15_000)) + "}}",
        "{{x: " + "{" * 50_000,
        "{{x: " + "{}" * 50_000 + " | b}}",
        "{{x: " + "|" * 100_000 + "}}",
        "{{x: " + "." * 100_000 + "}}",
        "{{x: " + "=" * 100_000 + "}}",
        "{{x: " + "\\" * 100_000 + "}}",
        "{{x: 0.." + "9" * 100_000 + "}}",
        "{{x: 0.." + "9 " * 50_000 + "}}",
        "{{x: 0..9" + " " * 100_000 + "step}}",
        "{{" + "x" * 100_000 + "}}",
        "{{" + " " * 100_000 + "}}",
        "{{x: a | b = " + "c" * 100_000 + "}}",
    ],
    ids=lambda prompt: prompt[:24],
)
def test_a_long_prompt_is_read_in_time(prompt):
    template = parsed(prompt)
    if isinstance(template, PromptError):
        assert 0 <= template.start < template.end <= len(prompt)
    else:
        assert Template.parse(template.unparse()) == template
        template.render(dict.fromkeys(template.names, "y"))


# ---- properties

plain = st.text(st.characters(exclude_categories=["Cs"]))
fiddly = st.text(st.sampled_from("{}\\|=. .:ab-0\n"))
names = st.sampled_from(["a", "b", "style", "größe", "_x", "x1"])
words = (fiddly | plain).map(str.strip).filter(bool)
tenth = st.integers(-50, 50).map(lambda n: n / 10)


@st.composite
def controls(draw, name):
    kind = draw(st.sampled_from(["choices", "scale", "range", "free"]))
    if kind == "free":
        return Free(name)
    if kind == "range":
        start, stops, step = draw(tenth), draw(st.integers(2, 40)), draw(st.sampled_from([0.1, 0.3, 1, 2.5]))
        stop = float(Decimal(str(start)) + Decimal(str(step)) * (stops - 1))
        made = Range.of(name, start, stop, step)
        return Range.of(name, start, stop, step, draw(st.sampled_from(made.values())))
    options = draw(st.lists(words.filter(lambda w: kind == "choices" or not w[-1].isdigit()), min_size=2, unique=True))
    return (Choices if kind == "choices" else Scale).of(name, options, draw(st.sampled_from(options)))


@st.composite
def templates(draw):
    known = {name: draw(controls(name)) for name in draw(st.lists(names, unique=True, max_size=4))}
    parts: list[str | Placeholder] = []
    for name in draw(st.permutations([*known, *known])):
        declared = known[name]
        parts += [draw(fiddly), Placeholder(name, None if isinstance(declared, Free) else declared, 0, 0)]
    parts.append(draw(fiddly))
    return Template("", tuple(part for part in parts if part), known)


@given(templates())
def test_unparse_then_parse_is_the_same_template(template):
    again = Template.parse(template.unparse())
    assert again == template
    assert again.controls == template.controls
    assert str(again) == str(template)


@given(fiddly | plain)
def test_parse_then_unparse_is_the_same_template_or_an_error_in_bounds(text):
    template = parsed(text)
    if isinstance(template, PromptError):
        assert 0 <= template.start < template.end <= len(text)
    else:
        assert Template.parse(str(template)) == template


@given(fiddly | plain)
def test_text_without_placeholders_is_itself(text):
    text = text.replace("{{", "{")
    while "{{" in text:
        text = text.replace("{{", "{")
    assert Template.parse(text).render({}) == text


@given(plain, plain, plain)
def test_a_value_comes_out_as_it_is(before, value, after):
    prompt = before.replace("{", "").replace("\\", "") + "{{x}}" + after.replace("{", "")
    assert Template.parse(prompt).render({"x": value}) == prompt.replace("{{x}}", value, 1)


@given(templates(), st.dictionaries(names, plain | st.integers() | st.floats() | st.builds(Hostile), max_size=6))
def test_rendering_gives_text_or_a_prompt_error(template, values):
    template = Template.parse(str(template))
    try:
        spans = template.spans(values)
    except PromptError:
        return
    assert "".join(text for text, _ in spans) == template.render(values)
    assert {name for _, name in spans if name} == set(template.controls)
    for name, control in template.controls.items():
        assert name not in values or control.fits(values[name])


@given(st.data())
def test_samples_of_a_range(data):
    made = data.draw(controls("x").filter(lambda control: isinstance(control, (Range, Scale))))
    k = data.draw(st.integers(2, 50))
    sample, stops = made.sample(k), made.values()
    assert len(sample) == min(k, len(stops)) == len(set(sample))
    assert (sample[0], sample[-1]) == (stops[0], stops[-1])
    assert made.default in stops
    assert all(map(made.fits, stops))
    assert [made.coerce(stop) for stop in stops] == list(stops)


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(1, 9))
def test_a_number_reads_without_noise(x, places):
    x = round(x % 1000, places)
    text = Template.parse("{{x}}").render({"x": x})
    assert float(text) == x
    assert len(text.partition(".")[2]) <= places
