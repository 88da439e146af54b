"""The files that students start from: a script, a notebook, a page for written answers.

They run as they are: every function stops with NotImplementedError, and fails its own cases only.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from typing import Any

from harness.kit.examples import Example, examples
from harness.lab import Lab
from harness.language import gettext as _
from harness.starters import signed_notebook, signed_script

_IMPORTS = """\
import keras
import numpy as np
import tensorflow as tf

from harness.student import load_dataset, load_image, load_model
"""


def script(lab: Lab) -> str:
    """`submission.py`: the functions that the lab asks for, to be filled in."""
    top = textwrap.fill(_introduction(), 78)
    parts = [f'"""{lab.title}\n\n{top}\n"""\n\n{_IMPORTS}']
    parts += [f"\n\n{_function(example)}" for example in examples(lab)]
    tries = "".join(f"    # {line}\n" for example in examples(lab) for line in _try(example))
    parts.append(f'\n\nif __name__ == "__main__":\n{tries}    pass\n')
    return signed_script("".join(parts))


def notebook(lab: Lab) -> str:
    """`submission.ipynb`: the same in cells, and a heading for each written question."""
    cells = [_markdown(f"# {lab.title}\n\n{_introduction()}"), _code(_IMPORTS)]
    for example in examples(lab):
        cells.append(_markdown(f"## `{example.function}`\n\n{_sentence(example.returns)}"))
        cells.append(_code(_function(example)))
        cells.append(_code("".join(f"# {line}\n" for line in _try(example))))
    for heading in _headings(lab):
        cells.append(_markdown(heading))
    for number, cell in enumerate(cells, start=1):
        cell["id"] = f"cell-{number:02}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    about = {"kernelspec": kernel, "language_info": {"name": "python"}}
    made = {"cells": cells, "metadata": about, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(signed_notebook(made), indent=1, ensure_ascii=False) + "\n"


def answers(lab: Lab) -> str:
    """`answers.md`: a heading for each written question."""
    return "\n\n".join([f"# {lab.title}", *_headings(lab)]) + "\n"


def _introduction() -> str:
    return _(
        "Fill in the functions; handout.html says what each returns. Check your work with "
        "`harness check` as often as you like. More functions, files and imports of your own are "
        "fine; what you print costs nothing."
    )


def _function(example: Example) -> str:
    """A function that says what it returns, and does nothing yet."""
    head, _arrow, kind = example.signature.partition(" -> ")
    text = textwrap.fill(_sentence(example.returns), 74, break_long_words=False)
    body = textwrap.indent(
        f'"""{text}\n"""\nraise NotImplementedError("{example.function}")\n', "    "
    )
    return f"def {head} -> {kind}:\n{body}"


def _try(example: Example) -> Iterator[str]:
    """Lines that call a function, for a student to take the comments from."""
    yield from example.before
    yield f"print({example.call})"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _headings(lab: Lab) -> list[str]:
    return [f"## {question.title}" for question in lab.questions]


def _markdown(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": "", "metadata": {}, "source": text}


def _code(text: str) -> dict[str, Any]:
    about: dict[str, Any] = {"execution_count": None, "outputs": []}
    return {"cell_type": "code", "id": "", "metadata": {}, **about, "source": text.rstrip("\n")}
