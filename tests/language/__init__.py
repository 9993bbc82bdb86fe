"""Programs in ordinary Python: each runs untraced and traced, and must do the same."""
