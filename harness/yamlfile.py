"""YAML read so that every error can name its line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from harness.errors import LabError

Place = tuple["str | int", ...]
_KEYS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge")


@dataclass(frozen=True)
class YamlFile:
    """A YAML document with the line of every key and item.

    Attributes:
        path: the file.
        data: its content as plain Python.
        lines: from the place of a key or item (`("models", "digits")`) to its line, from 1.
        allowed: further folders that files named in it may lie in; absolute.
    """

    path: Path
    data: Any
    lines: dict[Place, int]
    allowed: tuple[Path, ...] = ()

    def where(self, place: Place) -> str:
        """`file:line, models.digits` of the place, or of its nearest known parent."""
        known = place
        while known and known not in self.lines:
            known = known[:-1]
        dotted = ".".join(str(step) for step in place)
        return f"{self.path}:{self.lines.get(known, 1)}" + (f", {dotted}" if dotted else "")

    def error(self, place: Place, message: str) -> LabError:
        """An error about this place, ready to raise."""
        return LabError(f"{self.where(place)}: {message}")

    def beside(self, place: Place, name: str) -> Path:
        """The file or folder of that name beside this file; it need not be there.

        Whoever writes a lab file must not reach what only its reader can read. So what it names
        lies, with links followed, in its own folder, in the folder above if that holds a `lab.yaml`
        as well (a lab within a lab), or where the one who started the command allows it.

        Raises:
            LabError: it lies elsewhere.
        """
        folder = self.path.parent
        found = folder / name
        roots = [folder, *self.allowed]
        if (folder.resolve().parent / "lab.yaml").is_file():
            roots.append(folder.resolve().parent)
        real = found.resolve()
        if not any(real.is_relative_to(root.resolve()) for root in roots):
            raise self.error(
                place,
                f"{name!r} is {real}, and a lab's files lie in its own folder, {folder.resolve()}; "
                "put it there, or, if the lab is your own, allow the folder that it lies in: "
                "--lab-files DIR",
            )
        return found


def read_yaml(path: Path, allowed: Iterable[Path] = ()) -> YamlFile:
    """Read a YAML file; tags that build objects are refused, and so is a key given twice.

    Args:
        path: the file.
        allowed: see `YamlFile`.

    Raises:
        LabError: the file cannot be read, or is not YAML, or says a thing twice.
    """
    try:
        loader = yaml.SafeLoader(path.read_text("utf-8"))
        node = loader.get_single_node()
        lines: dict[Place, int] = {}
        if node is None:
            raise LabError(f"{path}: the file is empty; expected a lab (see the README)")
        _locate(node, (), lines, path)
        folders = tuple(folder.resolve() for folder in allowed)
        return YamlFile(path, loader.construct_document(node), lines, folders)
    except (OSError, UnicodeError) as error:
        raise LabError(f"{path}: cannot be read: {error}") from None
    except (ValueError, RecursionError) as error:  # a date that does not exist; no end of nesting
        raise LabError(f"{path}: not valid YAML: {error}") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise LabError(f"{path}:{line}: not valid YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise LabError(f"{path}: not valid YAML: {error}") from None


def _locate(node: yaml.Node, place: Place, lines: dict[Place, int], path: Path) -> None:
    lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.tag not in _KEYS:
                raise LabError(
                    f"{path}:{line}: a key is {key.tag.removeprefix('tag:yaml.org,2002:')}, "
                    "expected text; put it in quotes"
                )
            inner = (*place, key.value)
            if inner in lines:
                raise LabError(
                    f"{path}:{line}: {key.value!r} is given twice, first on line {lines[inner]}; "
                    "keep one"
                )
            lines[inner] = line
            _locate(value, inner, lines, path)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _locate(value, (*place, index), lines, path)
