"""Draws the lab's images and trains its models again: `python -m reference.models [--seed 0]`."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import yaml

from reference.models import digits, fixtures, objects
from reference.models.hidden import HiddenSet, add_probes

FOLDER = Path(__file__).parents[2] / "fixtures"
PARTS = ("digits", "objects", "images", "probes")


def main() -> None:
    """Make all of it, or one part, under `fixtures/`."""
    parser = argparse.ArgumentParser(prog="python -m reference.models", description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=PARTS, help="one part; images need the objects model")
    parser.add_argument("--digits-data", choices=("scikit-learn", "mnist"), default="scikit-learn")
    parser.add_argument("--out", type=Path, default=FOLDER)
    options = parser.parse_args()
    started = time.monotonic()
    for part in [options.only] if options.only else PARTS:
        if part == "digits":
            data = digits.load(options.digits_data, options.seed)
            model = digits.train(data, seed=options.seed)
            fixtures.save_digits(model, data, options.out)
        elif part == "objects":
            fixtures.save_objects(objects.train(seed=options.seed), options.out)
        elif part == "images":
            fixtures.save_images(options.out, options.seed)
        else:
            drawn = HiddenSet(options.out, options.seed, {}, options.out / "lab.yaml")
            add_probes(drawn)
            text = yaml.safe_dump(drawn.cases, sort_keys=False, default_flow_style=None, width=1000)
            sys.stdout.write(f"for lab.yaml:\n{text}")
        sys.stdout.write(f"{part}: done after {time.monotonic() - started:.0f} s\n")


if __name__ == "__main__":
    main()
