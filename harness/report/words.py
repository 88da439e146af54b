"""Plain English for what grades say in codes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from harness.techniques import TECHNIQUES

_OUTCOMES = {"passed": "passed", "failed": "failed", "not_judged": "not judged"}
_RUNS = {
    "completed": "Your code ran to the end.",
    "failed_to_load": "Your file could not be loaded, so none of its functions could be called.",
    "crashed": "Your code ended the process it ran in.",
    "timed_out": "Your code took longer than allowed.",
    "out_of_memory": "Your code needed more memory than allowed.",
    "over_limit": "Your code used more than the lab allows.",
    "refused": "Something your code returned could not be taken over.",
    "not_run": "Your code was not run. This is not your fault, and your instructor sees it too.",
}


def outcome_word(outcome: str) -> str:
    """An outcome for people."""
    return _OUTCOMES.get(outcome, outcome)


def run_sentence(run: Mapping[str, Any]) -> str:
    """How the run ended, in a sentence."""
    return _RUNS.get(run["status"], words(run["status"]) + ".")


_KINDS = {
    "input": "The method looks right; what it is applied to does not.",
    "presentation": "The result looks right; the form in which it is returned does not.",
}


def kind_sentence(kind: str) -> str:
    """What a diagnosis says about the rest of the work; nothing where the method is wrong."""
    return _KINDS.get(kind, "")


def technique_title(name: str) -> str:
    """The name of a technique for people."""
    return TECHNIQUES[name].title if name in TECHNIQUES else words(name)


def words(name: str) -> str:
    """An identifier as words: `tv_weight` → `TV weight`."""
    text = re.sub(r"\b(tv|iou)\b", lambda found: found[0].upper(), re.sub("[_-]+", " ", name))
    return (text[:1].upper() + text[1:]).replace("IOU", "IoU")
