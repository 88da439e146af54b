"""What can be said of a submission before any of its code runs: files, names, imports.

The same look is taken by `harness check` at a student's desk and by grading, so that what will not
work where it is graded is known at home. Files are parsed, never imported.
"""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from harness.calls import Contract, misnamed
from harness.kitfiles import FILE, changed_files, foreign_labs
from harness.language import gettext as _
from harness.opened import Opened, Source
from harness.reading import MOST_PARSED, UnparsedError, parsed

_MOST_MISSING = 20  # packages that are told


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        well: whether it is as it should be.
        text: what was found, and what to do where it is not well.
    """

    well: bool
    text: str


@dataclass
class _Names:
    """What the files of a submission define and import at their top.

    Attributes:
        functions: by name, with all that the definition says.
        others: other names.
        imports: the top packages that are imported, outside of any `try`.
        open: whether names may come from elsewhere (`from x import *`).
    """

    functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = field(default_factory=dict)
    others: set[str] = field(default_factory=set)
    imports: dict[str, None] = field(default_factory=dict)
    open: bool = False


def look(
    opened: Opened, contract: Contract, kit: str | None = None, *, own_lab: bool = False
) -> list[Finding]:
    """Look at a submission as it will be found when it is graded; nothing of it is run.

    Args:
        opened: what is handed in.
        contract: the functions that the lab asks for, with their parameters.
        kit: SHA-256 of the `kit.json` that was given out, empty where it is not known; None to
            leave alone whether files of the kit were changed.
        own_lab: the lab that is used lies in the submission, as in a kit at home.
    """
    source, folder = opened.source, opened.folder
    found = [Finding(True, note) for note in source.notes]
    if source.problem:
        return [*found, Finding(False, source.problem)]
    with suppress(RecursionError):  # blocks nested too deep to be looked through
        found += _of_source(source, folder, contract)
    if kit is None:
        return found
    labs = () if own_lab else _of_labs(folder, kit)
    return [*found, *_of_kit(folder, kit), *labs]


def problems(findings: Iterable[Finding]) -> list[str]:
    """What is not as it should be."""
    return [finding.text for finding in findings if not finding.well]


def _of_source(source: Source, folder: Path, contract: Contract) -> Iterator[Finding]:
    names = _Names()
    broken = False
    left = MOST_PARSED
    for name in source.files:
        left -= (folder / name).stat().st_size
        if left < 0:  # too much to be read here; what it defines is seen when it is run
            names.open = True
            break
        if (problem := _read(folder / name, names)) is not None:
            broken = True
            yield Finding(False, problem)
    if broken:
        return
    shown = source.files[0] if len(source.files) == 1 else _("the notebook")
    yield Finding(True, _("{file} can be read").format(file=shown))
    for function, parameters in contract.items():
        meant = misnamed(function, names.functions, contract)
        yield _function(function, tuple(parameters), names, meant)
    own = {path.stem for path in folder.rglob("*.py")} | {
        path.name for path in folder.rglob("*") if path.is_dir()
    }
    missing = (name for name in names.imports if name not in own and not _is_there(name))
    for package in islice(missing, _MOST_MISSING):
        text = _(
            "{package} is imported, and is not installed; where you are graded there is what "
            "requirements.txt names, and nothing else"
        )
        yield Finding(False, text.format(package=package))


def _of_kit(folder: Path, kit: str) -> Iterator[Finding]:
    """Whether files of the kit that were handed in are not as they were given out."""
    if not (folder / FILE).is_file():
        return
    changed = [one.file for one in changed_files(folder, kit) if one.how != "missing"]
    if changed:
        text = _(
            "files of the kit were changed: {files}; what the check showed at home may have "
            "differed from this grade"
        )
        yield Finding(False, text.format(files=", ".join(changed[:10])))


def _of_labs(folder: Path, kit: str) -> Iterator[Finding]:
    """Labs that were handed in, which decide nothing."""
    if files := foreign_labs(folder, kit):
        text = _("a lab was handed in, {files}; it is not used: the course's own is")
        yield Finding(False, text.format(files=", ".join(files[:10])))


def _read(path: Path, names: _Names) -> str | None:
    """Take up the names of a file; why that cannot be done, if it cannot."""
    cell = re.fullmatch(r"cell_(\d+)\.py", path.name)
    where = _("cell {number}").format(number=int(cell[1])) if cell else path.name
    try:
        _take(parsed(path.read_bytes()).body, names)
    except UnparsedError:
        names.open = True
    except SyntaxError as error:
        text = _("{file}, line {line}: {error}; Python cannot read it")
        return text.format(file=where, line=error.lineno or 1, error=error.msg)
    except (ValueError, RecursionError, MemoryError) as error:
        text = _("{file}: {error}; Python cannot read it")
        return text.format(file=where, error=f"{type(error).__name__}: {error}")
    return None


def _take(body: Iterable[ast.AST], names: _Names, *, guarded: bool = False) -> None:
    """Take up what statements define; `guarded` ones may never be run, or fail without harm."""
    for node in body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                names.functions[node.name] = node
            case ast.ClassDef(name=name):
                names.others.add(name)
            case ast.Import() | ast.ImportFrom():
                _take_import(node, names, guarded)
            case ast.Try() | ast.If() | ast.For() | ast.While() | ast.With() | ast.ExceptHandler():
                parts = [*ast.iter_child_nodes(node)]
                inner = [part for part in parts if isinstance(part, (ast.stmt, ast.ExceptHandler))]
                _take(inner, names, guarded=guarded or not isinstance(node, ast.With))
            case _:
                used = (one for one in ast.walk(node) if isinstance(one, ast.Name))
                names.others |= {one.id for one in used if isinstance(one.ctx, ast.Store)}


def _take_import(node: ast.Import | ast.ImportFrom, names: _Names, guarded: bool) -> None:
    imported = [one.asname or one.name for one in node.names]
    names.others |= {name.split(".")[0] for name in imported}
    names.open |= "*" in imported
    modules = [one.name for one in node.names]
    if isinstance(node, ast.ImportFrom):
        modules = [node.module] if node.module and not node.level else []
    if not guarded:
        names.imports |= dict.fromkeys(module.split(".")[0] for module in modules)


def _function(name: str, parameters: tuple[str, ...], names: _Names, meant: str) -> Finding:
    expected = f"{name}({', '.join(parameters)})"
    if name not in names.functions:
        if name in names.others or names.open:
            return Finding(True, _("{name} is defined, or may be").format(name=name))
        text = (
            _("{expected} is not there, but {near} is; rename it")
            if meant
            else _("{expected} is not there; its cases will fail")
        )
        return Finding(False, text.format(expected=expected, near=meant))
    definition = names.functions[name]
    if isinstance(definition, ast.AsyncFunctionDef):
        return Finding(False, _("{name} is `async`; write a plain function").format(name=name))
    if not _fits(definition.args, parameters):
        text = _("line {line}: {name} takes {found}; it is called as {expected}")
        found = _source(definition.args)
        return Finding(
            False, text.format(line=definition.lineno, name=name, found=found, expected=expected)
        )
    return Finding(True, _("{name} is there").format(name=name))


def _source(arguments: ast.arguments) -> str:
    try:
        return ast.unparse(arguments)[:200] or _("nothing")
    except RecursionError:  # defaults that are nested too deep to be written
        return ", ".join(one.arg for one in (*arguments.posonlyargs, *arguments.args))[:200]


def _fits(arguments: ast.arguments, parameters: Sequence[str]) -> bool:
    """Whether a function can be called with these, by name where it has them all, else in order."""
    positional = [*arguments.posonlyargs, *arguments.args]
    needed = {one.arg for one in positional[: len(positional) - len(arguments.defaults)]}
    keywords = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    only_by_name = {one.arg for one, default in keywords if default is None}
    named = {one.arg for one in (*arguments.args, *arguments.kwonlyargs)}
    if not arguments.posonlyargs and (arguments.kwarg or named.issuperset(parameters)):
        return (needed | only_by_name).issubset(parameters)
    takes = len(parameters) <= len(positional) or arguments.vararg is not None
    return not only_by_name and len(needed) <= len(parameters) and takes


def _is_there(package: str) -> bool:
    """Whether a top package can be imported here, without importing it."""
    if package in sys.stdlib_module_names or package in sys.builtin_module_names:
        return True
    try:
        return importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):
        return False
