"""A magic line: split first, variables filled in afterwards; no value becomes an option, a name or a second word."""

from __future__ import annotations

import argparse
import datetime
import decimal
import keyword
import pathlib
import types
import uuid
from typing import Any

import pytest
from hypothesis import example, given, strategies as st
from IPython.core.inputtransformer2 import TransformerManager
from IPython.core.magic_arguments import MagicArgumentParser

from aios3_nb.address import S3Uri, is_absolute, name_from_key, quote, quote_text
from aios3_nb.errors import OptionError, S3Error
from aios3_nb.notebook.expand import expand_text
from aios3_nb.notebook.line import expand, split, split_partial
from aios3_nb.notebook.options import parse
from aios3_nb.notebook.target import Target, read_target
from tests.awkward import KEYS, NAMESPACES


def _parser() -> MagicArgumentParser:
    parser = MagicArgumentParser("s3load")
    parser.add_argument("targets", nargs="*", metavar="URI")
    parser.add_argument("--limit", "-n", type=int, metavar="N")
    parser.add_argument("--format")
    parser.add_argument("--verify", choices=["auto", "require", "off"])
    parser.add_argument("--allow", metavar="NAMES")
    parser.add_argument("--trust", action="store_true")
    parser.add_argument("--iter", action="store_true")
    return parser


def _parsed(line: str, namespace: dict[str, Any] | None = None, **options: Any) -> argparse.Namespace:
    return parse(_parser(), line, namespace or {}, **options)


NOTHING_SET = {"limit": None, "format": None, "verify": None, "allow": None, "trust": False, "iter": False}


# Words


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", []),
        ("   ", []),
        ("a b\tc", ["a", "b", "c"]),
        ("'a b' \"c d\" e\\ f", ["a b", "c d", "e f"]),
        ("s3://b/'my dir'/k", ["s3://b/my dir/k"]),
        ("'' \"\"", ["", ""]),
        ("it\\'s", ["it's"]),
        ('"it\'s" \'say "x"\'', ["it's", 'say "x"']),
        (r'"a\"b\\c\$d\{e\}f\ng"', [r'a"b\c$d{e}f\ng']),
        (r"'a\b\\'", [r"a\b\\"]),
        (r"$'a\n\t\r\\\'\"\x1b\u202e\U0001f984\q'", ["a\n\t\r\\'\"\x1b\u202e\U0001f984\\q"]),
        (r"dir\file.pkl a\\b", [r"dir\file.pkl", r"a\b"]),
        ("back\\", ["back\\"]),
        ("a$ $", ["a$", "$"]),
        ("no\u00a0break\u3000space", ["no\u00a0break\u3000space"]),
        ("a # comment 'x", ["a"]),
        ("# comment", []),
        ("a#b 'c'#d #", ["a#b", "c#d"]),
        ("'#' \\#x", ["#", "#x"]),
        ("a;", ["a"]),
        ("a ;", ["a"]),
        ("a;;  # quiet", ["a"]),
        (";", []),
        ("a;b c", ["a;b", "c"]),
        ("'a;'", ["a;"]),
        ("'a';", ["a"]),
        ("a\\;", ["a;"]),
    ],
)
def test_a_line_is_split_as_a_shell_does(line: str, words: list[str]):
    assert [token.text for token in split(line)] == words
    assert [expand(token, {}) for token in split(line)] == words


def test_words_know_where_they_stand():
    line = " a 'b c'd  \"e\" ;"
    assert [line[token.start : token.stop] for token in split(line)] == ["a", "'b c'd", '"e"']


@pytest.mark.parametrize("line", ["s3://b/it's.pkl --iter", 'a "b c', "a $'b"])
def test_a_quote_that_is_never_closed_is_answered_with_what_to_write(line: str):
    with pytest.raises(OptionError, match="A quote is never closed"):
        split(line)


def test_an_apostrophe_is_answered_with_the_key_in_quotes():
    with pytest.raises(OptionError, match=r'write "s3://b/it\'s\.pkl"'):
        split("s3://b/it's.pkl --iter")


def test_an_escape_beyond_unicode_is_refused():
    with pytest.raises(OptionError, match="no character"):
        split(r"$'\U00110000'")


@pytest.mark.parametrize(
    ("line", "word", "start"),
    [("a 'b c", "b c", 2), ('a "b', "b", 2), ("a $'b\\", "b", 2), ('"a\\', "a", 0), ("a b", "b", 2), ("'", "", 0)],
)
def test_a_line_that_is_being_written_has_its_last_word(line: str, word: str, start: int):
    token = split_partial(line)[-1]
    assert (token.text, token.start, token.stop) == (word, start, len(line))


