"""Random programs with nested control flow, and oracles of their derivatives."""
