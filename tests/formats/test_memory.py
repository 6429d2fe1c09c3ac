"""The warning before a load that may not fit."""

from __future__ import annotations

import os

import pytest

from aios3_nb.formats import forecast, registry
from aios3_nb.formats.memory import FACTORS, free_memory

GB = 10**9


@pytest.fixture
def machine(tmp_path):
    """A made-up /proc and /sys; write files into it by path."""

    def write(files):
        for path, text in files.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text)
        return tmp_path

    return write


def test_what_fits_is_not_mentioned():
    assert forecast(GB, "npy", free=2 * GB) is None
    assert forecast(GB, "pickle", free=14 * GB) is None


def test_what_cannot_fit_is_said_with_figures_and_the_ways_on():
    text = forecast(3 * GB, "npy", free=2 * GB)
    assert text.startswith(
        "This does not fit into memory: loading 3.0 GB of npy takes about 3.0 GB, and 2.0 GB is free."
    )
    assert "--iter" in text
    assert "--max-bytes" in text


def test_what_may_not_fit_is_said_as_a_range():
    assert "may not fit" in (text := forecast(GB, "pickle", free=2 * GB))
    assert "1.0 GB to 13.0 GB" in text


def test_compressed_bytes_become_more():
    assert forecast(GB, "text", free=3 * GB) is None
    assert "may not fit" in forecast(GB, "text", compressed=True, free=3 * GB)


def test_nothing_is_said_about_formats_that_were_not_measured():
    assert forecast(10**15, "mine", free=1) is None


def test_every_format_that_is_loaded_has_a_forecast():
    built_in = {format.name for format in registry._formats if format.loader is not None}
    assert set(FACTORS) == built_in


def test_this_machine_has_some_free_memory():
    assert 0 < free_memory() <= os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


MEMINFO = "MemTotal: 9000 kB\nMemFree: 10 kB\nMemAvailable:    4000 kB\n"


def test_the_machine_has_what_is_available(machine):
    assert free_memory(machine({"proc/meminfo": MEMINFO})) == 4000 * 1024


def test_a_cgroup_v2_limit_counts_without_what_is_only_cache(machine):
    group = "sys/fs/cgroup/a/b/"
    root = machine(
        {
            "proc/meminfo": MEMINFO,
            "proc/self/cgroup": "0::/a/b\n",
            group + "memory.max": "1000\n",
            group + "memory.current": "900\n",
            group + "memory.stat": "anon 700\ninactive_file 150\n",
        }
    )
    assert free_memory(root) == 250
    machine({"sys/fs/cgroup/a/memory.max": "500\n", "sys/fs/cgroup/a/memory.current": "400\n"})
    assert free_memory(root) == 100, "the group above limits too"


def test_in_a_container_the_limit_is_at_the_mount(machine):
    root = machine(
        {
            "proc/meminfo": MEMINFO,
            "proc/self/cgroup": "0::/docker/1234\n",
            "sys/fs/cgroup/memory.max": "1000\n",
            "sys/fs/cgroup/memory.current": "990\n",
        }
    )
    assert free_memory(root) == 10


def test_max_is_no_limit(machine):
    root = machine(
        {
            "proc/meminfo": MEMINFO,
            "proc/self/cgroup": "0::/\n",
            "sys/fs/cgroup/memory.max": "max\n",
            "sys/fs/cgroup/memory.current": "990\n",
        }
    )
    assert free_memory(root) == 4000 * 1024


def test_a_cgroup_v1_limit_counts(machine):
    root = machine(
        {
            "proc/meminfo": MEMINFO,
            "proc/self/cgroup": "5:cpu,cpuacct:/x\n4:memory:/x\n",
            "sys/fs/cgroup/memory/x/memory.limit_in_bytes": "1000\n",
            "sys/fs/cgroup/memory/x/memory.usage_in_bytes": "1200\n",
            "sys/fs/cgroup/memory/x/memory.stat": "total_inactive_file 100\n",
        }
    )
    assert free_memory(root) == 0


def test_without_proc_it_is_what_is_built_in(tmp_path):
    assert free_memory(tmp_path) == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
