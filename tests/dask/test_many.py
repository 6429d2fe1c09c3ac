"""Collections of Dask, computed by two worker processes."""

from __future__ import annotations

import argparse
import json
import os
import pickle
import signal
import time
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from distributed import Client, LocalCluster

import aios3_nb

pytestmark = pytest.mark.filterwarnings("default")  # of distributed, about its own shutdown


@pytest.fixture(scope="module")
def client(server: Any) -> Iterator[Client]:
    environment = {**server.environ(), "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=2, processes=True, dashboard_address=None, env=environment, host="127.0.0.1"
        ) as cluster,
        Client(cluster) as connected,
    ):
        yield connected


def test_two_hundred_objects(client: Client, put: Any, bucket: str, server: Any) -> None:
    for n in range(200):
        put(f"many/{n:03}.pkl", pickle.dumps({"n": n}))
    numbers = aios3_nb.bag(f"s3://{bucket}/many/*.pkl").pluck("n")
    assert numbers.npartitions == 200
    assert numbers.sum().compute() == sum(range(200))
    secrets = (server.endpoint.secret_key, server.endpoint.access_key)
    kept = pickle.dumps(
        client.run_on_scheduler(
            lambda dask_scheduler: repr(
                [
                    vars(t) if hasattr(t, "__dict__") else [getattr(t, s, None) for s in type(t).__slots__]
                    for t in dask_scheduler.tasks.values()
                ]
            )
        )
    )
    sent = pickle.dumps(dict(numbers.__dask_graph__()))
    for secret in secrets:
        assert secret.encode() not in kept + sent


def test_lines_of_objects_and_the_elements_of_arrays(client: Client, put: Any, bucket: str) -> None:
    for n in range(3):
        put(f"lines/{n}.jsonl", b"".join(b'{"n": %d}\n' % (n * 10 + m) for m in range(10)))
    put("array.json", json.dumps([1, 2, 3]).encode())
    assert aios3_nb.bag(f"s3://{bucket}/lines/*.jsonl").pluck("n").compute() == list(range(30))
    assert aios3_nb.bag(f"s3://{bucket}/array.json").compute() == [1, 2, 3]
    frame = aios3_nb.frame(f"s3://{bucket}/lines/*.jsonl")
    assert frame.npartitions == 3
    assert int(frame.n.sum().compute()) == sum(range(30))


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_tables(client: Client, put: Any, bucket: str, form: str) -> None:
    parts = [pd.DataFrame({"n": [k, k + 1], "s": [f"x{k}", "y"], "z": [0.5, 1.5]}) for k in range(4)]
    for k, part in enumerate(parts):
        put(f"tables/{k}.{form}", part.to_csv(index=False).encode() if form == "csv" else part.to_parquet(index=False))
    frame = aios3_nb.frame(f"s3://{bucket}/tables/*.{form}")
    assert list(frame.columns) == ["n", "s", "z"]
    assert int(frame.n.sum().compute()) == 16
    assert sorted(frame[["s"]].compute().s) == ["x0", "x1", "x2", "x3", "y", "y", "y", "y"]


def test_the_options_of_a_load_count_on_the_workers(client: Client, put: Any, bucket: str) -> None:
    assert aios3_nb.bag(put("options/lines.dat", b"[1]\n[2]\n"), format="jsonl").compute() == [[1], [2]]
    assert aios3_nb.bag(put("options/deep.json", b'{"a": {"b": [1, 2]}}'), path="a.b.item").compute() == [1, 2]
    named = put("options/named.pkl", pickle.dumps(argparse.Namespace(a=1)))
    with pytest.raises(aios3_nb.BlockedPickleError, match=r"argparse\.Namespace"):
        aios3_nb.bag(named).compute()
    assert aios3_nb.bag(named, allow="argparse.Namespace").compute() == [argparse.Namespace(a=1)]
    assert aios3_nb.bag(put("options/runs.pkl", b"cos\ngetpid\n(tR."), trust=True).compute()[0] != os.getpid()
    with pytest.raises(aios3_nb.TooLargeError, match=r"named\.pkl"):
        aios3_nb.bag(named, allow="argparse.Namespace", max_bytes=10).compute()


def test_a_worker_calls_on_its_own_loop(client: Client, put: Any) -> None:
    """As `client.run` does, which shows what a worker has."""
    uri = put("on-the-loop.json", b"[1]")
    assert list(client.run(aios3_nb.load, uri).values()) == [[1], [1]]
    assert client.submit(sum, [1, 2], pure=False).result(timeout=60) == 3


def test_errors_come_out_with_their_type_and_the_name_of_the_object(client: Client, put: Any, bucket: str) -> None:
    put("bad/ok.pkl", pickle.dumps(1))
    blocked = put("bad/runs.pkl", b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(aios3_nb.BlockedPickleError, match=r"bad/runs\.pkl"):
        aios3_nb.bag(blocked.replace("runs", "*")).compute()
    gone = client.submit(aios3_nb.load, f"s3://{bucket}/absent.json", endpoint_url=_endpoint(), pure=False)
    with pytest.raises(aios3_nb.ObjectNotFoundError, match=r"absent\.json"):
        gone.result()


def test_the_version_is_the_one_that_was_listed(client: Client, put: Any, bucket: str) -> None:
    uri = put("pinned.pkl", pickle.dumps([1]))
    values = aios3_nb.bag(uri)
    put("pinned.pkl", pickle.dumps([2, 3]))
    with pytest.raises(aios3_nb.ObjectChangedError, match="pinned"):
        values.compute()


def test_a_worker_that_is_killed_half_way(client: Client, put: Any, bucket: str) -> None:
    for n in range(40):
        put(f"killed/{n}.pkl", pickle.dumps(n))

    def slowly(value: int) -> int:
        time.sleep(0.05)
        return value

    total = client.compute(aios3_nb.bag(f"s3://{bucket}/killed/*.pkl").map(slowly).sum())
    time.sleep(0.3)  # whether or not it has begun
    os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)
    assert total.result(timeout=90) == sum(range(40))


def test_cancel_frees_the_workers(client: Client, put: Any, bucket: str) -> None:
    for n in range(20):
        put(f"cancelled/{n}.pkl", pickle.dumps(n))
    work = client.compute(aios3_nb.bag(f"s3://{bucket}/cancelled/*.pkl").map(lambda n: time.sleep(0.2)).count())
    work.cancel()
    assert client.submit(sum, [1, 2], pure=False).result(timeout=60) == 3


def test_nothing_that_is_there_is_said_when_it_is_made(put: Any, bucket: str, server: Any) -> None:
    with pytest.raises(aios3_nb.ObjectNotFoundError, match="Nothing matches"):
        aios3_nb.bag(f"s3://{bucket}/absent/*.pkl")


def _endpoint() -> str:
    from aios3_nb import settings

    return str(settings.current().endpoint_url)
