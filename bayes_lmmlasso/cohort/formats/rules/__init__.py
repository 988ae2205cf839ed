"""What is asked of genotypes in every format: their scale, names, frequencies and files."""
