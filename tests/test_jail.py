"""The inner wall, put up in a plain process without TensorFlow, and what the host must have."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.execution import jail, landlock, sandbox, seccomp

pytestmark = pytest.mark.skipif(
    bool(sandbox.inner_problem()), reason=f"no inner wall here: {sandbox.inner_problem()}"
)


# What a process is shown of itself that is the host's.
HOSTS = ("mountinfo", "mounts", "mountstats", "net/dev", "net/tcp", "net/unix", "schedstat")


def confined(tmp_path: Path, code: str, before: str = "") -> str:
    """Run code in a process that has confined itself, and return what it printed."""
    home, materials = tmp_path / "home", tmp_path / "materials"
    for folder in (home, materials):
        folder.mkdir()
    (materials / "given.txt").write_text("given")
    (tmp_path / "secret.txt").write_text("secret")
    script = f"""
import os, pathlib, sys
from harness.execution import jail
home, materials = pathlib.Path({str(home)!r}), pathlib.Path({str(materials)!r})
secret = pathlib.Path({str(tmp_path / "secret.txt")!r})
os.chdir(home)
{before}
jail.confine(home, [materials], jail.readable())
def attempt(function):
    try:
        return function()
    except (OSError, ValueError) as error:
        return type(error).__name__
{code}
"""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_its_home_may_be_changed_and_materials_read(tmp_path):
    printed = confined(
        tmp_path,
        """
pathlib.Path("a").mkdir()
pathlib.Path("a/x").write_text("text")
os.rename("a/x", "y")
pathlib.Path("touched").touch()
import shutil
shutil.copy2("y", "z")
shutil.rmtree("a")
print(sorted(os.listdir()), open("z").read(), (materials / "given.txt").read_text())
import colorsys, json  # modules that were not loaded before
print(colorsys.rgb_to_hsv(1, 0, 0), pathlib.Path("/proc/self/statm").exists())
""",
    )
    assert printed == "['touched', 'y', 'z'] text given\n(0.0, 1.0, 1) True\n"


@pytest.mark.parametrize(
    "attempt",
    [
        "secret.read_text()",
        "secret.write_text('x')",
        "secret.unlink()",
        "secret.with_name('new').write_text('x')",
        "(materials / 'given.txt').write_text('x')",
        "os.listdir(secret.parent)",
        "os.truncate(secret, 0)",
        "os.open(secret, os.O_RDONLY | os.O_TRUNC)",
        "os.rename('.', secret.with_name('moved'))",
        "os.symlink(secret, 'link')",
        "os.mkfifo('pipe')",
        "os.fork()",
        "os.kill(os.getppid(), 0)",
        "os.setuid(12345)",
        "os.nice(-1)",
        "pathlib.Path(jail.__file__).read_text()",
        "pathlib.Path(f'/proc/{os.getppid()}/environ').read_bytes()",
        "__import__('socket').socket()",
        *(f"open('/proc/self/{name}').read()" for name in HOSTS),
        "open(f'/proc/self/task/{os.getpid()}/mountinfo').read()",
        "open(f'/proc/{os.getpid()}/net/tcp').read()",
        "open('/proc/loadavg').read()",
        "os.listdir('/sys/devices/system/cpu/cpu0')",
        "os.statvfs('.')",
        "os.statvfs(os.open('.', os.O_RDONLY))",
        "__import__('resource').setrlimit(__import__('resource').RLIMIT_NOFILE, (9**9, 9**9))",
    ],
)
def test_everything_else_is_refused(tmp_path, attempt):
    printed = confined(tmp_path, f"print(attempt(lambda: {attempt}))")
    assert printed.strip() in ("PermissionError", "OSError", "ValueError")
    assert (tmp_path / "secret.txt").read_text() == "secret"
    assert sorted(os.listdir(tmp_path)) == ["home", "materials", "secret.txt"]


def test_what_the_kernel_says_of_the_process_itself_may_be_read(tmp_path):
    printed = confined(
        tmp_path,
        """
for name in ("cmdline", "maps", "smaps_rollup", "stat", "statm", "status"):
    assert pathlib.Path("/proc/self", name).read_bytes(), name
