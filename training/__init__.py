"""How both networks that are shipped are learned: `python -m training centreline`, `python -m training detector`.

Not part of the package; it needs the extra `[train]`. Each network has a folder with its samples (flat pieces of
simulated road with their truth), its crops (samples as other cameras would see them, and what is wanted of each) and
itself; what both share lies beside the folders.
"""
