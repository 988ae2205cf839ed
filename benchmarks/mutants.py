"""Do the tests notice a change of the code?

``uv run --with cosmic-ray --with coverage python benchmarks/mutants.py WORK STEP``. The step ``map`` finds which test
files run which lines of the rooms; ``run --sample N`` changes N places of them, drawn at random, by one operator of
cosmic-ray each (a sign, a comparison, a number, a loop ...), and runs the test files that touch the place, the quick
ones first, until one fails; ``table`` writes the score. WORK holds a copy of the code and the results, a line a mutant:
what is there is not run again.
"""

from __future__ import annotations

import argparse
import ast
import bisect
import importlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

HOUSE = Path(__file__).parents[1]
ROOMS = {room: HOUSE / "bayes_lmmlasso" / room for room in ("posterior", "lasso", "lmm")} | {"models": HOUSE / "models"}
TESTS = ("models", "posterior", "lasso", "lmm", "numerics", "scan", "plots", "report", "compare")
HEAVY = "jax numpyro numba scipy.stats sklearn pandas xarray arviz zarr matplotlib.pyplot pytest hypothesis bed_reader"
FORKED = ["-x", "-q", "-n0", "-p", "no:cacheprovider"]


@dataclass(frozen=True)
class Mutant:
    """One change: where, and what the operator makes of it."""

    file: str
    line: int
    column: int
    operator: str
    occurrence: int


def room_of(file: str) -> str:
    """Return the room of a file."""
    return file.removeprefix("bayes_lmmlasso/").split("/")[0]


