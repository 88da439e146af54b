"""A coverage-guided fuzzer for what reads hand-ins: `tox -e fuzz`, or `fuzz_data.py KIND DIR`."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["harness", "markdown_it"]):
    import reading

WORST = [0.0, 0.0, 0]


def one_input(data: bytes) -> None:
    """Read one input of the kind asked for, and tell of what cost more than any before."""
    WORST[2] += 1
    for place, (cost, unit) in enumerate(zip(reading.held(KIND, data), ("s", "MB"), strict=True)):
        if cost > WORST[place]:
            WORST[place] = cost
            sys.stderr.write(f"{KIND}: input {WORST[2]} of {len(data)} bytes: {cost:.3f} {unit}\n")


if __name__ == "__main__":
    KIND = sys.argv.pop(1)
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
