"""The workflow files: held against rules, and their own commands run in a student's repository."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from importlib import resources
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
import yaml
from github_runner import commands

from harness import golden
from harness.courseci.squares import LEVELS
from harness.courseci.workflows import KINDS, workflow
from harness.errors import UsageError
from harness.execution.runner import Runner
from harness.grading import open_lab
from harness.techniques import CONTRACT

ROOT = Path(__file__).parents[1]
GITHUB = [kind for kind in KINDS if kind.startswith("github")]


def read(kind, python="3.12"):
    """The workflow as data; YAML 1.1 takes the key `on` for a truth value, GitHub does not."""
    document = yaml.safe_load(workflow(kind, python)[1])
    return {("on" if key is True else key): value for key, value in document.items()}


def job_of(kind):
    [job] = read(kind)["jobs"].values()
    return job


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("github", ".github/workflows/check.yml"),
        ("github-classroom", ".github/workflows/classroom.yml"),
        ("gitlab", ".gitlab-ci.yml"),
    ],
)
def test_each_file_has_its_place_and_the_version_of_python(kind, path):
    where, text = workflow(kind, "3.11")
    assert where == path
    assert "3.11" in text
    assert "3.12" not in text
    assert "@PYTHON@" not in text.replace("actions/setup-python@", "")
    assert not re.search(r"@[A-Z]+@", text)
    assert workflow(kind) == workflow(kind, "3.12")


def test_an_unknown_kind_or_version_is_a_usage_error():
    with pytest.raises(UsageError, match="no workflow for 'gitlub'; did you mean 'gitlab'"):
        workflow("gitlub")
    for version in ("3", "3.12\nevil: 1", "latest", ""):
        with pytest.raises(UsageError, match="as a version of Python"):
            workflow("github", version)


@pytest.mark.parametrize(
    ("kind", "name"), [("github", "github-workflows"), ("gitlab", "gitlab-ci")]
)
def test_the_files_fit_the_schemas_that_editors_use(kind, name):
    """Those of SchemaStore, as the package check-jsonschema brings them along."""
    pytest.importorskip("check_jsonschema")
    folder = resources.files("check_jsonschema") / "builtin_schemas" / "vendor"
    schema = json.loads((folder / f"{name}.json").read_text("utf-8"))
    validator = jsonschema.validators.validator_for(schema)(schema)
    for one in KINDS:
        if one.startswith(kind):
            validator.validate(read(one))
    with pytest.raises(jsonschema.ValidationError):
        validator.validate({**read(kind), "check": 3, "jobs": 3})


@pytest.mark.parametrize("kind", GITHUB)
def test_a_workflow_may_only_read_and_ends_in_time(kind):
    document, job = read(kind), job_of(kind)
    assert set(document["permissions"].values()) == {"read"}
    assert document["permissions"]["contents"] == "read"
    assert "permissions" not in job
    assert document["concurrency"]["cancel-in-progress"] is True
    assert 0 < job["timeout-minutes"] <= 60
    assert "push" in document["on"]
    # It runs what a stranger may have written: never with the rights of the base repository.
    assert "pull_request_target" not in document["on"]
    checkout = job["steps"][0]
    assert checkout["with"]["persist-credentials"] is False


@pytest.mark.parametrize("kind", GITHUB)
def test_actions_are_pinned_to_commits(kind):
    used = re.findall(r"uses: (\S+)@(\S+)(.*)", workflow(kind)[1])
    pinned = {name for name, at, _ in used if re.fullmatch("[0-9a-f]{40}", at)}
    assert {"actions/checkout", "actions/setup-python", "actions/upload-artifact"} == pinned
    assert all(re.search(r"# v\d", rest) for name, at, rest in used if name in pinned)
    assert {name for name, _, _ in used} - pinned <= {
        "classroom-resources/autograding-grading-reporter"
    }


@pytest.mark.parametrize("kind", GITHUB)
def test_no_expression_is_put_into_a_command(kind):
    """What stands in `${{ }}` may be chosen by a student, and would be run."""
    for step in job_of(kind)["steps"]:
        assert "${{" not in step.get("run", "")


@pytest.mark.parametrize("kind", GITHUB)
def test_the_installation_is_cached_by_the_requirements(kind):
    [step] = [step for step in job_of(kind)["steps"] if "setup-python" in step.get("uses", "")]
    assert step["with"]["cache"] == "pip"
    assert step["with"]["cache-dependency-path"] == "requirements.txt"
    assert read("gitlab")["check"]["cache"]["key"]["files"] == ["requirements.txt"]


@pytest.mark.parametrize("kind", GITHUB)
def test_report_and_junit_are_kept_whatever_the_outcome(kind):
    [step] = [step for step in job_of(kind)["steps"] if "upload-artifact" in step.get("uses", "")]
    assert step["if"] == "always()"
    assert "reports/junit.xml" in step["with"]["path"]
    assert "reports/*/report.html" in step["with"]["path"]
    kept = read("gitlab")["check"]["artifacts"]
    assert kept["when"] == "always"
    assert kept["reports"] == {
        "junit": "reports/junit.xml",
        "codequality": "reports/gl-code-quality-report.json",
    }


def test_classroom_finds_the_names_that_it_looks_for():
    document = read("github-classroom")
    assert document["name"] == "Autograding Tests"
    assert list(document["jobs"]) == ["run-autograding-tests"]
    steps = job_of("github-classroom")["steps"]
    reporter = steps[-1]
    runner = reporter["with"]["runners"]
    assert re.fullmatch("([a-zA-Z0-9]+,)*[a-zA-Z0-9]+", runner)
    assert runner in [step.get("id") for step in steps]
    output = f"${{{{ steps.{runner}.outputs.result }}}}"
    assert reporter["env"] == {f"{runner.upper()}_RESULTS": output}
    assert reporter["if"].startswith("always()")
    assert "classroom-resources" not in workflow("github")[1]


CODE = """\
import numpy as np