@given(st.text(alphabet=" ab'\"\\$#;{x}"))
def test_completion_never_meets_an_error(line: str):
    for token in split_partial(line):
        assert 0 <= token.start < token.stop <= len(line)


# Variables

CFG = types.SimpleNamespace(bucket="b", sub=types.SimpleNamespace(n=3))
NAMESPACE = {"x": "X x", "n": 7, "cfg": CFG, "größe": "g", "s": "$x{n}", "uri": "s3://b/k.pkl", "root": "s3://b/p"}


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("{x}/$n/${n}", "X x/7/7"),
        ("$n.pkl", "7.pkl"),
        ("{cfg.bucket}/{cfg.sub.n}", "b/3"),
        ("$cfg.bucket", "$cfg.bucket"),
        ("{größe}{\u2131}", "g{\u2131}"),
        ("{s}", "$x{n}"),
        ("{{x}} {{{x}}} }}", "{x} {X x} }"),
        ("{unknown} $unknown {cfg.unknown}", "{unknown} $unknown {cfg.unknown}"),
        (
            "{} { } {x {1} {x!r} {x:>5} {x[0]} {x()} {n+1} {x.} {.x}",
            "{} { } {x {1} {x!r} {x:>5} {x[0]} {x()} {n+1} {x.} {.x}",
        ),
        ("$ $$ $1 a$", "$ $$ $1 a$"),
        ("${unknown} $$n", "${unknown} $7"),
        ("{cfg} {x.__class__} {x.upper}", "{cfg} {x.__class__} {x.upper}"),
    ],
)
def test_names_and_attributes_are_filled_in_once_and_nothing_else_is(text: str, expanded: str):
    assert expand_text(text, NAMESPACE) == expanded


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a b", "a b"),
        (3, "3"),
        (0.5, "0.5"),
        (decimal.Decimal("1.50"), "1.50"),
        (datetime.date(2024, 1, 2), "2024-01-02"),
        (pathlib.PurePosixPath("dir/k"), "dir/k"),
        (uuid.UUID(int=0), "00000000-0000-0000-0000-000000000000"),
        (S3Uri("b", "k"), "s3://b/k"),
        (None, "{v}"),
        (b"bytes", "{v}"),
        ([1], "{v}"),
        (datetime, "{v}"),
        (str, "{v}"),
        (len, "{v}"),
        (types.SimpleNamespace(__str__=lambda: "x"), "{v}"),
    ],
)
def test_only_what_reads_as_text_is_filled_in(value: object, text: str):
    assert expand_text("{v}", {"v": value}) == text


def test_the_name_of_a_variable_is_normalized_as_python_does():
    assert expand_text("{ﬁle}", {"file": "x"}) == "x"


def test_an_attribute_that_fails_is_named():
    class Broken:
        @property
        def key(self) -> str:
            raise RuntimeError("no\x1b")

    with pytest.raises(OptionError, match=r"'o\.key' cannot be looked up.*no\\x1b"):
        expand_text("{o.key}", {"o": Broken()})


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("'{x}'", "{x}"),
        ("$'{x}'", "{x}"),
        ('"{x}"', "X x"),
        ("a\\{x}", "a{x}"),
        ("\\$x", "$x"),
        ('"\\$x \\{x}"', "$x {x}"),
    ],
)
def test_quotes_and_backslashes_keep_variables_out(line: str, text: str):
    (token,) = split(line)
    assert expand(token, NAMESPACE) == text


# Names and keys


