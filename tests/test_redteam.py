"""The hostile submissions, against the walls of this host; each expected to be held."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import pytest

from harness.errors import LabError
from harness.execution import sandbox
from harness.execution.sandbox import Sandbox, choose
from harness.grading import open_lab
from harness.redteam import Attack, RedTeam, held, read_attacks, small

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
    }.items():
        (tmp_path / f"{name}.py").write_text(text)
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


def test_there_are_attacks_of_every_kind():
    attacks = {attack.name: attack for attack in read_attacks(ATTACKS)}
    assert len(attacks) >= 45
    assert attacks["crashes"] == Attack(
        "crashes", ATTACKS / "crashes.py", "crashes in native code", False, "SIGSEGV"
    )
    assert attacks["files_beside"].path.is_dir()
    assert sum(attack.full for attack in attacks.values()) >= 20
    assert "honest" not in attacks


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("x = 1\n", "none"),
        ('"""\nattack: a\n"""\n', "attack: a"),
        ('"""\nattack: a\nverdict: perhaps\n"""\n', "verdict: perhaps"),
        ('"""\nattack: a\nverdict: full\nother: b\n"""\n', "other: b"),
    ],
)
def test_a_header_that_is_not_one_is_said(tmp_path, text, found):
    (tmp_path / "honest.py").touch()
    (tmp_path / "a.py").write_text(text)
    with pytest.raises(LabError, match=f"expected a header with attack, verdict.*{found}"):
        read_attacks(tmp_path)


def test_a_folder_without_attacks_is_an_error(tmp_path):
    with pytest.raises(LabError, match=r"expected attacks, each a \.py file, and honest\.py"):
        read_attacks(tmp_path)


def test_a_lab_without_the_functions_that_attacks_define_is_an_error(lab):
    hidden = tuple(dataclasses.replace(case, hidden=True) for case in lab.cases)
    with pytest.raises(LabError, match="no public case of top_predictions"):
        small(dataclasses.replace(lab, cases=hidden))
