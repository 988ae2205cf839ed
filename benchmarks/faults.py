"""Kills, damage, and what came of them: ``faults.py [--kills N] [--every N] [--damage] [COMMAND ...]``.

With ``--kills`` commands are killed so many times in all (`faults_kills`), with ``--every N`` before every N-th change
of their folder (`faults_crash`), with ``--damage`` files are damaged and read (`faults_damage`). It replaces the rows
of what it did in ``benchmarks/faults.md``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

TABLE = Path(__file__).with_suffix(".md")
KILLS = "| command, killed at a random moment | kills | ended | the same files | steps refused |"
CHANGES = "| command, killed before a change of its folder | changes | kills | the same files |"
DAMAGE = "| damaged, and read by | inputs | refused in a sentence | read as they were | anything else |"
KILLED = ("run", "resume", "resume --draws", "run --overwrite", "compare", "predict", "fetch")


def note(head: str, name: str, *values: object) -> None:
    """Replace a row of a table, or add it."""
    tables = {head: dict[str, str]() for head in (KILLS, CHANGES, DAMAGE)}
    for line in TABLE.read_text(encoding="utf-8").splitlines() if TABLE.exists() else ():
        if line in tables:
            rows = tables[line]
        elif line and not line.startswith("| ---"):
            rows[line.split(" | ")[0].removeprefix("| ")] = line
    tables[head][name] = f"| {name} | {' | '.join(map(str, values))} |"
    print(tables[head][name], flush=True)
    texts = [
        "\n".join([top, "| --- " * (top.count("|") - 1) + "|", *rows.values()]) for top, rows in tables.items() if rows
    ]
    TABLE.write_text("\n\n".join(texts) + "\n", encoding="utf-8")


def kill(commands: list[str], kills: int, seed: int) -> None:
    """Kill commands, so many times in all."""
    from faults_kills import FILES, Killer
    from web_site import serving

    with tempfile.TemporaryDirectory() as folder, serving({f"/d/{name}": data for name, data in FILES.items()}) as site:
        site.pause = 0.05
        killer = Killer(Path(folder), site.address)
        for k, name in enumerate(commands):
            times = kills // len(commands) + (k < kills % len(commands))
            found = killer.kill(name, times, np.random.default_rng([seed, KILLED.index(name)]))
            note(KILLS, name, found.kills, found.ended, found.same, found.refused)


def crash(commands: list[str], every: int) -> None:
    """Let commands end before one change after the other."""
    from faults_crash import count

    for name in commands:
        with tempfile.TemporaryDirectory() as folder:
            note(CHANGES, name, *(f"{number:,}" for number in count(name, Path(folder), every)))


def damage(seed: int) -> None:
    """Damage files and read them."""
    from faults_damage import READERS, count

    for name in READERS:
        with tempfile.TemporaryDirectory() as folder:
            note(DAMAGE, name, *(f"{number:,}" for number in count(name, Path(folder), seed)))


def main() -> None:
    """Write the tables asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--every", type=int, default=0)
    parser.add_argument("--damage", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("commands", nargs="*", default=[])
    given = parser.parse_args()
    if given.kills:
        kill(given.commands or list(KILLED), given.kills, given.seed)
    if given.every:
        from faults_crash import COMMANDS

        crash(given.commands or list(COMMANDS), given.every)
    if given.damage:
        damage(given.seed)


if __name__ == "__main__":
    main()
