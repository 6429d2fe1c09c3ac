"""The collector's pause nests, overlaps between threads, and always ends."""

import gc
import threading

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
            done.wait(5)

    thread = threading.Thread(target=other)
    with collector_paused():
        thread.start()
        inside.wait(5)
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


def test_garbage_of_the_body_is_collected_later():
    class Node:
        pass

    import weakref

    with collector_paused():
        node = Node()
        node.self = node
        gone = weakref.ref(node)
        del node
    gc.collect()
    assert gone() is None
