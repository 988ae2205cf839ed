"""Kinds of study: their settings, cells and tables."""
