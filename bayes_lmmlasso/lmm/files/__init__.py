"""Kinship matrices in files: their formats, their ids, the rounding of what is written."""