@pytest.mark.parametrize(
    ("line", "name", "text"),
    [
        ("s3://b/k", None, "s3://b/k"),
        ("m=s3://b/k", "m", "s3://b/k"),
        ("m=S3://b/k=1", "m", "S3://b/k=1"),
        ("m=https://b.s3.amazonaws.com/k", "m", "https://b.s3.amazonaws.com/k"),
        ("m=arn:aws:s3:::b/k", "m", "arn:aws:s3:::b/k"),
        ("m='s3://b/my k'", "m", "s3://b/my k"),
        ("m=s3://b/'my k'", "m", "s3://b/my k"),
        ("m=./year=2024/part.pkl", "m", "./year=2024/part.pkl"),
        ("m=../k", "m", "../k"),
        ("m=model.pkl", "m", "model.pkl"),
        ("m=my\\ model.json.gz", "m", "my model.json.gz"),
        ("m=model.pkl?versionId=3", "m", "model.pkl?versionId=3"),
        ("m={uri}", "m", "s3://b/k.pkl"),
        ("m=$uri", "m", "s3://b/k.pkl"),
        ('m="{root}/k"', "m", "s3://b/p/k"),
        ("m=model_{n}.pkl", "m", "model_7.pkl"),
        ("ﬁle=./k", "file", "./k"),
        ("größe=./k", "größe", "./k"),
        ("year=2024/part.pkl", None, "year=2024/part.pkl"),
        ("{x}=s3://b/k", None, "X x=s3://b/k"),
        ("{x}={n}", None, "X x=7"),
        ("year={n}/part.pkl", None, "year=7/part.pkl"),
        ("lang=en/part.pkl", None, "lang=en/part.pkl"),
        ("epoch=9-step=500.ckpt", None, "epoch=9-step=500.ckpt"),
        ("epoch={n}.ckpt", None, "epoch=7.ckpt"),
        ("lr=0.1.pkl", None, "lr=0.1.pkl"),
        ("a=b=c.pkl", None, "a=b=c.pkl"),
        ("m=model", None, "m=model"),
        ("my-m=model.pkl", None, "my-m=model.pkl"),
        ("class=model.pkl", None, "class=model.pkl"),
        ("dir/m=s3://b/k", None, "dir/m=s3://b/k"),
        ("./m=s3://b/k", None, "./m=s3://b/k"),
        ("./m=model.pkl", None, "./m=model.pkl"),
        ("'m=s3://b/k'", None, "m=s3://b/k"),
        ("'m='s3://b/k", None, "m=s3://b/k"),
        ("m\\=x.pkl", None, "m\\=x.pkl"),
        ("s3://b/m=s3://c/k", None, "s3://b/m=s3://c/k"),
        ("model.pkl?versionId=3", None, "model.pkl?versionId=3"),
    ],
)
def test_what_is_a_name_and_what_is_a_key(line: str, name: str | None, text: str):
    (token,) = split(line)
    assert read_target(token, NAMESPACE) == Target(name, text)


@pytest.mark.parametrize("word", ["m=s3://b/k", "m=model.pkl", "m=", "=", "class=./x"])
def test_where_no_names_are_looked_for_every_word_is_a_uri(word: str):
    (token,) = split(word)
    assert read_target(token, {}, names=False) == Target(None, word)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("my-model=s3://b/k", ["'my-model'", "no name of a variable", "my_model="]),
        ("1st=./k", ["'1st'", "_1st="]),
        ("class=s3://b/k", ["'class'", "Python's own", "class_="]),
        ("a.b=s3://b/k", ["'a.b'"]),
        ("m=", ["NAME=URI", "no spaces"]),
        ("m = s3://b/k", ["NAME=URI", "no spaces"]),
        ("m =s3://b/k", ["NAME=URI", "no spaces"]),
        ("m={root}/k", ['m="{root}/k"', "./"]),
        ("m=$root/k", ['m="$root/k"', "./"]),
    ],
)
def test_a_name_that_is_none_is_answered_with_what_to_write(line: str, words: list[str]):
    with pytest.raises(OptionError) as caught:
        _parsed(line, NAMESPACE)
    assert all(word in caught.value.said for word in words), caught.value.said


@pytest.mark.parametrize(
    ("word", "otherwise"),
    [
        ("m=2024.pkl", "m='2024.pkl'"),
        ("year=2024/part.pkl", "year='2024/part.pkl'"),
        ("lang=en.json", "./lang=en.json"),
        ("m=s3://b/k", None),
        ("model.pkl", None),
        ("my-m=x.pkl", None),
    ],
)
def test_a_word_knows_how_its_other_reading_is_written(word: str, otherwise: str | None):
    target = read_target(split(word)[0], {})
    assert target.otherwise == otherwise
    if otherwise:
        other = read_target(split(otherwise)[0], {})
        assert (other.name is None) is (target.name is not None)


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("model.pkl", "model"),
        ("dir/my-model v2.json.gz", "my_model_v2"),
        ("2024.pkl", "_2024"),
        ("dir/2024-01/", "_2024_01"),
        ("class.pkl", "class_"),
        ("input.json", "input_"),
        ("Out.json", "Out_"),
        ("v1.2", "v1_2"),
        ("model.v2.safetensors", "model_v2"),
        ("a.pkl.GZ", "a"),
        (".hidden", "_hidden"),
        ("größe.pkl", "größe"),
        ("模型.pkl", "模型"),
        ("ﬁle.pkl", "file"),
        ("", "data"),
        ("---.pkl", "data"),
        ("\u202e.pkl", "data"),
    ],
)
def test_a_name_is_made_from_a_key(key: str, name: str):
    assert name_from_key(key) == name


