"""Grades a lab on understanding deep neural networks: the grade is right, and can show why."""

__version__ = "0.1.0"
