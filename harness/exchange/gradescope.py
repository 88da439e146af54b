"""Gradescope's export of submissions, and the folder that its autograder gets.

The export has a folder `submission_<number>` per submission and `submission_metadata.yml`, which
says of each folder who handed it in (`:submitters:` with `:name:`, `:sid:`, `:email:`) and when
(`:created_at:`); keys are Ruby's symbols. The autograder's folder has `submission/` and
`submission_metadata.json` (`users` with `name`, `email`, `id`, and `created_at`).

`Student.id` is the student's own number (`sid`), or the address where there is none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

import yaml

from harness.errors import UsageError
from harness.exchange.entries import Entries, Entry
from harness.exchange.found import Attempt, Context, Found, Reading, by_folder
from harness.handed_in import Student

_OF_EXPORT, _OF_AUTOGRADER = "submission_metadata.yml", "submission_metadata.json"
_FOLDER = re.compile(r"submission_(\d+)")
_MAX_BYTES = 256 * 2**20
_MAX_DEPTH = 50


def recognises(entries: Entries) -> bool:
    """Whether metadata is at the top, or a folder of Gradescope's form."""
    return any(
        entry.parts[0] in (_OF_EXPORT, _OF_AUTOGRADER) or _FOLDER.fullmatch(entry.parts[0])
        for entry in entries.files
    )


def read(entries: Entries, context: Context) -> Reading:
    """Sort the files of an export by who handed them in.

    Raises:
        UsageError: the metadata cannot be read, or a sheet is given.
    """
    if context.sheets:
        raise UsageError("--sheet: Gradescope's export says itself who is who; leave it out")
    folders, beside = by_folder(entries)
    reading = Reading()
    metadata: dict[str, Mapping[str, Any]] = {}
    for entry in beside:
        if entry.parts[0] == _OF_EXPORT:
            metadata |= _of_export(entry)
        elif entry.parts[0] == _OF_AUTOGRADER:
            metadata["submission"] = _of_autograder(entry)
        else:
            reading.unmatched.append((entry, "it lies beside the folders of submissions"))
            continue
        reading.own.append(entry)
    whose: dict[tuple[Student, ...], list[tuple[str, Attempt]]] = {}
    for folder, files in folders.items():
        students = _students(metadata.get(folder, {}))
        if not students:
            reason = f"{_OF_EXPORT} does not say whose {folder} is; export again"
            reading.unmatched += [(file.entry, reason) for file in files]
            continue
        at = _time(metadata[folder].get("created_at"))
        number = _FOLDER.fullmatch(folder)
        order = (at.timestamp() if at else 0.0, float(number[1]) if number else 0.0)
        whose.setdefault(students, []).append((folder, Attempt(tuple(files), order, at)))
    for students, found in whose.items():
        reading.found.append(_found(students, found))
    for folder in metadata.keys() - folders.keys():
        reading.remarks.append(f"{folder} is in the metadata and has no files")
    return reading


def _found(students: tuple[Student, ...], found: Sequence[tuple[str, Attempt]]) -> Found:
    label = " ".join(student.name for student in students[:2])
    if len(students) > 2:
        label = f"{students[0].name} and {len(students) - 1} more"
    notes = (", ".join(folder for folder, _ in found),)
    attempts = tuple(attempt for _, attempt in found)
    return Found(label, students[0].id, students, attempts, notes)


def _of_export(entry: Entry) -> dict[str, Mapping[str, Any]]:
    """What the metadata says, by folder, with plain keys."""
    try:
        text = _text(entry)
        _check_depth(text)
        data = yaml.load(text, Loader=_Plain)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UsageError(f"{entry.name}: not YAML that can be read: {error}") from None
    if not isinstance(data, dict):
        raise UsageError(
            f"{entry.name}: expected submissions by folder, found {type(data).__name__}"
        )
    return {str(folder): _plain_keys(said) for folder, said in data.items()}


def _check_depth(text: str) -> None:
    """See that the loader, which calls itself for what is within, comes to an end.

    Raises:
        ValueError: it is too deep, or merges mappings, which can be repeated without end.
    """
    depth = 0
    for event in yaml.parse(text, Loader=_Plain):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise ValueError(f"it is more than {_MAX_DEPTH} levels deep")
        if isinstance(event, yaml.ScalarEvent) and event.value == "<<":
            raise ValueError("it merges mappings (<<)")


def _of_autograder(entry: Entry) -> Mapping[str, Any]:
    try:
        data = json.loads(_text(entry))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{entry.name}: not JSON that can be read: {error}") from None
    said = _plain_keys(data)
    users = said.get("users")
    people = users if isinstance(users, list) else []
    submitters = [{**_plain_keys(user), "sid": _plain_keys(user).get("sid", "")} for user in people]
    return {"created_at": said.get("created_at"), "submitters": submitters}


def _text(entry: Entry) -> str:
    assert entry.path is not None  # links were refused
    if entry.path.stat().st_size > _MAX_BYTES:
        raise UsageError(f"{entry.name}: larger than {_MAX_BYTES} bytes")
    try:
        return entry.path.read_text("utf-8")
    except UnicodeDecodeError:
        raise UsageError(f"{entry.name}: not UTF-8; export again") from None


def _plain_keys(said: object) -> dict[str, Any]:
    """A mapping with `:name:` as `name`; empty for what is none."""
    if not isinstance(said, dict):
        return {}
    return {str(key).strip(":"): value for key, value in said.items()}


def _students(said: Mapping[str, Any]) -> tuple[Student, ...]:
    people = said.get("submitters")
    found = []
    for person in map(_plain_keys, people if isinstance(people, list) else []):
        name, sid, email = (str(person.get(k) or "").strip() for k in ("name", "sid", "email"))
        if name or sid or email:
            found.append(Student(sid or email, name, email))
    return tuple(found)


def _time(said: object) -> datetime | None:
    """A time with its offset; YAML's own are in UTC where they have none."""
    if isinstance(said, dict):  # of Rails: a time with the zone that it is shown in
        said = _plain_keys(said).get("utc")
    if isinstance(said, str):
        # Python 3.10 knows neither Z nor fractions of other than three or six digits.
        text = re.sub(r"\.(\d+)", lambda f: f".{f[1][:6]:0<6}", said.strip())
        try:
            said = datetime.fromisoformat(re.sub(r"Z$", "+00:00", text))
        except ValueError:
            return None
        return said if said.tzinfo else None
    if not isinstance(said, datetime):
        return None
    return said if said.tzinfo else said.replace(tzinfo=timezone.utc)


class _Plain(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML's safe loader, for which a tag of Ruby's is as good as none: it builds plain data."""


def _untagged(loader: Any, suffix: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)


_Plain.add_multi_constructor("!ruby/", _untagged)
