"""YAML read so that every error can name its line."""

from __future__ import annotations

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
    """

    path: Path
    data: Any
    lines: dict[Place, int]

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


def read_yaml(path: Path) -> YamlFile:
    """Read a YAML file; tags that build objects are refused, and so is a key given twice.

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
        return YamlFile(path, loader.construct_document(node), lines)
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
