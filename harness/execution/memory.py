"""How much memory this machine, or the container that this runs in, gives.

Source: Linux's cgroup-v1 and cgroup-v2 documentation.
"""

from __future__ import annotations

from pathlib import Path

# One submission at a time: the harness, a template that has imported TensorFlow, a child.
NEEDED_MB = 1500
_LIMITS = ("memory.max", "memory/memory.limit_in_bytes")
_MEGABYTE = 2**20


def available_mb(proc: Path = Path("/proc"), groups: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Megabytes that all processes may have together; None where the system does not tell."""
    found = [value for name in _LIMITS if (value := _number(groups / name)) is not None]
    for line in _text(proc / "meminfo").splitlines():
        if line.startswith("MemTotal:") and line.split()[1].isdecimal():
            found.append(int(line.split()[1]) * 1024)
    return min(found) // _MEGABYTE if found else None


def shortage(found: int | None) -> str:
    """What to say where there is too little for one submission; else empty."""
    if found is None or found >= NEEDED_MB:
        return ""
    return (
        f"this machine gives {found} MB of memory, and TensorFlow alone takes more than 500; give "
        f"it at least {NEEDED_MB} MB (Gradescope: Settings, Container Specifications), or runs may "
        "end as out of memory"
    )


def _number(path: Path) -> int | None:
    text = _text(path).strip()
    return int(text) if text.isdecimal() else None


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except (OSError, UnicodeDecodeError):
        return ""
