"""What a machine is taken to offer: a container's limits count."""

from __future__ import annotations

import os

import psutil
import pytest

from pipeline.batch import machine, workers
from pipeline.settings import ListenSettings

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def put(folder, **files):
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="ascii")
    return folder


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, CORES),
        ({"cpu.max": "max 100000\n"}, CORES),
        ({"cpu.max": "50000 100000\n"}, 1),
        ({"cpu.max": "100000 100000\n"}, 1),
        ({"cpu.max": "99900000 100000\n"}, CORES),
        ({"cpu.max": "of another kind"}, CORES),
        ({"cpu__cpu.cfs_quota_us": "-1\n", "cpu__cpu.cfs_period_us": "100000\n"}, CORES),
        ({"cpu__cpu.cfs_quota_us": "20000\n", "cpu__cpu.cfs_period_us": "100000\n"}, 1),
    ],
)
def test_cores_are_those_that_the_container_may_use(tmp_path, files, expected):
    assert machine.cores(put(tmp_path, **files)) == expected


@pytest.mark.parametrize("name", ["memory.max", "memory__memory.limit_in_bytes"])
def test_free_memory_is_no_more_than_the_container_may_have(tmp_path, name):
    assert machine.free_memory(put(tmp_path, **{name: "1048576\n"})) == 1048576


def test_free_memory_without_a_limit_is_that_of_the_machine(tmp_path):
    limits = put(tmp_path, **{"memory.max": "max\n", "memory__memory.limit_in_bytes": "9223372036854771712\n"})
    assert 0 < machine.free_memory(limits) <= psutil.virtual_memory().total


def test_workers_are_as_many_as_fit(monkeypatch):
    fake = ListenSettings(engine="fake")
    monkeypatch.setattr(workers, "cores", lambda: 8)
    for free, count in ((0, 1), (5 * 1024**3, 2), (99 * 1024**3, 8)):
        monkeypatch.setattr(workers, "free_memory", lambda free=free: free)
        assert workers.default_workers(fake) == count
    assert workers.default_workers(ListenSettings(engine="whisper", device="cuda")) == 1
    assert workers.default_workers(ListenSettings(engine="sphinx", device="cuda")) == 8
