"""The hostile submissions once more, as an ordinary user, where the tests run as root."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.execution import sandbox

ROOT = Path(__file__).parents[1]


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "option", [(), ("--without-bubblewrap",)], ids=["with bubblewrap", "without"]
)
def test_all_attacks_are_held_for_an_ordinary_user(tmp_path_factory, option, capsys):
    if not sandbox.is_root():
        pytest.skip("the tests run as an ordinary user already")
    user = sandbox.template_user()
    if user is None:
        pytest.skip(f"{sys.executable} cannot be run by another user")
    done = subprocess.run(
        [sys.executable, "-m", "harness", "redteam", *option],
        cwd=ROOT,
        user=user,
        group=user,
        extra_groups=[],
        env={"PATH": "/usr/bin:/bin", "HOME": "/tmp", "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    with capsys.disabled():
        counted, walls = done.stdout.splitlines()[-1:], done.stdout.splitlines()[:1]
        sys.stderr.write(f"\n{counted} ({walls}; as user {user})\n")
    assert done.returncode == 0, done.stdout + done.stderr
    assert ("bubblewrap" in done.stdout.splitlines()[0]) is not bool(option)
