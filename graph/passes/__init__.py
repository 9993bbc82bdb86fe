"""Passes: plain functions from graph to graph."""
