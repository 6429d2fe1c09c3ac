"""The embedded server: it answers, it is alone with its owner's secret, and it never outlives its owner."""

from __future__ import annotations


def test_answers(server, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"abc")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"abc"


def test_data_survive_a_restart(server, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"abc" * 100_000)
    server.kill()
    assert not server.running
    server.restart()
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"abc" * 100_000
