"""Simulated genotypes and traits."""
