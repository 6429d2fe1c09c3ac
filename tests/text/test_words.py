"""What people are shown: nothing hidden in it, nothing secret in it, sizes and times as they write them."""

from __future__ import annotations

import tracemalloc
import unicodedata

import pytest
from hypothesis import example, given, strategies as st

from aios3_nb.text import counted, is_visible, seconds_text, share_text, size_text, visible, without_secrets
from tests.awkward import KEYS


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("esc\x1b[31m", r"esc\x1b[31m"),
        ("new\nline\ttab", r"new\nline\ttab"),
        ("a\u202eb", r"a\u202eb"),
        ("zero\u200bwidth", r"zero\u200bwidth"),
        ("line\u2028", r"line\u2028"),
        ("lone\udc80", r"lone\udc80"),
        ("tag\U000e0041", r"tag\U000e0041"),
        ("filler\u3164", r"filler\u3164"),
        ("hidden\U000e0100", r"hidden\U000e0100"),
        ("back\\slash", "back\\slash"),
        ("é 模型 \U0001f984 \u2764\ufe0f", "é 模型 \U0001f984 \u2764\ufe0f"),
    ],
)
def test_what_cannot_be_seen_is_written_as_an_escape(text: str, shown: str):
    assert visible(text) == shown


@given(st.text())
@example("".join(KEYS))
def test_nothing_that_controls_the_screen_is_left(text: str):
    categories = {unicodedata.category(char) for char in visible(text)}
    assert not categories & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@given(st.text(), st.integers(1, 40))
def test_a_text_is_cut_to_at_most_that_many_characters(text: str, most: int):
    shown = visible(text, most=most)
    assert len(shown) <= most
    if len(visible(text)) <= most:
        assert shown == visible(text)
    else:
        assert "…" in shown


def test_a_cut_keeps_both_ends_and_cuts_no_escape():
    assert visible("abcdefghij", most=7) == "abc…hij"
    assert visible("a\u202e" + "x" * 20 + "\u202eb", most=12) == r"a…xxx\u202eb"
    assert visible("\x1b" * 9, most=3) == "…"


@given(st.text(), st.integers(1, 12))
def test_what_is_cut_out_changes_nothing(text: str, most: int):
    """It is not looked at, so that a text of a gigabyte costs no more than the ends of it that are shown."""
    whole = visible(text)
    shown = visible(text, most=most)
    head, _, tail = shown.partition("…") if len(whole) > most else (whole, "", "")
    assert whole.startswith(head)
    assert whole.endswith(tail)


def test_a_long_text_costs_what_is_shown_of_it():
    tracemalloc.start()
    try:
        assert visible("\x1b" * 10_000_000, most=60).count("…") == 1
        assert tracemalloc.get_traced_memory()[1] < 1_000_000 + 10_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("char", " aé模'\\{")
def test_ordinary_characters_are_visible(char: str):
    assert is_visible(char)


SIGNED = (
    "https://b.s3.eu-west-1.amazonaws.com/it's/k.pkl?X-Amz-Algorithm=AWS4-HMAC-SHA256"
    "&X-Amz-Credential=AKIAXXX%2F20240101&X-Amz-Security-Token=SECRET&X-Amz-Signature=SECRET"
)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (f"GET {SIGNED} failed", "GET https://b.s3.eu-west-1.amazonaws.com/it's/k.pkl?… failed"),
        (f"url='{SIGNED}'", "url='https://b.s3.eu-west-1.amazonaws.com/it's/k.pkl?…'"),
        ("HTTP://h/k?AWSAccessKeyId=SECRET&Signature=SECRET", "HTTP://h/k?…"),
        ("https://me:SECRET@h/k@home", "https://…@h/k@home"),
        ("s3://AKIA:SEC/RET@b/k", "s3://…@b/k"),
        ("/b/k?x-amz-signature=SECRET&part=1", "/b/k?x-amz-signature=…&part=1"),
        ("X-Amz-Security-Token%3DSECRET", "X-Amz-Security-Token%3D…"),
        ("{'x-amz-security-token': 'SECRET', 'a': 1}", "{'x-amz-security-token': '…', 'a': 1}"),
        ("Credential=SECRET/20240101, Signature=SECRET", "Credential=…, Signature=…"),
    ],
)
def test_secrets_are_left_out(text: str, kept: str):
    assert without_secrets(text) == kept
    assert "SECRET" not in without_secrets(text)


@pytest.mark.parametrize(
    "text",
    [
        "s3://b/what?.pkl",
        "s3://b/user@example.org/mail.json",
        "s3://arn:aws:s3:eu-west-1:123456789012:accesspoint/ap/user@example.org",
        "http://localhost:9000/b/user@example.org",
        "SignatureDoesNotMatch: the request signature we calculated",
        "s3://b/k?versionId=abc",
    ],
)
def test_what_is_no_secret_stays(text: str):
    assert without_secrets(text) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (17, "17 B"),
        (999, "999 B"),
        (1000, "1 KB"),
        (10_000, "10 KB"),
        (300_000, "300 KB"),
        (999_400, "999 KB"),
        (999_600, "1 MB"),
        (512_000_000, "512 MB"),
        (954_123_456, "954 MB"),
        (1_460_000_000, "1.5 GB"),
        (9_960_000_000, "10 GB"),
        (5 * 10**12, "5 TB"),
        (7 * 10**18, "7000 PB"),
    ],
)
def test_sizes_are_decimal_and_short(size: int, text: str):
    assert size_text(size) == text


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (300_000, 954_000_000, "0.3 of 954 MB"),
        (954_000_000, 954_000_000, "954 of 954 MB"),
        (3_000, 1_000_000_000, "3 KB of 1 GB"),
        (0, 1_000_000, "0 of 1 MB"),
    ],
)
def test_a_share_names_the_unit_once_where_it_can(part: int, whole: int, text: str):
    assert share_text(part, whole) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ms"),
        (0.025, "25 ms"),
        (0.0996, "0.1 s"),
        (1.12, "1.1 s"),
        (12.3, "12 s"),
        (59.6, "1 min 0 s"),
        (125, "2 min 5 s"),
        (3599.7, "1 h 0 min"),
        (3780, "1 h 3 min"),
    ],
)
def test_durations_read_as_people_say_them(seconds: float, text: str):
    assert seconds_text(seconds) == text


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 entries"), (1, "1 entry"), (2, "2 entries"), (1_000_000, "1,000,000 entries")]
)
def test_what_is_counted_is_one_or_many(number: int, text: str):
    assert counted(number, "entry", "entries") == text
    assert counted(number, "key") == text.replace("entries", "keys").replace("entry", "key")
