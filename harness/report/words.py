"""Plain words for what grades say in codes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from harness.language import gettext as _
from harness.language import marked
from harness.techniques import TECHNIQUES

_OUTCOMES = {
    "passed": marked("passed"),
    "failed": marked("failed"),
    "not_judged": marked("not judged"),
}
_RUNS = {
    "completed": marked("Your code ran to the end."),
    "failed_to_load": marked(
        "Your file could not be loaded, so none of its functions could be called."
    ),
    "crashed": marked("Your code ended the process it ran in."),
    "timed_out": marked("Your code took longer than allowed."),
    "out_of_memory": marked("Your code needed more memory than allowed."),
    "over_limit": marked("Your code used more than the lab allows."),
    "refused": marked("Something your code returned could not be taken over."),
    "not_run": marked(
        "Your code was not run. This is not your fault, and your instructor sees it too."
    ),
}


def outcome_word(outcome: str) -> str:
    """An outcome for people."""
    return _(_OUTCOMES[outcome]) if outcome in _OUTCOMES else outcome


_STATES = {
    "completed": marked("completed"),
    "failed_to_load": marked("failed to load"),
    "crashed": marked("crashed"),
    "timed_out": marked("timed out"),
    "out_of_memory": marked("out of memory"),
    "over_limit": marked("over a limit"),
    "refused": marked("refused"),
    "not_run": marked("not run"),
}


def state_word(status: str) -> str:
    """How a run ended, in a word or two."""
    return _(_STATES[status]) if status in _STATES else words(status).lower()


def run_sentence(run: Mapping[str, Any]) -> str:
    """How the run ended, in a sentence."""
    status = run["status"]
    return _(_RUNS[status]) if status in _RUNS else words(status) + "."


_KINDS = {
    "input": marked("The method looks right; what it is applied to does not."),
    "presentation": marked("The result looks right; the form in which it is returned does not."),
}


def kind_sentence(kind: str) -> str:
    """What a diagnosis says about the rest of the work; nothing where the method is wrong."""
    return _(_KINDS[kind]) if kind in _KINDS else ""


def technique_title(name: str) -> str:
    """The name of a technique for people."""
    return _(TECHNIQUES[name].title) if name in TECHNIQUES else words(name)


def words(name: str) -> str:
    """An identifier as words: `tv_weight` → `TV weight`."""
    text = re.sub(r"\b(tv|iou)\b", lambda found: found[0].upper(), re.sub("[_-]+", " ", name))
    return (text[:1].upper() + text[1:]).replace("IOU", "IoU")


# Names of measures, as tables of numbers have them.
_MEASURES = {
    "predictions_agreeing": marked("predictions agreeing"),
    "largest_difference": marked("largest difference"),
    "layers_agreeing": marked("layers agreeing"),
    "layers": marked("layers"),
    "classes_agreeing": marked("classes agreeing"),
    "classes": marked("classes"),
    "pixels_agreeing": marked("pixels agreeing"),
    "pixels_judged": marked("pixels judged"),
    "relative_score": marked("relative score"),
    "score": marked("score"),
    "reference_score": marked("expected score"),
    "resemblance": marked("resemblance to the data"),
    "variation": marked("variation"),
    "falling": marked("falling"),
    "roughness_left": marked("roughness left"),
    "iou": marked("IoU"),
    "soft_iou": marked("soft IoU"),
    "similarity": marked("SSIM"),
    "rank": marked("rank correlation"),
    "correlation": marked("correlation"),
}


def measure_name(name: str) -> str:
    """The name of a measure for people."""
    return _(_MEASURES[name]) if name in _MEASURES else words(name)