print(len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd")) >= 3, os.cpu_count())
print(open("/sys/devices/system/cpu/online").read().strip())
""",
    )
    online = Path("/sys/devices/system/cpu/online").read_text().strip()
    assert printed == f"1 True {os.cpu_count()}\n{online}\n"


def test_a_lock_is_granted_and_nobody_else_sees_it(tmp_path):
    """A database in the work folder asks for locks; on a system's file they would be a sign."""
    code = """
import fcntl, sqlite3
shared = [os.open("/usr/share/zoneinfo/UTC", os.O_RDONLY) for _ in range(2)]
print([attempt(lambda: fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)) for fd in shared])
database = sqlite3.connect("data.db")
database.execute("create table t(a)")
database.execute("insert into t values (7)")
database.commit()
print(database.execute("select a from t").fetchall())
"""
    assert confined(tmp_path, code) == "[None, None]\n[(7,)]\n"


def test_an_event_loop_runs(tmp_path):
    code = "import asyncio\nprint(asyncio.run(asyncio.sleep(0.01, 5)))"
    assert confined(tmp_path, code) == "5\n"


def test_owners_modes_and_times_of_others_stay(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.touch()
    before = secret.stat()
    confined(
        tmp_path,
        "[attempt(f) for f in (lambda: os.chmod(secret, 0), lambda: os.utime(secret, (0, 0)), "
        "lambda: os.utime(secret), lambda: os.chown(secret, 1, 1))]",
    )
    after = secret.stat()
    assert (after.st_mode, after.st_uid, after.st_size) == (before.st_mode, before.st_uid, 6)
    assert abs(after.st_mtime - before.st_mtime) < 60


def test_folders_that_packages_are_imported_from_are_not_listed_for_what_is_beside(tmp_path):
    """As where a checkout with its own environment is itself on Python's path."""
    root = Path(sys.prefix).parent
    code = "import colorsys\nprint(attempt(lambda: os.listdir(root)))"
    printed = confined(tmp_path, code, f"root = {str(root)!r}\nsys.path.insert(0, root)")
    assert printed == "PermissionError\n"


def test_short_of_memory_a_confined_process_is_ended_first(tmp_path):
    code = 'print(open("/proc/self/oom_score_adj").read())'
    assert confined(tmp_path, code).strip() == "1000"


def test_a_process_with_threads_is_not_confined(tmp_path):
    before = (
        "import threading as t, time\nt.Thread(target=time.sleep, args=(9,), daemon=True).start()"
    )
    with pytest.raises(AssertionError, match="a process with 2 threads cannot be confined"):
        confined(tmp_path, "", before)


def test_capabilities_are_gone(tmp_path):
    status = confined(tmp_path, "print(open('/proc/self/status').read())")
    held = dict(line.split(":\t") for line in status.splitlines() if ":\t" in line)
    assert int(held["CapEff"], 16) == int(held["CapPrm"], 16) == 0
    assert (held["NoNewPrivs"], held["Seccomp"]) == ("1", "2")


def test_our_packages_are_not_readable_where_they_are_installed(tmp_path, monkeypatch):
    site = tmp_path / "lib" / "python3.11" / "site-packages"
    for name in ("harness", "reference", "numpy"):
        (site / name).mkdir(parents=True)
    (site / "single.py").touch()
    for name in ("prefix", "base_prefix", "exec_prefix", "base_exec_prefix"):
        monkeypatch.setattr(sys, name, str(tmp_path))
    monkeypatch.setattr(jail.sysconfig, "get_path", lambda name: str(site))
    inside = [path for path in jail.readable() if path.is_relative_to(tmp_path)]
    assert inside == [site / "numpy", site / "single.py"]


class FakeLibrary:
    """Stands for a C library whose calls all fail."""

    def __getattr__(self, name):
        return lambda *arguments: -1


@pytest.mark.parametrize(
    ("module", "call", "said"),
    [
        (jail, lambda home: jail.confine(home, [home], []), "capabilities could not be dropped"),
        (seccomp, lambda home: seccomp.restrict(), "seccomp"),
    ],
)
def test_what_the_kernel_refuses_is_an_error(tmp_path, monkeypatch, module, call, said):
    monkeypatch.setattr(module.ctypes, "CDLL", lambda *arguments, **more: FakeLibrary())
    monkeypatch.setattr(jail, "_threads", lambda: 1)
    with pytest.raises(OSError, match=said):
        call(tmp_path)


def test_no_new_privileges_and_landlock_may_be_refused_too(tmp_path, monkeypatch):
    monkeypatch.setattr(jail, "_drop_capabilities", lambda: None)
    monkeypatch.setattr(jail, "_threads", lambda: 1)
    monkeypatch.setattr(jail.ctypes, "CDLL", lambda *arguments, **more: FakeLibrary())
    with pytest.raises(OSError, match="no_new_privs could not be set"):
        jail.confine(tmp_path, [tmp_path], [])
    monkeypatch.undo()
    monkeypatch.setattr(landlock, "_libc", FakeLibrary)
    with pytest.raises(OSError, match="this kernel has no Landlock"):
        landlock.restrict([])
    monkeypatch.setattr(landlock, "version", lambda: 3)
    ctypes.set_errno(1)
    with pytest.raises(OSError, match="Landlock: "):
        landlock.restrict([])
