"""Which objects a branch or loop changes, and what they held before."""
