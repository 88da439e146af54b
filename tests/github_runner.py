"""What GitHub's runner takes for a command in what a step prints, written from its own rules.

`ActionCommand.TryParseV2` and `TryParse`, and `ActionCommandManager.TryProcessCommand`, of the
public actions/runner. Lines end at CR, LF or both, as .NET reads them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

KNOWN = {
    *("set-env", "set-output", "save-state", "add-mask", "add-path", "add-matcher"),
    *("remove-matcher", "debug", "warning", "error", "notice", "group", "endgroup", "echo"),
    "stop-commands",
}


@dataclass
class Command:
    name: str
    properties: dict[str, str] = field(default_factory=dict)
    data: str = ""


def commands(printed: str) -> list[Command]:
    """The commands that take effect, `stop-commands` and its end not among them."""
    found = []
    token = ""
    for line in re.split(r"\r\n|\r|\n", printed):
        command = _newer(line, token) or _older(line, token)
        if command is None:
            continue
        if token:
            token = "" if command.name.lower() == token.lower() else token
        elif command.name == "stop-commands":
            token = command.data
        else:
            found.append(command)
    return found


def _newer(line: str, token: str) -> Command | None:
    match = re.match(r"\s*::(.*?)::(.*)", line, re.DOTALL)
    return _command(match[1], match[2], ",", token, {":": "%3A", ",": "%2C"}) if match else None


def _older(line: str, token: str) -> Command | None:
    match = re.search(r"##\[(.*?)\](.*)", line, re.DOTALL)
    return _command(match[1], match[2], ";", token, {";": "%3B", "]": "%5D"}) if match else None


def _command(told: str, data: str, separator: str, token: str, more: dict) -> Command | None:
    name, _, properties = told.partition(" ")
    if name.lower() not in KNOWN | ({token.lower()} if token else set()):
        return None
    pairs = (one.split("=", 1) for one in properties.strip().split(separator) if "=" in one)
    return Command(name, {key: _plain(value, more) for key, value in pairs}, _plain(data, {}))


def _plain(text: str, more: dict) -> str:
    for plain, escaped in {"\r": "%0D", "\n": "%0A", **more, "%": "%25"}.items():
        text = text.replace(escaped, plain)
    return text
