"""What ArviZ opens: the tree of an analysis and its file."""
