"""Looks at a submission that is opened for one look."""

from harness.opened import opened


def opening(look, submission, *arguments):
    """What `look` finds in a submission, opened."""
    with opened(submission) as ready:
        return look(ready, *arguments)
