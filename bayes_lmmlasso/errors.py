"""The one exception that means "the input is wrong", never "the program is wrong"."""

from __future__ import annotations

__all__ = ["InputError"]


class InputError(ValueError):
    """Bad input, told in one sentence.

    The message says what was expected, what came (the value, the file, the row) and what to do.
    The command line prints it as it is and exits with status 2.
    """
