"""Submissions and grades as other systems write and read them, one file per outside format."""
