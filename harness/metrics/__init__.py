"""Measures of agreement and quality: pure functions, arrays in, number out."""
