from .checks import validate_kinship

__all__ = [
    "validate_kinship",
]