print("::set-env name=PATH::evil")


def top_predictions(model, image, k=5):
    probabilities = model.predict(model.preprocess_input(image[None]), verbose=0)
    decoded = model.decode_predictions(probabilities, top=k)[0]
    return [(name, float(value)) for _, name, value in decoded]
"""
MAP = """

def class_activation_map(model, image, class_index, layer_name, modifier=None):
    return np.eye(image.shape[0])
"""


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    """What a student has got: a lab of a few cases, its golden outputs, and the list of files."""
    folder = tmp_path_factory.mktemp("kit")
    lab_folder = folder / "fixtures"
    for part in ("models", "images", "datasets"):
        shutil.copytree(ROOT / "fixtures" / part, lab_folder / part)
    data = yaml.safe_load((ROOT / "fixtures" / "lab.yaml").read_text())
    data["cases"] = {
        name: data["cases"][name][:1] for name in ("top_predictions", "class_activation_map")
    }
    wanted = ("top_predictions.agreement", "class_activation_maps.agreement")
    data["checks"] = [check for check in data["checks"] if check["metric"] in wanted]
    del data["calibration"], data["questions"]
    data |= {"reference": str(ROOT / "reference"), "golden": "golden", "pass_mark": 0.9}
    (lab_folder / "lab.yaml").write_text(yaml.safe_dump(data))
    lab = open_lab(lab_folder / "lab.yaml")
    with Runner(lab, CONTRACT) as runner:
        golden.build(lab, runner, 1)
    del data["reference"]
    (lab_folder / "lab.yaml").write_text(yaml.safe_dump(data))
    (folder / "requirements.txt").write_text("xai-grading-harness\n")
    for kind in KINDS:
        path, text = workflow(kind)
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    digests = {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
    }
    (folder / "kit.json").write_text(json.dumps({"format_version": 1, "files": digests}))
    return folder


@pytest.fixture
def repo(kit, tmp_path):
    """A student's repository, made of the kit, as it is checked out on a runner."""
    origin = tmp_path / "origin"
    shutil.copytree(kit, origin)
    (origin / "submission.py").write_text(CODE + MAP)
    git = ["git", "-c", "user.name=s", "-c", "user.email=s@example.org"]
    for command in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "my work")):
        subprocess.run([*git, *command], cwd=origin, check=True)
    subprocess.run(["git", "clone", "-q", str(origin), str(tmp_path / "repo")], check=True)
    return tmp_path / "repo"


