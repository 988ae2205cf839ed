"""Genotypes by format, a file each."""
