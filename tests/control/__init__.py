"""Programs with exceptions, `match` and recursion, each run untraced and traced."""