def run_steps(commands_of_steps, repo, variables):
    """Run each as a runner does, with this environment instead of one that is installed.

    Returns:
        exit codes and what was printed; the first that fails is the last.
    """
    tools = repo.parent / "tools"
    tools.mkdir(exist_ok=True)
    installed = repo.parent / "installed"
    shims = {
        "harness": f'exec {sys.executable} -m harness "$@"\n',
        "python": f'[ "$*" = "-m pip install --requirement requirements.txt" ] || exit 9\n'
        f"cp requirements.txt {installed}\n",
    }
    for name, body in shims.items():
        (tools / name).write_text(f"#!/bin/sh\n{body}")
        (tools / name).chmod(0o755)
    environment = {
        "PATH": f"{tools}:{os.environ['PATH']}",
        "HOME": str(repo.parent),
        "PYTHONPATH": str(ROOT),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "LANG": "C.UTF-8",
        **variables,
    }
    done = []
    for text in commands_of_steps:
        script = repo.parent / "step.sh"
        script.write_text(text)
        ran = subprocess.run(
            ["bash", "-e", str(script)], cwd=repo, env=environment, capture_output=True, text=True
        )
        done.append((ran.returncode, ran.stdout + ran.stderr))
        if ran.returncode:
            break
    assert installed.read_text() == "xai-grading-harness\n"
    return done


@pytest.mark.tensorflow
def test_the_steps_for_github_do_what_they_promise(repo, tmp_path):
    lab_file = repo / "fixtures" / "lab.yaml"
    lab_file.write_text(lab_file.read_text() + "# easier\n")
    steps = job_of("github-classroom")["steps"]
    variables = {
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_WORKSPACE": str(repo),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
    }
    texts = [step["run"] for step in steps if "run" in step]
    (install, _), (code, printed) = run_steps(texts, repo, variables)
    assert (install, code) == (0, 1), printed

    said = commands(printed)
    assert [one.name for one in said] == ["error", "warning"]
    lines = (repo / "submission.py").read_text().split("\n")
    assert said[0].properties["file"] == "submission.py"
    assert lines[int(said[0].properties["line"]) - 1].startswith("def class_activation_map(")
    assert "the map agrees too little with the expected one" in said[0].data
    assert "files of the kit were changed" in said[1].properties["title"]
    assert said[1].data == "fixtures/lab.yaml: changed"
    assert "note: these files of the kit were changed: fixtures/lab.yaml (changed)" in printed

    page = (tmp_path / "summary").read_text("utf-8")
    assert page == (repo / "reports" / "summary.md").read_text("utf-8")
    assert "### What to fix first\n\nClass activation maps" in page
    assert all(square in page for square in LEVELS)
    [suite] = ElementTree.parse(repo / "reports" / "junit.xml").getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", "1", "0")
    assert (repo / "reports" / "repo" / "report.html").is_file()

    name, _, value = (tmp_path / "output").read_text().strip().partition("=")
    result = json.loads(base64.b64decode(value))
    assert name == "result"
    assert result["status"] == "fail"
    assert [test["status"] for test in result["tests"]] == ["pass", "fail"]
    grade = json.loads((repo / "reports" / "repo" / "grade.json").read_text())
    assert sum(test["score"] for test in result["tests"]) == grade["points"] > 0
    assert result["max_score"] == grade["max_points"]


@pytest.mark.tensorflow
def test_the_commands_for_gitlab_do_what_they_promise(repo):
    (repo / "submission.py").write_text(CODE)
    variables = {"CI": "true", "GITLAB_CI": "true", "CI_PROJECT_DIR": str(repo)}
    script = read("gitlab")["check"]["script"]
    (install, _), (code, printed) = run_steps(script, repo, variables)
    assert (install, code) == (0, 1), printed
    assert "::" not in printed
    [found] = json.loads((repo / "reports" / "gl-code-quality-report.json").read_text("utf-8"))
    assert found["location"] == {"path": "submission.py", "lines": {"begin": 1}}
    assert "no function 'class_activation_map' is defined" in found["description"]
    assert "found: top_predictions" in found["description"]
    [suite] = ElementTree.parse(repo / "reports" / "junit.xml").getroot()
    assert suite.get("failures") == "1"
    assert "kit" not in (repo / "reports" / "summary.md").read_text("utf-8")