def unread(source: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Return the spans that no result depends on: annotations, and the texts of errors."""
    spans = []
    for node in ast.walk(ast.parse(source)):
        for name in ("annotation", "returns", "exc"):
            part = getattr(node, name, None)
            if isinstance(part, ast.expr):
                spans.append(((part.lineno, part.col_offset), (part.end_lineno or 0, part.end_col_offset or 0)))
    return spans


def mutants(file: Path) -> Iterator[Mutant]:
    """Yield every change of a file that a result could depend on."""
    source = file.read_text()
    tree, skipped = get_ast(source), unread(source)
    for name in operator_names():
        if (operator := get_operator(name)).arguments():
            continue
        places = (place for node in ast_nodes(tree) for place in operator().mutation_positions(node))
        for occurrence, (start, _) in enumerate(places):
            if not any(low <= start < high for low, high in skipped):
                yield Mutant(str(file.relative_to(HOUSE)), start[0], start[1], name, occurrence)


def drawn(seed: int) -> list[Mutant]:
    """Return one change of every place, in random order."""
    generator = random.Random(seed)
    places: dict[tuple[str, int, int], list[Mutant]] = {}
    for folder in ROOMS.values():
        for file in sorted(folder.rglob("*.py")):
            for mutant in mutants(file):
                places.setdefault((mutant.file, mutant.line, mutant.column), []).append(mutant)
    chosen = [generator.choice(changes) for changes in places.values()]
    generator.shuffle(chosen)
    return chosen


def copy_house(work: Path) -> Path:
    """Return a copy of the code, whose bytecode follows the text of a file and not its time."""
    if not (copy := work / "copy").exists():
        left = shutil.ignore_patterns(".venv", ".git", "__pycache__", ".*_cache")
        shutil.copytree(HOUSE, copy, symlinks=True, ignore=left)
        command = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "checked-hash"]
        subprocess.run(
            [*command, "bayes_lmmlasso", "tests"],
            cwd=copy,
            check=True,
            env=os.environ | {"PYTHONDONTWRITEBYTECODE": ""},
        )
    return copy


def environment(copy: Path) -> dict[str, str]:
    """Return the variables under which the tests see the copy, and no bytecode of a mutant stays."""
    return os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}


def map_lines(work: Path) -> None:
    """Write which lines each test file runs, and how long it takes."""
    copy, maps = copy_house(work), work / "lines"
    maps.mkdir(exist_ok=True)
    settings = work / "coveragerc"
    settings.write_text(
        "[run]\nsource = bayes_lmmlasso\nparallel = true\npatch = subprocess\n"
        f"data_file = {work}/coverage\ndisable_warnings = no-data-collected\n"
    )
    for test in sorted(file for room in TESTS for file in (copy / "tests" / room).glob("test_*.py")):
        if (kept := maps / f"{test.parent.name}.{test.stem}.json").exists():
            continue
        for old in work.glob("coverage.*"):
            old.unlink()
        coverage = [sys.executable, "-m", "coverage"]
        begun = time.monotonic()
        run = [*coverage, "run", f"--rcfile={settings}", "-m", "pytest", *FORKED, str(test)]
        passed = subprocess.run(run, cwd=copy, env=environment(copy), capture_output=True, text=True)
        seconds = time.monotonic() - begun
        for step in (["combine", "-q"], ["json", "-q", "-o", str(kept), "-i"]):
            subprocess.run([*coverage, *step, f"--rcfile={settings}"], cwd=copy, env=environment(copy), check=False)
        files = json.loads(kept.read_text())["files"] if kept.exists() else {}
        lines = {
            name.removeprefix("bayes_lmmlasso/") if "/models/" in name else name: found["executed_lines"]
            for name, found in files.items()
        }
        kept.write_text(json.dumps({"test": str(test.relative_to(copy)), "seconds": seconds, "lines": lines}))
        print(f"{test.stem}: {seconds:.0f} s, {passed.stdout.splitlines()[-1:] or passed.returncode}", flush=True)


def touching(work: Path, mutant: Mutant) -> list[tuple[float, str]]:
    """Return the test files that run the statement of a mutant, the quick ones first."""
    found = []
    for kept in (work / "lines").glob("*.json"):
        test = json.loads(kept.read_text())
        lines = sorted(test["lines"].get(mutant.file, []))
        # a statement of several lines is known by its first one
        before = bisect.bisect_right(lines, mutant.line)
        if before and mutant.line - lines[before - 1] < 8:
            found.append((test["seconds"], test["test"]))
    return sorted(found)


def fails(copy: Path, test: str, limit: float) -> str:
    """Run a test file in a child that has the heavy libraries loaded; return why it ended, or nothing if it passed."""
    if (child := os.fork()) == 0:
        os.setsid()
        os.chdir(copy)
        os.environ.update(environment(copy))
        sys.path.insert(0, str(copy))
        sys.dont_write_bytecode = True
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1), os.dup2(null, 2)
        os._exit(int(sys.modules["pytest"].main([*FORKED, str(copy / test)])))
    end = time.monotonic() + limit
    while time.monotonic() < end:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return "" if status == 0 else f"{test} ({status >> 8 or 'signal'})"
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return f"{test} (time)"


def run_mutants(work: Path, sample: int, seed: int, slower: float) -> None:
    """Try the first mutants of the order that the seed gives, and write a line for each."""
    copy, results = copy_house(work), work / "mutants.jsonl"
    known = {json.loads(line)["id"] for line in results.read_text().splitlines()} if results.exists() else set()
    sys.path = [entry for entry in sys.path if Path(entry or ".").resolve() != HOUSE]
    for name in HEAVY.split():
        importlib.import_module(name)
    for number, mutant in enumerate(drawn(seed)[:sample]):
        if number in known:
            continue
        source = (HOUSE / mutant.file).read_text()
        changed = mutate_code(source, get_operator(mutant.operator)(), mutant.occurrence)
        if changed is None or changed == source:
            continue
        (copy / mutant.file).write_text(changed)
        reason = ""
        for seconds, test in touching(work, mutant):
            if reason := fails(copy, test, slower * seconds + 60):
                break
        (copy / mutant.file).write_text(source)
        text = changed.splitlines()[mutant.line - 1].strip()
        with results.open("a") as kept:
            kept.write(json.dumps({"id": number, **asdict(mutant), "killed": reason, "text": text}) + "\n")
        print(f"{number}: {mutant.file}:{mutant.line} {reason or 'SURVIVED'}", flush=True)


def table(work: Path) -> None:
    """Print the score of every room."""
    found = [json.loads(line) for line in (work / "mutants.jsonl").read_text().splitlines()]
    rooms = {room: [line for line in found if room_of(line["file"]) == room] for room in ROOMS}
    print("| room | changes tried | noticed | not noticed | score |\n| --- | --- | --- | --- | --- |")
    for room, lines in (*rooms.items(), ("all", found)):
        count = Counter(bool(line["killed"]) for line in lines)
        share = f"{count[True] / len(lines):.0%}" if lines else ""
        print(f"| {room} | {len(lines)} | {count[True]} | {count[False]} | {share} |")


def main() -> None:
    """Do one step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("step", choices=["map", "run", "table"])
    parser.add_argument("--sample", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--slower", type=float, default=5.0, help="a test that takes so many times longer has failed")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    work = given.work.resolve()
    match given.step:
        case "map":
            map_lines(work)
        case "run":
            run_mutants(work, given.sample, given.seed, given.slower)
        case _:
            table(work)


if __name__ == "__main__":
    main()
