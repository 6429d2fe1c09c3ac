"""The collector's pause nests, overlaps between threads, always ends, and keeps no garbage."""

import gc
import subprocess
import sys
import threading
import weakref

import pytest

from aios3_nb.formats.collector import collector_paused


@pytest.fixture(autouse=True)
def _collector_on():
    gc.enable()
    yield
    gc.enable()


def test_the_collector_is_off_in_the_body_and_on_after_the_outermost():
    with collector_paused():
        with collector_paused():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_the_collector_is_on_again_whatever_ended_the_body(error):
    with pytest.raises(error), collector_paused():
        raise error
    assert gc.isenabled()


def test_what_was_off_before_stays_off():
    gc.disable()
    with collector_paused():
        pass
    assert not gc.isenabled()


def test_pauses_of_threads_overlap():
    inside, done = threading.Event(), threading.Event()

    def other():
        with collector_paused():
            inside.set()
            done.wait(60)

    thread = threading.Thread(target=other)
    with collector_paused():
        thread.start()
        inside.wait(60)
    assert not gc.isenabled()
    done.set()
    thread.join()
    assert gc.isenabled()


def test_what_was_built_is_not_walked_as_soon_as_the_collector_is_on():
    with collector_paused():
        built = [[n] for n in range(50_000)]
    young = gc.get_count()[0]
    assert young < 10_000
    assert len(built) == 50_000


def test_what_somebody_froze_stays_frozen():
    gc.freeze()
    try:
        frozen = gc.get_freeze_count()
        with collector_paused():
            pass
        assert gc.get_freeze_count() == frozen > 0
    finally:
        gc.unfreeze()


class Node:
    """Something that a cycle keeps."""

    def __init__(self) -> None:
        self.me = self


def test_garbage_of_the_body_is_collected_later():
    with collector_paused():
        gone = weakref.ref(Node())
    gc.collect()
    assert gone() is None


def test_pauses_that_follow_each_other_do_not_keep_the_garbage_between_them():
    """Somebody loads one object after another, and never asks for a collection."""
    left = []
    for _ in range(1000):
        left.append(weakref.ref(Node()))
        with collector_paused():
            left.append(weakref.ref(Node()))
        _others = [[n] for n in range(300)]
    assert sum(node() is not None for node in left) < 200


LARGE_BODIES = """
import gc, sys
from aios3_nb.formats.collector import collector_paused

def build():
    nodes = []
    nodes += [[nodes] for _ in range(60_000)]

gc.collect()
few = len(gc.get_objects())
for _ in range(12):
    with collector_paused():
        build()
print(len(gc.get_objects()) - few)
"""


def test_large_bodies_that_follow_each_other_do_not_keep_their_garbage():
    """In a process of its own: what else lives in this one decides when it is time to look."""
    done = subprocess.run([sys.executable, "-c", LARGE_BODIES], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 4 * 60_000
