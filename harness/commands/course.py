"""`kit`, `import`, `export`, `help`: between the course and the harness."""

from __future__ import annotations

import argparse

from rich.console import Console

from harness.commands.printing import EXIT_BELOW, EXIT_OK, teller


def kit(options: argparse.Namespace, console: Console) -> int:
    """Write what students, or an autograder, get of the lab."""
    from harness.disclosure import can_be_copied
    from harness.errors import UsageError
    from harness.finding import find_lab
    from harness.grading import open_lab
    from harness.kit.autograder import write_autograder
    from harness.kit.building import write_kit

    if options.autograder and options.ci:
        raise UsageError("an autograder has no workflow of students: give --autograder, or --ci")
    if options.out.is_dir():
        raise UsageError(f"{options.out} is a folder; give --out the name of a zip file")
    if not options.out.parent.is_dir():
        raise UsageError(f"{options.out.parent} is no folder; make it, or give another --out")
    lab = open_lab(find_lab(options.lab), options.lab_files)
    if options.autograder:
        names = write_autograder(lab, options.out, unsandboxed=options.unsandboxed)
    else:
        names, digest = write_kit(lab, options.out, options.ci)
        teller(console)(
            f"put into {lab.source.path} to hear of files that a student changed:  kit: {digest}"
        )
    if note := can_be_copied(lab):
        teller(console)(f"note: {note}")
    size = options.out.stat().st_size / 2**20
    teller(console)(f"{options.out}: {len(names)} files, {size:.1f} MB")
    return EXIT_OK


def bring_in(options: argparse.Namespace, console: Console) -> int:
    """Turn what a system exports into submissions, and give account of every file."""
    from harness.exchange.command import run_import

    return EXIT_OK if run_import(options, teller(console)) else EXIT_BELOW


def export(options: argparse.Namespace, console: Console) -> int:
    """Give account of what can go back, and write it."""
    from harness.exchange.outgoing import run

    account = run(options, teller(console))
    return EXIT_BELOW if account.needs_a_person else EXIT_OK


def show_help(options: argparse.Namespace, console: Console) -> int:
    """Show a page of the documentation, or which there are."""
    from rich.markdown import Markdown

    from harness.docs import page, topics

    if not options.topic:
        width = max(map(len, topics()))
        for name, title in topics().items():
            teller(console)(f"{name:{width}}  {title}")
    elif console.is_terminal:
        console.print(Markdown(page(options.topic)))
    else:
        console.file.write(page(options.topic))
    return EXIT_OK
