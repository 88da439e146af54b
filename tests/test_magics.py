"""Lines that are IPython's are left out of cells, in one pass."""

from __future__ import annotations

import ast
import json
import warnings

import budgets
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.magics import drop_magics
from harness.opened import prepare
from harness.submission import Submission


def test_a_string_that_python_only_warns_of_keeps_its_lines():
    text = 'pattern = """\n%d \\d\n"""'  # \d is a warning, and an error where warnings are
    assert drop_magics(text) == (text, [])


@pytest.mark.parametrize("text", ["-" * 100_000 + "1", "1" + "+1" * 100_000, "lambda:" * 9_000])
def test_code_nested_too_deep_to_read_is_left_to_the_child(text):
    assert drop_magics(text) == (text, [])


@pytest.mark.parametrize(
    ("text", "code", "dropped"),
    [
        ("%time x = f()\ny = 2", "pass\ny = 2", ["%time x = f()"]),
        ("%%time\nx = 1", "\nx = 1", ["%%time"]),
        ("%%bash\nrm -rf /", "", ["%%bash"]),
        ("if a:\n    !ls\nb = 1", "if a:\n    pass\nb = 1", ["!ls"]),
        ("files = !ls\nx?", "pass\npass", ["files = !ls", "x?"]),
        ('s = """\n!not a command\n"""', 's = """\n!not a command\n"""', []),
        ("a = b != c", "a = b != c", []),
        # Python that looks like it, in a cell that has some.
        ('%cd x\na = ("%s"\n  % b)', 'pass\na = ("%s"\n  % b)', ["%cd x"]),
        ('s = """\n%d\n!\n"""\nx?', 's = """\n%d\n!\n"""\npass', ["x?"]),
        ("a = 1 \\\n  % 2\n!ls", "a = 1 \\\n  % 2\npass", ["!ls"]),
        # A command that goes on in the next line.
        ("!pip install a \\\n    b\nx = 1", "pass\n\nx = 1", ["!pip install a \\"]),
        ("!echo it's \\\n  (\nx = 1", "pass\n\nx = 1", ["!echo it's \\"]),
        ('%cd (\n!echo """\nx = 1', "pass\npass\nx = 1", ["%cd (", '!echo """']),
        # The student's own mistake is left for Python to tell.
        ("%cd x\nx = = 1\n!ls", "pass\nx = = 1\npass", ["%cd x", "!ls"]),
        ("x = 5 %3", "x = 5 %3", []),
    ],
)
def test_magics_are_blanked_where_they_are_not_python(text, code, dropped):
    assert drop_magics(text) == (code, dropped)


def test_a_cell_of_nothing_but_magics_is_blanked_whole():
    assert drop_magics("!ls\n" * 300) == ("pass\n" * 300, ["!ls"] * 300)


_PIECES = ["'", '"', "'''", '"""', "\\", "\n", "\r", "\r\n", "%", "!", "?", "#", "=", "f", "rb"]
_PIECES += ["x", "(", ")", "{", "}", "[", "]", ":", " ", "0", "%d", "!r", "if", "\n%x", "\n!x"]


def is_python(text: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(text)
        except (SyntaxError, ValueError):
            return False
    return True


@given(st.text() | st.lists(st.sampled_from(_PIECES)).map("".join))
@example("#\r'''\n!x\n'''")
@example("x['= !'] = 3")
@example("0if'{'else'''\n%x'''")
@example("rf'\\{0}\\\n!x'")
@example("x = f'{0:>{1}}' \\\r\n% 2")
@example("f'{{' \\\n% 2")
def test_dropping_magics_never_fails_and_leaves_python_alone(text):
    code, dropped = drop_magics(text)
    assert code.count("\n") == text.count("\n") or dropped[0].startswith("%%")
    if is_python(text):
        assert (code, dropped) == (text, [])


@pytest.mark.parametrize(
    "text",
    [
        # Strings in fields of formatted strings, as Python 3.12 and later read them (PEP 701).
        'x = f"{a\n%b}"',
        "x = f'''{ '''\n%y\n''' }\n!z'''",
        'x = f"{d["a"]:>{"1"}}" \\\n  % 2',
        "x = f'''{a:'>10}\n!b'''",
    ],
)
def test_lines_in_formatted_strings_are_strings_or_expressions(text):
    assert drop_magics(f"{text}\n%cd y") == (f"{text}\npass", ["%cd y"])


@pytest.mark.parametrize(
    "line",
    [
        *("x = %time f()", "a.b = !ls", "a, *b = !ls", "a[0] = %pwd", "!!ls", "%timeit f(x)"),
        *("np.*load*?", "f??", "?f"),
    ],
)
def test_each_form_of_a_magic_is_known(line):
    assert drop_magics(f"y = 1\n{line}\nz = 2") == ("y = 1\npass\nz = 2", [line])


@pytest.mark.parametrize(
    "text",
    [
        "x = don't",  # a string ends with its line at the latest
        "x = 'a\\\n!b'",
        "x = )",
        "x = f'{a)}'",
        "x = 1 # (",
        "x = 1 # \\",
    ],
)
def test_commands_after_what_looks_unfinished_are_found(text):
    assert drop_magics(f"{text}\n!ls") == (f"{text}\npass", ["!ls"])


@pytest.mark.parametrize(
    "piece",
    [
        *(
            "%pip a\n",
            "x = 1\n",
            "x = '",
            '"""',
            "f'{",
            "(",
            "{:",
            "f'{a:",
            "\\\n",
            "!a\\\n",
            "a=",
            "a?",
        ),
        *("#!", " ", "f", "a,", "\r"),
    ],
)
def test_cells_are_read_in_proportion_to_their_length(piece):
    assert budgets.growth(drop_magics, lambda n: "!\n" + piece * n + "!", 20_000) < 3


def test_a_notebook_of_commands_is_prepared_at_once_and_keeps_its_functions(tmp_path):
    cells = ["def f():\n    return 1\n", "x=1\n" * 8000 + "%pip a\n" * 20_000]
    made = [{"cell_type": "code", "source": cell, "outputs": [], "metadata": {}} for cell in cells]
    path = tmp_path / "submission.ipynb"
    path.write_text(json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}))
    found = []

    def work():
        found.append(prepare(Submission("a", path), tmp_path / f"run{len(found)}"))

    assert budgets.seconds(work) < budgets.SECONDS
    assert budgets.megabytes(work) < budgets.MEGABYTES
    [source, again] = found
    assert source == again
    assert source.files == ("cell_001.py", "cell_002.py")
    assert source.notes[0] == "cell 2: left out '%pip a', which is not Python"
    assert source.notes[-1] == "and 19980 more lines that are not Python"
    written = (tmp_path / "run0" / "cell_002.py").read_text()
    assert written == "x=1\n" * 8000 + "pass\n" * 20_000 + "\n"
