"""What the user wrote names exactly one bucket, key and version, or one sentence says why not."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import example, given, strategies as st

from aios3_nb.address import S3Uri, is_absolute, is_all_buckets, parse
from aios3_nb.errors import UriError
from tests.awkward import KEYS

BASE = S3Uri("b", "models/")
POINT = "arn:aws:s3:eu-west-1:123456789012:accesspoint/my-point"
OUTPOST = "arn:aws:s3-outposts:us-west-2:123456789012:outpost/op-01ac5d28a6a232904/accesspoint/my-point"
KEY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("scheme", ["s3", "s3a", "s3n", "S3"])
def test_a_key_in_an_s3_uri_is_literal(scheme: str, key: str):
    # Only what ends as a version does is closed with an empty one, as str() does.
    assert parse(str(S3Uri("b", key)).replace("s3", scheme, 1)) == S3Uri("b", key)


@pytest.mark.parametrize("key", [key for key in KEYS if "versionId" not in key])
def test_the_text_of_a_uri_is_scheme_bucket_and_key(key: str):
    assert str(S3Uri("b", key)) == f"s3://b/{key}"


@given(KEY_TEXT, st.none() | st.from_regex(r"[A-Za-z0-9._]{1,32}", fullmatch=True), st.sampled_from(["b", POINT]))
@example("a?versionId=3", None, "b")
@example("a?versionId=", "x", "b")
def test_the_text_of_a_uri_is_read_back_as_the_same(key: str, version: str | None, bucket: str):
    uri = S3Uri(bucket, key, version)
    assert parse(str(uri)) == uri


@given(KEY_TEXT, st.none() | st.just("v1"), st.sampled_from(["", "models/", "models", "./", "../", "a//"]))
@example("../../x", None, "")
@example("s3://b/k", None, "")
@example("/", None, "a//")
def test_behind_a_dot_and_a_slash_whatever_comes_is_a_key_below_the_place(key: str, version: str | None, prefix: str):
    text = str(S3Uri("b", key, version)).removeprefix("s3://b/")
    base = S3Uri("b", prefix)
    assert parse(f"./{text}", base=base) == S3Uri("b", base.as_prefix.key + key, version)


@pytest.mark.parametrize("key", KEYS)
def test_that_holds_of_awkward_keys(key: str):
    text = str(S3Uri("b", key)).removeprefix("s3://b/")
    assert parse(f"./{text}", base=BASE) == S3Uri("b", f"models/{key}")


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("s3://b", S3Uri("b")),
        ("s3://b/", S3Uri("b")),
        ("s3://b//", S3Uri("b", "/")),
        ("s3://b/dir/", S3Uri("b", "dir/")),
        ("s3://b/k?versionId=3sL4kqtJlcpXroDTDmJ.rm", S3Uri("b", "k", "3sL4kqtJlcpXroDTDmJ.rm")),
        ("s3://b/k?versionId=null", S3Uri("b", "k", "null")),
        ("s3://b/k?versionId=", S3Uri("b", "k")),
        ("s3://b/k?versionId=1?versionId=2", S3Uri("b", "k?versionId=1", "2")),
        ("s3://b/k?versionid=3", S3Uri("b", "k?versionid=3")),
        ("s3://b/k?a=1&versionId=3", S3Uri("b", "k?a=1&versionId=3")),
        ("s3://b/k?versionId=3\n", S3Uri("b", "k?versionId=3\n")),
        ("s3://Under_score.2/k", S3Uri("Under_score.2", "k")),
        ("arn:aws:s3:::b/dir/k", S3Uri("b", "dir/k")),
        ("arn:aws:s3:::b", S3Uri("b")),
        ("arn:aws-cn:s3:::b/k?versionId=1", S3Uri("b", "k", "1")),
        ("s3://arn:aws-us-gov:s3:::b/k", S3Uri("b", "k")),
        (POINT, S3Uri(POINT)),
        (f"{POINT}/dir/k", S3Uri(POINT, "dir/k")),
        (f"{POINT}/object/dir/k", S3Uri(POINT, "dir/k")),
        (f"s3://{POINT}/dir/k?versionId=1", S3Uri(POINT, "dir/k", "1")),
        (f"s3://{POINT}/object/k", S3Uri(POINT, "object/k")),
        (f"s3://{POINT}//k", S3Uri(POINT, "/k")),
        (f"s3://{OUTPOST}/k", S3Uri(OUTPOST, "k")),
        (
            "arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap/k",
            S3Uri("arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap", "k"),
        ),
        (
            "s3://arn:aws:s3-object-lambda:us-east-1:123456789012:accesspoint/lambda/k",
            S3Uri("arn:aws:s3-object-lambda:us-east-1:123456789012:accesspoint/lambda", "k"),
        ),
    ],
)
def test_forms_of_aws_and_of_its_tools(text: str, uri: S3Uri):
    assert parse(text) == uri


@pytest.mark.parametrize(
    ("text", "uri", "region"),
    [
        ("https://b.s3.eu-west-1.amazonaws.com/dir/k.pkl", S3Uri("b", "dir/k.pkl"), "eu-west-1"),
        ("https://b.s3.amazonaws.com/k", S3Uri("b", "k"), None),
        ("http://b.s3.amazonaws.com:80/k", S3Uri("b", "k"), None),
        ("HTTPS://b.s3.amazonaws.com/K", S3Uri("b", "K"), None),
        ("https://my.dotted.b.s3.us-east-2.amazonaws.com/k", S3Uri("my.dotted.b", "k"), "us-east-2"),
        ("https://x.s3.b.s3.us-east-2.amazonaws.com/k", S3Uri("x.s3.b", "k"), "us-east-2"),
        ("https://b.s3-eu-west-1.amazonaws.com/k", S3Uri("b", "k"), "eu-west-1"),
        ("https://b.s3.dualstack.ap-southeast-2.amazonaws.com/k", S3Uri("b", "k"), "ap-southeast-2"),
        ("https://b.s3-fips.dualstack.us-gov-west-1.amazonaws.com/k", S3Uri("b", "k"), "us-gov-west-1"),
        ("https://b.s3-accelerate.amazonaws.com/k", S3Uri("b", "k"), None),
        ("https://b.s3-accelerate.dualstack.amazonaws.com/k", S3Uri("b", "k"), None),
        ("https://b.s3.cn-north-1.amazonaws.com.cn/k", S3Uri("b", "k"), "cn-north-1"),
        ("https://s3.eu-west-1.amazonaws.com/b/dir/k", S3Uri("b", "dir/k"), "eu-west-1"),
        ("https://s3-eu-west-1.amazonaws.com/b/k", S3Uri("b", "k"), "eu-west-1"),
        ("https://s3.amazonaws.com/b", S3Uri("b"), None),
        ("https://s3-external-1.amazonaws.com/b/k", S3Uri("b", "k"), "us-east-1"),
        ("https://s3.eu-west-1.amazonaws.com/" + POINT.replace("/", "%2F") + "/k", S3Uri(POINT, "k"), "eu-west-1"),
        ("https://my-point-123456789012.s3-accesspoint.eu-west-1.amazonaws.com/k", S3Uri(POINT, "k"), "eu-west-1"),
        ("https://b.s3.amazonaws.com/a%20b%2Bc%25d%3Fe%23f.pkl", S3Uri("b", "a b+c%d?e#f.pkl"), None),
        ("https://b.s3.amazonaws.com/a+b.pkl", S3Uri("b", "a b.pkl"), None),
        ("https://b.s3.amazonaws.com/a b.pkl", S3Uri("b", "a b.pkl"), None),
        ("https://b.s3.amazonaws.com//k", S3Uri("b", "/k"), None),
        ("https://b.s3.amazonaws.com/a%0Ab%E6%A8%A1", S3Uri("b", "a\nb模"), None),
        ("https://b.s3.amazonaws.com/k?X-Amz-Signature=SECRET&versionId=7", S3Uri("b", "k", "7"), None),
        ("https://b.s3.amazonaws.com/k%3FversionId=7", S3Uri("b", "k?versionId=7"), None),
        (
            "https://s3.console.aws.amazon.com/s3/object/b?region=eu-west-1&prefix=dir/a+b%2Bc.pkl",
            S3Uri("b", "dir/a b+c.pkl"),
            "eu-west-1",
        ),
        (
            "https://eu-west-1.console.aws.amazon.com/s3/buckets/b?region=eu-west-1&bucketType=general&prefix=dir/&tab=objects",
            S3Uri("b", "dir/"),
            "eu-west-1",
        ),
        (
            "https://123456789012-abcdef.us-east-1.console.aws.amazon.com/s3/object/b?prefix=k&versionId=7",
            S3Uri("b", "k", "7"),
            None,
        ),
        ("https://s3.console.aws.amazon.com/s3/buckets/b/dir/?region=us-east-1", S3Uri("b", "dir/"), "us-east-1"),
        ("https://console.amazonaws-us-gov.com/s3/buckets/b", S3Uri("b"), None),
    ],
)
def test_urls_that_people_paste(text: str, uri: S3Uri, region: str | None):
    assert parse(text) == uri
    assert parse(text).region == region


@pytest.mark.parametrize(
    ("endpoint_url", "text", "uri"),
    [
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000/b/dir/a%20b+c.pkl", S3Uri("b", "dir/a b+c.pkl")),
        ("http://127.0.0.1:9000/", "http://127.0.0.1:9000/b/k?X-Amz-Signature=SECRET", S3Uri("b", "k")),
        ("https://store.example", "https://store.example:443/b/k?versionId=7", S3Uri("b", "k", "7")),
        ("https://store.example", "https://b.store.example/k", S3Uri("b", "k")),
        ("https://store.example/s3", "https://store.example/s3/b/k", S3Uri("b", "k")),
        ("http://[::1]:9000", "http://[::1]:9000/b/k", S3Uri("b", "k")),
        ("https://s3.eu-west-1.amazonaws.com", "https://s3.eu-west-1.amazonaws.com/b/a+b", S3Uri("b", "a b")),
        ("https://s3.eu-west-1.amazonaws.com", "https://b.s3.eu-west-1.amazonaws.com/k", S3Uri("b", "k")),
        (
            "https://bucket.vpce-1a2b.s3.us-east-1.vpce.amazonaws.com",
            "https://bucket.vpce-1a2b.s3.us-east-1.vpce.amazonaws.com/b/k",
            S3Uri("b", "k"),
        ),
    ],
)
def test_urls_on_the_endpoint_in_use(endpoint_url: str, text: str, uri: S3Uri):
    assert parse(text, endpoint_url=endpoint_url) == uri


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("k.pkl", "models/k.pkl"),
        ("year=2024/part.pkl", "models/year=2024/part.pkl"),
        ("./year=2024/part.pkl", "models/year=2024/part.pkl"),
        ("././k", "models/./k"),
        (".", "models/"),
        ("./", "models/"),
        ("..", ""),
        ("../", ""),
        ("../other/k", "other/k"),
        ("./../k", "models/../k"),
        ("a/../b", "models/a/../b"),
        ("...", "models/..."),
        ("..k", "models/..k"),
        ("/k", "models//k"),
        ("/", ""),
        (".//", "models//"),
        ("dir/", "models/dir/"),
        ("./s3://b/k", "models/s3://b/k"),
        ("a b%20+#?.pkl", "models/a b%20+#?.pkl"),
    ],
)
def test_a_relative_key_is_put_after_the_place_that_was_set(text: str, key: str):
    assert parse(text, base=BASE) == S3Uri("b", key)
    assert parse(text, base=S3Uri("b", "models", "v1")) == S3Uri("b", key)


def test_the_region_of_the_place_that_was_set_goes_with_its_keys():
    assert parse("k", base=parse(f"{POINT}/dir/")).region == "eu-west-1"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["empty", "s3://bucket/key"]),
        ("model", ["'model'", "no S3 URI", "s3://bucket/key", "aios3_nb.cd("]),
        ("dir/model.pkl", ["aios3_nb.cd("]),
        ("s3://", ["names no bucket"]),
        ("s3:///k", ["names no bucket"]),
        ("s3:/b/k", ["two slashes"]),
        ("s3:b/k", ["two slashes"]),
        ("s3://my bucket/k", ["names no bucket", "' '"]),
        ("s3://b\x1b[31m/k", [r"\x1b"]),
        ("s3://b*/k", ["pattern", "Name the bucket"]),
        ("gs://b/k", ["gs://", "s3://bucket/key"]),
        ("file:///etc/passwd", ["file://"]),
        ("arn:aws:iam::123456789012:role/x", ["no ARN of a bucket or an access point"]),
        ("arn:aws:s3:eu-west-1:123456789012:accesspoint", ["accesspoint/NAME"]),
        ("https://example.org/b/k", ["endpoint_url"]),
        ("https://", ["endpoint_url"]),
        ("https://[::1/k", ["is no URL"]),
        ("https://b.s3.amazonaws.com:x/k", ["is no URL"]),
        ("https://s3.amazonaws.com/", ["names no bucket"]),
        ("https://b.s3-website-us-east-1.amazonaws.com/k", ["website"]),
        ("https://b.s3-website.eu-central-1.amazonaws.com/k", ["website"]),
        ("https://b.s3.amazonaws.com/a\nb", ["line break", "%0A"]),
        ("https://b.s3.amazonaws.com/%ff", ["not UTF-8"]),
        ("https://eu-west-1.console.aws.amazon.com/s3/object/b?prefix=%ff", ["not UTF-8"]),
        ("https://eu-west-1.console.aws.amazon.com/ec2/home", ["page of the AWS console"]),
        ("https://b.s3.amazonaws.com.evil.example/k", ["no S3 that is known"]),
        ("s3://b/\ud800", ["surrogate", r"\ud800"]),
        ("s3://b/" + "\ud800" * 2000, ["…"]),
    ],
)
def test_what_names_no_object_is_answered_with_what_to_write(text: str, words: list[str]):
    with pytest.raises(UriError) as caught:
        parse(text)
    message = str(caught.value)
    assert all(word in message for word in words), message
    assert message.isprintable()
    assert len(message) < 400


@pytest.mark.parametrize(
    "text",
    [
        "s3://AKIAID:SECRET@bucket/key",
        "s3://AKIAID:SEC/RET@bucket/key",
        "s3://SECRET@bucket/key",
        "s3://AKIAID:SECRET",
        "https://AKIAID:SECRET@example.org/key",
        "https://example.org/k?X-Amz-Signature=SECRET",
        "https://b.s3-website-us-east-1.amazonaws.com/it's?AWSAccessKeyId=SECRET",
    ],
)
def test_no_message_repeats_a_credential(text: str):
    with pytest.raises(UriError) as caught:
        parse(text)
    assert "SEC" not in str(caught.value)
    assert "AKIA" not in str(caught.value)


def test_an_aws_url_is_not_looked_up_on_another_store():
    with pytest.raises(UriError, match="is on AWS, and the endpoint in use is http://localhost:9000"):
        parse("https://b.s3.amazonaws.com/k", endpoint_url="http://localhost:9000")


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:9001/s3/b/k",
        "https://127.0.0.1/s3/b/k",
        "http://127.0.0.2:9000/s3/b/k",
        "http://127.0.0.1:9000/b/k",
    ],
)
def test_a_url_on_another_store_than_the_one_in_use_is_refused(text: str):
    with pytest.raises(UriError, match="no S3 that is known here"):
        parse(text, endpoint_url="http://127.0.0.1:9000/s3")


@pytest.mark.parametrize("text", ["../..", "../../k", "../../../k"])
def test_nothing_relative_leads_out_of_the_bucket(text: str):
    with pytest.raises(UriError, match="out of the bucket"):
        parse(text, base=BASE)


@pytest.mark.parametrize(
    ("text", "base", "answer"),
    [
        ("s3://", BASE, True),
        ("S3A://", None, True),
        ("s3:///", BASE, True),
        ("s3:", None, True),
        ("..", S3Uri("b"), True),
        ("../", S3Uri("b"), True),
        ("../..", BASE, True),
        ("../../../..", BASE, True),
        ("..", None, True),
        (".", None, True),
        ("/", None, True),
        ("..", BASE, False),
        ("/", BASE, False),
        (".", S3Uri("b"), False),
        ("../k", S3Uri("b"), False),
        ("...", S3Uri("b"), False),
        ("s3://b", BASE, False),
        ("model.pkl", None, False),
    ],
)
def test_what_lies_above_all_buckets(text: str, base: S3Uri | None, answer: bool):
    assert is_all_buckets(text, base=base) is answer


def test_the_text_of_no_bucket_has_no_third_slash():
    assert str(S3Uri("")) == "s3://"


def test_only_text_is_a_uri():
    with pytest.raises(UriError, match="not int"):
        parse(3)


@pytest.mark.parametrize(
    ("key", "is_prefix", "as_prefix", "parent", "name"),
    [
        ("", True, "", "", "b"),
        ("k", False, "k/", "", "k"),
        ("dir/", True, "dir/", "", "dir"),
        ("dir/k", False, "dir/k/", "dir/", "k"),
        ("dir/sub/", True, "dir/sub/", "dir/", "sub"),
        ("/", True, "/", "", ""),
        ("a//", True, "a//", "a/", ""),
    ],
)
def test_prefix_parent_and_name(key: str, is_prefix: bool, as_prefix: str, parent: str, name: str):
    uri = S3Uri("b", key)
    assert uri.is_prefix is is_prefix
    assert uri.as_prefix == S3Uri("b", as_prefix)
    assert uri.parent == S3Uri("b", parent)
    assert uri.name == name


def test_a_uri_is_a_value():
    uri = S3Uri("b", "k", "v", region="eu-west-1")
    assert uri == S3Uri("b", "k", "v")
    assert hash(uri) == hash(S3Uri("b", "k", "v"))
    assert pickle.loads(pickle.dumps(uri)) == uri
    assert repr(uri) == "S3Uri(bucket='b', key='k', version_id='v')"


@pytest.mark.parametrize("text", ["s3://b", "S3A://b", "https://x", "foo://x", "arn:aws:s3:::b", "s3:/b"])
def test_what_is_read_without_a_base(text: str):
    assert is_absolute(text)
    assert not is_absolute(f"./{text}")