@given(st.text())
@example("\u00b2.pkl")
def test_a_name_made_from_any_key_is_a_name(key: str):
    name = name_from_key(key)
    assert name.isidentifier()
    assert not keyword.iskeyword(name)


# Quoting


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("s3://b/dir/model-v2.pkl", "s3://b/dir/model-v2.pkl"),
        ("year=2024/part.pkl", "year=2024/part.pkl"),
        ("模型/größe.pkl", "模型/größe.pkl"),
        ("my model.pkl", "'my model.pkl'"),
        ("it's.pkl", '"it\'s.pkl"'),
        ("it's {x}.pkl", r"$'it\'s {x}.pkl'"),
        ("new\nline", r"$'new\nline'"),
        ("a\u202eb", r"$'a\u202eb'"),
        ("-x", "'-x'"),
        ("m=model.pkl", "'m=model.pkl'"),
        ("what?", "'what?'"),
        ("", "''"),
    ],
)
def test_a_text_is_quoted_only_if_it_needs_it(text: str, quoted: str):
    assert quote(text) == quoted


LINES = st.sampled_from(["{}", "{} --", "  {}  # comment", "{};", "-- {}"])
ANY_TEXT = st.text() | st.text(alphabet="mx=./-'\"\\${} #;s3:") | st.sampled_from(KEYS)


@given(ANY_TEXT, st.sampled_from(NAMESPACES), LINES)
@example("m=$x", NAMESPACES[2], "{}")
def test_a_quoted_key_is_one_target_and_sets_no_option(key: str, namespace: dict[str, Any], line: str):
    args = vars(_parsed(line.format(quote(key)), namespace))
    assert args.pop("targets") == [Target(None, key)]
    assert args == NOTHING_SET


@pytest.mark.parametrize("key", KEYS)
def test_an_awkward_key_is_one_target_and_sets_no_option(key: str):
    for namespace in NAMESPACES:
        for text in (key, f"s3://b/{key}"):
            assert _parsed(quote(text), namespace).targets == [Target(None, text)]
            assert _parsed(quote_text(text), namespace).targets == [Target(None, text)]
            assert _parsed(f"m={quote_text(text)}", namespace).targets == [Target("m", text)]


@pytest.mark.parametrize("key", KEYS)
def test_a_quoted_key_passes_through_ipython(key: str):
    """A `?` at the end asks for help, a backslash continues the line, `%` and `!` begin magics; not in our quotes."""
    word = quote(f"s3://b/{key}")
    assert word.isprintable()
    for line in (f"%s3load {word}\n", f"x = %s3load {word}\n", f"if True:\n    x = %s3load {word} --iter\n"):
        code = TransformerManager().transform_cell(line)
        calls: list[tuple[str, str]] = []
        shell = types.SimpleNamespace(run_line_magic=lambda name, rest, calls=calls: calls.append((name, rest)))
        exec(code, {"get_ipython": lambda shell=shell: shell})
        ((name, rest),) = calls
        assert name == "s3load"
        assert _parsed(rest).targets == [Target(None, f"s3://b/{key}")]


# No value becomes an option, a name or a second word


@pytest.mark.parametrize("value", [*KEYS, "--trust", "m=s3://evil/x", "a --trust b", "'", '" --trust "', "{x} $x"])
@pytest.mark.parametrize("line", ["{v}", "$v", '"{v}"', "{v} --", "-- {v}", "{o.v}"])
def test_a_value_is_one_target_whatever_it_holds(line: str, value: str):
    args = vars(_parsed(line, {"v": value, "x": "X", "o": types.SimpleNamespace(v=value)}))
    assert args.pop("targets") == [Target(None, value)]
    assert args == NOTHING_SET


@pytest.mark.parametrize("value", [key for key in KEYS if key != "--"])
def test_a_value_within_a_word_stays_in_it(value: str):
    namespace = {"v": value}
    assert _parsed("s3://b/{v}/k", namespace).targets == [Target(None, f"s3://b/{value}/k")]
    assert _parsed("m={v}", namespace).targets == [Target("m", value)]
    args = _parsed("k --format {v} --iter", namespace)
    assert (args.format, args.iter, args.trust, args.targets) == (value, True, False, [Target(None, "k")])
    assert _parsed("--format={v} k", namespace).format == value


@given(ANY_TEXT)
@example("s3://evil/x")
def test_a_value_after_a_literal_beginning_makes_no_name(value: str):
    line = "year={v}/part.pkl"
    if is_absolute(f"{value}/part.pkl"):
        with pytest.raises(OptionError, match="may be a name and a URI, or a key"):
            _parsed(line, {"v": value})
    else:
        assert _parsed(line, {"v": value}).targets == [Target(None, f"year={value}/part.pkl")]


