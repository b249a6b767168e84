"""The network that finds the road beside its drawn line: its samples, its crops and itself."""
