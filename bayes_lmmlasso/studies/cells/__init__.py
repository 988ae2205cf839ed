"""Cells: the smallest pieces of a study that are computed by themselves."""
