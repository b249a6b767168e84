"""The network that finds vehicles: its samples, its crops, itself, and what its answers are worth."""