@pytest.mark.parametrize(
    "line", ["k --allow {names}", "k --allow=$names", 'k --allow "os.{names}"', "k --allow ${names}"]
)
def test_what_a_pickle_may_run_is_never_taken_from_a_variable(line: str):
    with pytest.raises(OptionError) as caught:
        _parsed(line, {"names": "os.system"})
    assert "--allow takes no variables" in caught.value.said


@pytest.mark.parametrize("line", ["k '--trust'", "k \\--trust", "k -- --trust", "k {o}", 'k "--allow=os.system"'])
def test_only_a_bare_literal_option_is_one(line: str):
    args = _parsed(line, {"o": "--trust"})
    assert not args.trust
    assert args.allow is None
    assert len(args.targets) == 2


# Options


def test_options_stand_before_and_after_the_targets():
    args = _parsed("--iter a=s3://b/1 --limit 3 s3://b/2 --format='my json'")
    assert args.targets == [Target("a", "s3://b/1"), Target(None, "s3://b/2")]
    assert (args.iter, args.limit, args.format) == (True, 3, "my json")
    assert _parsed("k -n 5").limit == 5
    assert _parsed("k -n=5").limit == 5


def test_a_value_may_look_like_an_option_if_it_is_a_variable_s_or_quoted():
    assert _parsed("k --limit {n}", {"n": -5}).limit == -5
    assert _parsed("k --format '--trust'").format == "--trust"
    assert _parsed("k --format=--trust").format == "--trust"
    assert _parsed("k --format ''").format == ""


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("k --trsut", ["'--trsut'", "--trust"]),
        ("k --lim 3", ["'--lim'", "--limit"]),
        ("k --tru", ["'--tru'", "--trust"]),
        ("k --zzz", ["'--zzz'", "%s3load?"]),
        ("k --help", ["%s3load?"]),
        ("-x.pkl", ["'-x.pkl'", "quotes"]),
        ("k --{o}", ["'--{o}'"]),
        ("k --tr'ust'", ["'--trust'"]),
        ("k --iter'x'", ["'--iterx'"]),
        ("k --\x1b[31m", [r"\x1b"]),
        ("k --limit", ["--limit needs a value", "--limit N"]),
        ("k --limit --iter", ["--limit needs a value"]),
        ("k --format", ["--format FORMAT"]),
        ("k --limit x", ["--limit", "'x'"]),
        ("k --limit=", ["--limit"]),
        ("k --verify=maybe", ["--verify", "require"]),
        ("k --trust=yes", ["--trust takes no value"]),
        ("k --trust=", ["--trust takes no value"]),
        ("k --format=--", ["'--' is no value for --format"]),
        ("k --iter --iter", ["--iter is given twice"]),
        ("k --limit 3 -n 4", ["-n is given twice"]),
    ],
)
def test_an_option_that_does_not_fit_is_answered_in_one_line(line: str, words: list[str]):
    with pytest.raises(OptionError) as caught:
        _parsed(line, {"o": "trust"})
    message = caught.value.said
    assert all(word in message for word in words), message
    assert message.isprintable()


def test_positional_arguments_are_put_in_their_places():
    parser = MagicArgumentParser("s3save")
    parser.add_argument("name")
    parser.add_argument("uri", metavar="URI")
    parser.add_argument("--quiet", action="store_true")
    args = parse(parser, "--quiet model '-k e y'", {}, names=False)
    assert (args.name, args.uri, args.quiet) == (Target(None, "model"), Target(None, "-k e y"), True)
    with pytest.raises(OptionError, match=r"required: URI\. %s3save\? explains"):
        parse(parser, "model", {}, names=False)
    with pytest.raises(OptionError, match="One word too many: 'third'"):
        parse(parser, "model uri third", {}, names=False)


def test_an_optional_positional_argument_may_be_left_out():
    parser = MagicArgumentParser("s3cd")
    parser.add_argument("uri", nargs="?")
    assert parse(parser, "  # home", {}, names=False).uri is None
    assert parse(parser, "s3://b/p/", {}, names=False).uri == Target(None, "s3://b/p/")


@given(st.text(alphabet=" mx=./-'\"\\${}#;s3:tru"), st.sampled_from(NAMESPACES))
def test_any_line_is_read_or_answered(line: str, namespace: dict[str, Any]):
    message = "an answer"
    try:
        args = _parsed(line, namespace)
    except S3Error as error:
        message = str(error)
    else:
        assert not args.trust or "--trust" in line
    assert message.isprintable()
