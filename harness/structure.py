"""The structure of a lab file: what `lab.schema.json` says, worded for a person."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from harness.errors import suggest
from harness.yamlfile import Place, YamlFile

_SCHEMA = Path(__file__).with_name("lab.schema.json")

# Where Jupyter is installed, jsonschema builds a grammar of international addresses, a format that
# no lab has: 1.3 s in every process. It does without where that package is missing.
_GRAMMAR = "rfc3987_syntax"
_absent = sys.modules.setdefault(_GRAMMAR, None) is None  # type: ignore[arg-type]
import jsonschema  # noqa: E402

if _absent:
    sys.modules.pop(_GRAMMAR, None)


def validate_structure(source: YamlFile) -> None:
    """Hold a lab file against its schema.

    Raises:
        LabError: the worst fault, with file, line, key, what was found and what is allowed.
    """
    schema = json.loads(_SCHEMA.read_text("utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    error = jsonschema.exceptions.best_match(validator.iter_errors(source.data))
    if error is None:
        return
    place: Place = tuple(error.absolute_path)
    # jsonschema's types leave the rule's value and the schema open.
    rule: Any = error.validator_value
    rules: Any = error.schema
    if error.validator == "additionalProperties":
        unknown = next(key for key in error.instance if key not in rules["properties"])
        message = f"unknown key {unknown!r}; {suggest(unknown, rules['properties'])}"
        raise source.error((*place, unknown), message)
    if error.validator == "required":
        missing = ", ".join(repr(key) for key in rule if key not in error.instance)
        raise source.error(place, f"missing {missing}; required here: {', '.join(rule)}")
    if error.validator == "enum":
        raise source.error(place, f"found {error.instance!r}; {suggest(error.instance, rule)}")
    raise source.error(place, f"found {error.instance!r}: {error.message}")
