"""Whole programs, drawn from a seed: as plain Python, eager, and traced."""
