from .threads import cores

__all__ = [
    "cores",
]
