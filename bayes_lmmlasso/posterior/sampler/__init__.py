"""Kernels, chains and the store of their draws."""
