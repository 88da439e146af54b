"""The files that have a student's repository checked at each push.

Sources of the rules: GitHub's workflow syntax, GitLab's CI/CD YAML syntax reference, and the README
of `classroom-resources/autograding-grading-reporter`: the workflow's name and the job's are those
that Classroom looks for, and its step reads `<STEP-ID>_RESULTS`.
"""

from __future__ import annotations

import re

from harness.errors import UsageError, suggest

KINDS = ("github", "github-classroom", "gitlab")
DEFAULT_PYTHON = "3.12"
MINUTES = 30

# Commits, because a tag can be moved; in the comment, the tag that each had.
_CHECKOUT = "actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0"
_PYTHON = "actions/setup-python@e797f83bcb11b83ae66e0230d6156d7c80228e7c # v6.0.0"
_ARTIFACT = "actions/upload-artifact@b7c566a772e6b6bfb58ed0dc250532a479d7789f # v6.0.0"

_GITHUB = f"""\
# Made by harness kit: checks this repository at each push.
# Leave it as it is: changing it changes what you see here, never your grade.
name: @NAME@

on:
  push:
  workflow_dispatch:

permissions:
@PERMISSIONS@

concurrency:
  group: ${{{{ github.workflow }}}}-${{{{ github.ref }}}}
  cancel-in-progress: true

jobs:
  @JOB@:
    runs-on: ubuntu-24.04
    timeout-minutes: {MINUTES}
    if: github.actor != 'github-classroom[bot]'
    steps:
      - name: Get the files
        uses: {_CHECKOUT}
        with:
          persist-credentials: false
      - name: Set up Python
        uses: {_PYTHON}
        with:
          python-version: "@PYTHON@"
          cache: pip
          cache-dependency-path: requirements.txt
      - name: Install
        run: python -m pip install --requirement requirements.txt
      - name: Check
        id: check
        run: harness check . --ci github
      - name: Keep the report
        if: always()
        uses: {_ARTIFACT}
        with:
          name: report
          path: |
            reports/junit.xml
            reports/summary.md
            reports/*/report.html
          if-no-files-found: ignore
"""
_REPORTER = """\
      - name: Report to GitHub Classroom
        if: always() && steps.check.outputs.result != ''
        uses: classroom-resources/autograding-grading-reporter@v1
        env:
          CHECK_RESULTS: ${{ steps.check.outputs.result }}
        with:
          runners: check
"""
_GITLAB = f"""\
# Made by harness kit: checks this repository at each push.
# Leave it as it is: changing it changes what you see here, never your grade.
check:
  image: python:@PYTHON@-slim
  timeout: {MINUTES} minutes
  interruptible: true
  variables:
    PIP_CACHE_DIR: $CI_PROJECT_DIR/.cache/pip
  cache:
    key:
      files:
        - requirements.txt
    paths:
      - .cache/pip
  script:
    - python -m pip install --requirement requirements.txt
    - harness check . --ci gitlab
  artifacts:
    when: always
    expire_in: 3 months
    paths:
      - reports/junit.xml
      - reports/summary.md
      - reports/*/report.html
    reports:
      junit: reports/junit.xml
      codequality: reports/gl-code-quality-report.json
"""


def workflow(kind: str, python: str = DEFAULT_PYTHON) -> tuple[str, str]:
    """The path in the repository, and the text, of the file that checks each push.

    Args:
        kind: `github`, `github-classroom` (the same, and GitHub Classroom is told the points), or
            `gitlab`.
        python: the version that the kit was made with, such as `3.12`.

    Raises:
        UsageError: there is no such kind, or that is no version.
    """
    if not re.fullmatch(r"3\.\d{1,2}(\.\d{1,2})?", python):
        raise UsageError(f"found {python!r} as a version of Python; expected one such as 3.12")
    if kind == "gitlab":
        return ".gitlab-ci.yml", _GITLAB.replace("@PYTHON@", python)
    if kind == "github":
        return ".github/workflows/check.yml", _github("Check", "check", python)
    if kind == "github-classroom":
        text = _github("Autograding Tests", "run-autograding-tests", python, actions=True)
        return ".github/workflows/classroom.yml", text + _REPORTER
    raise UsageError(f"no workflow for {kind!r}; {suggest(kind, KINDS)}")


def _github(name: str, job: str, python: str, *, actions: bool = False) -> str:
    permissions = ["contents: read", *["actions: read"] * actions]
    filled = {
        "@NAME@": name,
        "@JOB@": job,
        "@PYTHON@": python,
        "@PERMISSIONS@": "\n".join(f"  {one}" for one in permissions),
    }
    text = _GITHUB
    for place, value in filled.items():
        text = text.replace(place, value)
    return text
