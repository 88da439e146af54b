"""The hostile submissions, against the walls of this host; each expected to be held."""

from __future__ import annotations

import dataclasses
import re
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.attacks import Attack, read_attacks
from harness.errors import LabError
from harness.execution import sandbox
from harness.execution.sandbox import Sandbox, choose
from harness.grading import open_lab
from harness.redteam import RedTeam, _Taken, held, small

ROOT = Path(__file__).parents[1]
ATTACKS = ROOT / "tests" / "attacks"


@pytest.fixture(scope="module")
def lab():
    return open_lab(ROOT / "fixtures" / "lab.yaml")


@pytest.mark.tensorflow
@pytest.mark.parametrize("bubblewrap", [True, False], ids=["with bubblewrap", "without"])
def test_all_attacks_are_held(lab, bubblewrap, capsys):
    walls = choose(bubblewrap=bubblewrap)
    if bubblewrap and walls.bubblewrap is None:
        pytest.skip("bubblewrap is not installed here, or may not be used")
    with RedTeam(lab, ATTACKS, walls) as team:
        results = team.run(lambda result: None)
    with capsys.disabled():
        who = "root" if sandbox.is_root() else "an ordinary user"
        sys.stderr.write(f"\n{held(results)} ({walls}; as {who})\n")
    assert {r.attack.name: r.problems for r in results if r.problems} == {}
    assert len(results) >= 45


@pytest.mark.tensorflow
def test_without_walls_the_same_attacks_get_through(lab, tmp_path):
    """An attack that gets nothing anywhere would prove nothing."""
    with RedTeam(lab, ATTACKS, Sandbox()) as team:
        harmless = ("reads_system_files", "reads_golden", "uses_the_network")
        harmless += ("reads_processes", "links_out_of_its_folder", "reads_other_students")
        harmless += ("marks_shared_files", "reads_the_hosts_mounts", "floods_kernel_memory")
        for attack in team.attacks:
            if attack.name in harmless:
                problems = team.one(attack).problems
                assert any(text.startswith("got ") for text in problems), attack.name


@pytest.mark.tensorflow
def test_a_red_team_finds_what_is_wrong(lab, tmp_path):
    """Attacks that expect something else than what comes are failures, each said."""
    for name, text in {
        "liar": '"""\nattack: none at all\nverdict: full\nsays: nonsense\n"""\n'
        "def top_predictions(*a): return []\n",
        "honest_work": '"""\nattack: none at all\nverdict: none\n"""\nfrom honest import *\n',
        "shown": '"""\nattack: markup\nverdict: none\nreport: true\n"""\nprint("got it")\n',
        "told": '"""\nattack: none\nverdict: judged\nhidden: true\ntold_mb: 1\n"""\n'
        "from honest import *\n",
    }.items():
        (tmp_path / f"{name}.py").write_text(text)
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "attack.yaml").write_text(
        "attack: an archive\nverdict: full\nmade_by: make.py\nhand_in: s.zip\n"
        "seconds: 0.0001\npeak_mb: -1\n"
    )
    (tmp_path / "archive" / "make.py").write_text(
        "import pathlib, sys, zipfile\n"
        "with zipfile.ZipFile(pathlib.Path(sys.argv[1], 's.zip'), 'w') as archive:\n"
        "    archive.writestr('submission.py', 'def top_predictions(*a): return []')\n"
    )
    (tmp_path / "stored").mkdir()
    (tmp_path / "stored" / "attack.yaml").write_text(
        "attack: a file\nverdict: none\nhand_in: s.py\n"
    )
    (tmp_path / "stored" / "s.py").write_text((ATTACKS / "honest.py").read_text())
    for name in ("first", "second"):
        (tmp_path / "two" / name).mkdir(parents=True)
        (tmp_path / "two" / name / "submission.py").write_text(f"print('got {name}')")
    (tmp_path / "two" / "attack.yaml").write_text(
        "attack: two\nverdict: none\nhidden: true\nsubmissions: first, second\n"
    )
    (tmp_path / "honest.py").write_text((ATTACKS / "honest.py").read_text())
    with RedTeam(lab, tmp_path, choose()) as team:
        results = {r.attack.name: "\n".join(r.problems) for r in team.run(lambda result: None)}
        assert held(()) == "attacks held: 0 of 0"
        # An image that is kept from the page by nobody.
        page = next(attack for attack in team.attacks if attack.name == "shown")
        graded = team._grader.grade(team._submission("again", page.path))
        assert team._report_problems(graded) == []
        page = dataclasses.replace(graded.assessed, report=b"<img src=x onerror=alert(1)>")
        shown = dataclasses.replace(graded, assessed=page)
        assert "holds '<img src=x'" in team._report_problems(shown)[0]
        (tmp_path / "honest.py").write_text("def top_predictions(*a): return []\n")
        team._honest = team._submission("not-honest", tmp_path / "honest.py")
        with pytest.raises(LabError, match="attacks prove nothing"):
            team.run(lambda result: None)
    assert "lost points" in results["liar"]
    assert "expected the grade to say 'nonsense'" in results["liar"]
    assert "got 9 points" in results["honest_work"]
    assert results["shown"] == "got it"
    assert "lost points" in results["archive"]
    assert "s of processor time; expected at most 0.0001" in results["archive"]
    assert "MB of memory; expected at most -1" in results["archive"]
    assert results["stored"] == "got 9 points"
    assert results["two"] == "got first\ngot second"
    assert re.fullmatch(r"its report tells \d+ MB; at most 1 expected", results["told"])


