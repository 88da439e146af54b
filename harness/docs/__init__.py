"""The documentation: a Markdown file beside this one for each topic of `harness help`."""

from __future__ import annotations

from pathlib import Path

from harness.errors import UsageError, suggest

_FOLDER = Path(__file__).parent


def topics() -> dict[str, str]:
    """Topic → title, in the order of their names."""
    return {path.stem: _title(path) for path in sorted(_FOLDER.glob("*.md"))}


def page(topic: str) -> str:
    """The text of a topic, in Markdown.

    Raises:
        UsageError: there is no such topic.
    """
    if topic not in topics():
        raise UsageError(f"no topic {topic!r}; {suggest(topic, topics())}")
    return (_FOLDER / f"{topic}.md").read_text("utf-8")


def _title(path: Path) -> str:
    return path.read_text("utf-8").partition("\n")[0].removeprefix("# ")
