"""AWS is what botocore's own data say it is, to the letter; nothing else is."""

import json

import botocore.session
import pytest

import aios3_nb
from aios3_nb.address import server_of
from aios3_nb.errors import OptionError
from aios3_nb.s3 import endpoint_of


def client(region="eu-west-1", **options):
    made = botocore.session.Session()
    made.set_credentials("any", "any")
    return made.create_client("s3", region_name=region, **options)


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "cn-north-1", "us-gov-west-1", "aws-global"])
def test_what_is_asked_without_a_word_is_aws(region):
    assert endpoint_of(client(region)) == ""


@pytest.mark.parametrize(
    "config", [{"use_dualstack_endpoint": True}, {"use_fips_endpoint": True}, {"s3": {"use_accelerate_endpoint": True}}]
)
def test_the_other_ways_into_aws_are_aws(config):
    assert endpoint_of(client(config=botocore.config.Config(**config))) == ""


@pytest.mark.parametrize(
    "url",
    [
        "https://s3.eu-west-1.amazonaws.com",
        "https://S3.EU-WEST-1.amazonaws.com/",
        "https://s3.eu-west-1.amazonaws.com:443",
    ],
)
def test_aws_may_be_named(url):
    assert endpoint_of(client(endpoint_url=url)) == ""


@pytest.mark.parametrize(
    "url",
    [
        "http://s3.eu-west-1.amazonaws.com",
        "https://s3.eu-west-1.amazonaws.com.",
        "https://s3.eu-west-1.amazonaws.com:8443",
        "https://s3.eu-west-1.amazonaws.com/proxy",
        "https://s3.us-west-2.amazonaws.com",
        "https://s3.evil.amazonaws.com",
        "https://abcdef.execute-api.eu-west-1.amazonaws.com",
        "https://anybody.s3.eu-west-1.amazonaws.com",
        "https://ec2-1-2-3-4.eu-west-1.compute.amazonaws.com",
        "https://s3.eu-west-1.amazonaws.com.evil.example",
        "https://s3.eu-west-1.amazonaws.com.cn",
        "https://xn--s3-fka.eu-west-1.amazonaws.com",
        "https://127.0.0.1:9000",
        "https://amazonaws.com",
    ],
)
def test_anything_else_is_not_aws(url):
    assert endpoint_of(client(endpoint_url=url)) == url


def test_a_region_that_nobody_knows_is_not_aws():
    assert endpoint_of(client("mars-7")) == "https://s3.mars-7.amazonaws.com"


def test_data_that_somebody_brought_along_do_not_say_what_aws_is(tmp_path, monkeypatch):
    there = botocore.session.Session().get_data("endpoints")
    there["partitions"][0]["services"]["s3"]["endpoints"]["eu-west-1"]["hostname"] = "evil.example"
    (tmp_path / "endpoints.json").write_text(json.dumps(there))
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    led_away = client()
    assert led_away.meta.endpoint_url == "https://evil.example"
    assert endpoint_of(led_away) == "https://evil.example"


REFUSED = [
    "https://host#.amazonaws.com",
    "https://host/#.s3.eu-west-1.amazonaws.com",
    "https://host?.s3.eu-west-1.amazonaws.com",
    "https://s3.eu-west-1.amazonaws.com@host",
    "https://user:secret@host",
    "https://host\\.s3.eu-west-1.amazonaws.com",
    "https://s3.eu-west-1.amazon\naws.com",
    "https://s3.eu-west-1.ama\u200bzonaws.com",
    "https://s3.eu-west-1.\u0430mazonaws.com",
    "https://s\uff13.eu-west-1.amazonaws.com",
    " https://host",
    "ftp://host",
    "host:9000",
    "https://",
    "https://host:port",
]


@pytest.mark.parametrize("url", REFUSED)
def test_an_endpoint_that_clients_could_read_differently_is_refused(url):
    with pytest.raises(OptionError, match="is not used") as refused:
        server_of(url)
    assert "secret" not in str(refused.value)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AIOS3_NB_ENDPOINT_URL"])
def test_it_is_refused_wherever_it_was_set(name, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv(name, "https://localhost:1#.amazonaws.com")
    with pytest.raises(OptionError, match="is not used"):
        aios3_nb.load("s3://b/k.json")
