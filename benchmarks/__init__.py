"""Figures, measured on your machine: `make bench`."""
