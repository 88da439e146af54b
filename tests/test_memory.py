"""What a machine or a container gives, and what is said where that is too little."""

from __future__ import annotations

import pytest

from harness.execution.memory import available_mb, shortage


@pytest.fixture
def machine(tmp_path):
    """A machine of 16 GB with these files of control groups."""
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "meminfo").write_text("MemTotal:       16777216 kB\nMemFree: 1 kB\n")

    def make(**files: str) -> int | None:
        for name, text in files.items():
            path = tmp_path / "cgroup" / name.replace("__", "/").replace("_in", ".limit_in")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return available_mb(tmp_path / "proc", tmp_path / "cgroup")

    return make


def test_a_machine_without_limits_gives_what_it_has(machine):
    assert machine() == 16384
    assert machine(**{"memory.max": "max\n"}) == 16384


def test_the_least_limit_holds(machine):
    assert machine(**{"memory.max": str(768 * 2**20)}) == 768
    assert machine(**{"memory__memory_in_bytes": str(512 * 2**20)}) == 512


def test_a_system_that_tells_nothing(tmp_path):
    assert available_mb(tmp_path, tmp_path) is None
    (tmp_path / "meminfo").write_bytes(b"MemTotal: \xff kB")
    assert available_mb(tmp_path, tmp_path) is None


@pytest.mark.parametrize(("found", "said"), [(None, ""), (1500, ""), (768, "gives 768 MB")])
def test_too_little_is_said_with_what_to_do(found, said):
    told = shortage(found)
    assert told.startswith(f"this machine {said}") if said else told == ""
