"""A pattern matches the keys that a shell would match, within the parts of a key; `**` crosses them."""

from __future__ import annotations

import fnmatch
import re
import time

import pytest
from hypothesis import example, given, settings, strategies as st

from aios3_nb.address import glob_escape, glob_literal, glob_match, glob_prefix
from tests.awkward import KEYS


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ("a*.pkl", ["a.pkl", "ab.pkl", "a.pkl.pkl", "a\nb.pkl"], ["a/b.pkl", "b.pkl", "a.pkl/"]),
        ("*", ["a", ""], ["a/", "/a"]),
        ("dir/*", ["dir/a", "dir/"], ["dir/a/b", "dir"]),
        ("*/part-*.json", ["x/part-1.json"], ["part-1.json", "x/y/part-1.json"]),
        ("**/a.pkl", ["a.pkl", "x/a.pkl", "x/y/a.pkl", "/a.pkl"], ["xa.pkl", "x/ya.pkl"]),
        ("p/**/a*b", ["p/ab", "p/x/ab", "p/x/y/axb"], ["p/xab", "q/ab", "p/ax/b"]),
        ("p/**", ["p/", "p/a", "p/x/y"], ["p", "q/a"]),
        ("p/**.json", ["p/a.json", "p/x/y.json"], ["p/a.jsonl"]),
        ("**a*b", ["xa/yab", "ab"], ["a/b"]),
        ("a?c", ["abc", "a?c", "a\nc"], ["ac", "a/c", "abbc"]),
        ("[abc].pkl", ["a.pkl", "c.pkl"], ["d.pkl", "[abc].pkl"]),
        ("[!a]*", ["b", "bc"], ["a", "/b", ""]),
        ("[0-9]", ["0", "5"], ["a", "-"]),
        ("[a-]", ["a", "-"], ["b"]),
        ("[]x]", ["]", "x"], ["[]x]"]),
        ("[!]x]", ["a"], ["]", "x"]),
        ("[.-0]", [".", "0"], ["/"]),
        ("[z-a]", [], ["z", "a", "-"]),
        ("[^a]", ["^", "a"], ["b"]),
        ("[\\d]", ["\\", "d"], ["1"]),
        ("a[b", ["a[b"], ["ab"]),
        ("a{b,c}", ["a{b,c}"], ["ab"]),
        ("a.b+", ["a.b+"], ["axb+", "a.bb"]),
        ("what[?]", ["what?"], ["what1"]),
    ],
)
def test_a_pattern_matches_what_a_shell_would(pattern: str, matching: list[str], other: list[str]):
    expression = glob_match(pattern)
    assert [key for key in matching if not expression.fullmatch(key)] == []
    assert [key for key in other if expression.fullmatch(key)] == []


PATTERN = st.text(alphabet="ab*?[]!-.", max_size=12)


@given(PATTERN, st.lists(st.text(alphabet="ab.-]![*", max_size=12), max_size=8))
@settings(max_examples=400)
@example("*a*b*ab", ["abab", "aabbab", "ab"])
@example("**a*b", ["xaab", "ab"])
def test_within_one_part_a_pattern_means_what_it_means_to_fnmatch(pattern: str, keys: list[str]):
    oracle = re.compile(fnmatch.translate(pattern))
    ours = glob_match(pattern)
    assert [key for key in keys if ours.fullmatch(key)] == [key for key in keys if oracle.match(key)]


def _slow_match(pattern: str, key: str) -> bool:
    """Match stars by trying everything; the patterns have no brackets."""
    if not pattern:
        return not key
    if pattern.startswith("**/"):
        return any(_slow_match(pattern[3:], key[i:]) for i in [0, *(i + 1 for i, c in enumerate(key) if c == "/")])
    if pattern.startswith("**"):
        rest = pattern.lstrip("*")
        return any(_after_stars(rest, key[i:]) for i in range(len(key) + 1))
    if pattern[0] == "*":
        head = key.split("/")[0]
        return any(_after_stars(pattern[1:], key[i:]) for i in range(len(head) + 1))
    if not key or (pattern[0] == "?" and key[0] == "/") or (pattern[0] not in {"?", key[0]}):
        return False
    # A `**/` is one of folders only where a part begins.
    rest = pattern[1:]
    return _slow_match(rest, key[1:]) if pattern[0] == "/" else _after_stars(rest, key[1:])


def _after_stars(pattern: str, key: str) -> bool:
    if pattern.startswith("**/"):
        return any(_slow_match("/" + pattern[3:], key[i:]) for i in range(len(key) + 1))
    return _slow_match(pattern, key)


@given(st.text(alphabet="aab*/?", max_size=9), st.lists(st.text(alphabet="ab/", max_size=7), max_size=10))
@settings(max_examples=600)
@example("**a*b", ["a/ab", "xa/b"])
@example("*a**/b", ["aa/b", "ab", "a/b/b"])
@example("**/*a*/b", ["a/b", "b/a/b"])
def test_across_parts_a_pattern_means_what_trying_everything_finds(pattern: str, keys: list[str]):
    pattern = re.sub(r"\*{3,}", "**", pattern)
    ours = glob_match(pattern)
    assert [key for key in keys if ours.fullmatch(key)] == [key for key in keys if _slow_match(pattern, key)]


@pytest.mark.parametrize(
    ("pattern", "prefix"),
    [
        ("dir/a*.pkl", "dir/a"),
        ("*", ""),
        ("**/a", ""),
        ("dir/**/a", "dir/"),
        ("dir/?", "dir/"),
        ("dir/x[ab]", "dir/x"),
        ("what[?]/[[]a[*]*", "what?/[a*"),
        ("a[b", "a[b"),
        ("plain/key", "plain/key"),
    ],
)
def test_the_prefix_to_list_is_the_literal_beginning(pattern: str, prefix: str):
    assert glob_prefix(pattern) == prefix


@given(PATTERN, st.text(alphabet="ab.-", max_size=8))
def test_every_match_begins_with_the_prefix(pattern: str, key: str):
    if glob_match(pattern).fullmatch(key):
        assert key.startswith(glob_prefix(pattern))


@given(st.text())
@example("".join(KEYS))
def test_an_escaped_key_matches_itself_only(key: str):
    pattern = glob_escape(key)
    assert glob_match(pattern).fullmatch(key)
    assert glob_prefix(pattern) == glob_literal(pattern) == key
    assert not glob_match(pattern).fullmatch(key + "x")


@pytest.mark.parametrize(
    ("pattern", "key"),
    [
        ("a*", None),
        ("a?", None),
        ("[ab]", None),
        ("[!a]", None),
        ("**/a", None),
        ("[a][?]", "a?"),
        ("a[b", "a[b"),
        ("a]", "a]"),
    ],
)
def test_the_one_key_that_a_pattern_without_wildcards_matches(pattern: str, key: str | None):
    assert glob_literal(pattern) == key


@pytest.mark.parametrize("pattern", ["*a" * 20 + "b", "**a" * 20 + "b", "*a*" * 20 + "/b"])
def test_a_pattern_of_many_stars_stays_fast(pattern: str):
    start = time.perf_counter()
    assert not glob_match(pattern).fullmatch("a" * 1024)
    # Whoever tries the ways to match one after the other does not come to an end.
    assert time.perf_counter() - start < 30
