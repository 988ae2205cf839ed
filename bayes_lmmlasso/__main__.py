"""The command ``bayes-lmmlasso``, which is also ``python -m bayes_lmmlasso``.

The processes that it starts import this module again, as every process does with the program of the one that started
it; therefore it imports the command line only when it is called.
"""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the command line."""
    from bayes_lmmlasso.cli import app
    from bayes_lmmlasso.terminal import heed_signals

    heed_signals()
    app()


if __name__ == "__main__":
    main()