def test_what_grading_takes_of_ours_is_measured():
    attack = Attack("a", Path("a"), "a", "judged", seconds=30, peak_mb=500)
    with _Taken(SimpleNamespace(pid=None)) as taken:
        held = bytearray(b"x") * (200 * 2**20)
        del held
        started = time.process_time()
        while time.process_time() < started + 0.3:
            pass
    assert taken.problems(attack) == []
    assert 0.2 <= taken.seconds < 20
    assert 150 < taken.peak_mb < 400
    strict = dataclasses.replace(attack, seconds=0.1, peak_mb=100)
    assert len(taken.problems(strict)) == 2
    assert taken.problems(dataclasses.replace(attack, seconds=None, peak_mb=None)) == []


def test_there_are_attacks_of_every_kind():
    attacks = {attack.name: attack for attack in read_attacks(ATTACKS)}
    assert len(attacks) >= 45
    assert attacks["crashes"] == Attack(
        "crashes", ATTACKS / "crashes.py", "crashes in native code", "none", "SIGSEGV"
    )
    assert attacks["files_beside"].path.is_dir()
    assert sum(attack.full for attack in attacks.values()) >= 20
    assert "honest" not in attacks
    assert attacks["carries_hidden_cases_out"].submissions == ("a-writer", "b-reader")
    assert attacks["tells_a_hidden_case_by_memory"].told_mb == 1000
    assert attacks["loops_in_python"].endless


@pytest.mark.parametrize(
    "gone",
    [
        "harness.nothing",
        "harness.outputs:CaseStatus.NOTHING",
        "harness.execution.wire:MAGIC=XGH0",
        "fixtures/nothing.yaml",
    ],
)
def test_an_attack_on_what_is_not_there_any_more_is_an_error(tmp_path, gone):
    folder = tmp_path / "tests" / "attacks"
    (tmp_path / "fixtures").mkdir()
    (tmp_path / "fixtures" / "lab.yaml").touch()
    folder.mkdir(parents=True)
    (folder / "honest.py").touch()
    there = "harness.execution.wire:MAGIC=XGH1, fixtures/lab.yaml, harness.outputs"
    header = '"""\nattack: a\nverdict: full\ntargets: {}\n"""\n'
    (folder / "a.py").write_text(header.format(there))
    assert read_attacks(folder)[0].targets[1] == "fixtures/lab.yaml"
    (folder / "a.py").write_text(header.format(f"{there}, {gone}"))
    with pytest.raises(LabError, match=f"a.py: it looks for {re.escape(gone)}, which is not there"):
        read_attacks(folder)


def test_what_attacks_name_of_ours_is_among_their_targets():
    for attack in read_attacks(ATTACKS):
        files = attack.path.rglob("*.py") if attack.path.is_dir() else [attack.path]
        text = "\n".join(file.read_text() for file in files).replace(", ".join(attack.targets), "")
        named = set(re.findall(r"\bharness(?:\.[a-z_]+)+", text)) - {"harness.student"}
        known = {target.partition(":")[0] for target in attack.targets}
        assert named <= known, attack.name
        assert ('"XGH1' in text) <= ("harness.execution.wire" in known), attack.name


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("x = 1\n", "none"),
        ('"""\nattack: a\n"""\n', "attack: a"),
        ('"""\nattack: a\nverdict: perhaps\n"""\n', "verdict: perhaps"),
        ('"""\nattack: a\nverdict: full\nother: b\n"""\n', "other: b"),
        ('"""\nverdict: full\n"""\n', "verdict: full"),
        ('"""\nattack: a\nverdict: full\nseconds: many\n"""\n', "seconds: many"),
    ],
)
def test_a_header_that_is_not_one_is_said(tmp_path, text, found):
    (tmp_path / "honest.py").touch()
    (tmp_path / "a.py").write_text(text)
    with pytest.raises(
        LabError, match=f"expected a header with attack and verdict.*found .*{found}"
    ):
        read_attacks(tmp_path)


def test_a_folder_without_attacks_is_an_error(tmp_path):
    with pytest.raises(LabError, match=r"expected attacks, each a \.py file, and honest\.py"):
        read_attacks(tmp_path)


def test_a_lab_without_the_functions_that_attacks_define_is_an_error(lab):
    hidden = tuple(dataclasses.replace(case, hidden=True) for case in lab.cases)
    with pytest.raises(LabError, match="no public case of top_predictions"):
        small(dataclasses.replace(lab, cases=hidden))
