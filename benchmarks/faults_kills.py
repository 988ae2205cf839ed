"""Commands killed at random moments, as processes: by SIGKILL, which nobody can put off.

Each is killed up to five times in a row, at moments drawn uniformly from the time that it takes undisturbed. After each
kill what there is goes on, by ``resume`` where it is a run, or else by the same command again; at the end its files are
compared with those of a command that nothing stopped. A step that is refused in a sentence (``resume`` where nothing
had been begun, or all was done) is followed by the command itself.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from faults_crash import results
from small_run import cohort_folder
from small_study import write_study
from web_site import PIECE, write_registry

PROGRAM = Path(sys.executable).with_name("bayes-lmmlasso")
BFILE = cohort_folder() / "small"
DATA = [f"--bfile={BFILE}", f"--pheno={cohort_folder() / 'pheno.tsv'}", "--trait=height"]
SAMPLING = ["--model=spike_slab", "--chains=2", "--warmup=30", "--draws=300", "--n-active=5", "--subsamples=10"]
FILES = {
    "toy.bed": np.random.default_rng(1).bytes(40 * PIECE),
    "toy.bim": b"1 s1 0 10 A C",
    "toy.fam": b"f i 0 0 0 1.5",
}
IN_A_ROW = 5


@dataclass
class Kills:
    """A row of the table.

    Attributes
    ----------
    seconds : what the command takes undisturbed.
    kills : how many there were.
    ended, same : commands that came to their end in spite of them, and how many of these with the same files.
    refused : steps that were refused in a sentence.
    """

    seconds: float
    kills: int = 0
    ended: int = 0
    same: int = 0
    refused: int = 0


class Killer:
    """Kills commands; what they begin with is made once, in a folder of its own."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        self.study = write_study(folder / "study.toml", "prediction")
        self.registry = write_registry(folder, address, FILES)
        compiled = {"JAX_COMPILATION_CACHE_DIR": str(folder / "jax"), "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
        self.environment = os.environ | {"no_proxy": "127.0.0.1"} | compiled
        self.environment.pop("PYTHONDONTWRITEBYTECODE", None)  # each process would compile the package

    def call(self, name: str, out: Path) -> list[str]:
        """Return a command that works in a folder."""
        run = ["run", *DATA, *SAMPLING, f"--out={out}"]
        return {
            "run": run,
            "resume": ["resume", str(out)],
            "resume --draws": ["resume", str(out), "--draws=400"],
            "run --overwrite": [*run, "--overwrite", "--seed=7"],
            "compare": ["compare", str(self.study), f"--out={out}"],
            "predict": ["predict", str(self.folder / "finished"), DATA[0], f"--out={out / 'predictions.tsv'}"],
            "fetch": ["fetch", "toy", f"--registry={self.registry}", f"--out={out}"],
        }[name]

    def begin(self, name: str, out: Path) -> None:
        """Leave what a command finds."""
        if name in ("resume --draws", "run --overwrite"):
            shutil.copytree(self.finished(), out)
        if name == "resume":
            shutil.copytree(self.stopped(), out)
        if name == "predict":
            self.finished()
            out.mkdir()

    def finished(self) -> Path:
        """Return a finished run."""
        out = self.folder / "finished"
        if not out.exists():
            self.do(self.call("run", out))
        return out

    def stopped(self) -> Path:
        """Return a run that was stopped when its first draws were there."""
        out = self.folder / "stopped"
        if not out.exists():
            process = self.start(self.call("run", out))
            while not any((out / ".unfinished" / "checkpoint").glob("chain-*.npz")):
                time.sleep(0.02)
            process.terminate()
            process.communicate()
        return out

    def start(self, call: list[str]) -> subprocess.Popen[str]:
        """Start a command."""
        pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
        return subprocess.Popen([PROGRAM, *call], env=self.environment, text=True, **pipes)

    def do(self, call: list[str], seconds: float | None = None) -> str:
        """Let a command end, or kill it after some seconds; return "", "killed", "refused" or what else came of it."""
        process = self.start(call)
        if seconds is not None:
            time.sleep(seconds)
            process.kill()
        told = process.communicate()[1].strip().splitlines()[-1:]
        if process.returncode == -signal.SIGKILL:
            return "killed"
        if process.returncode == 2 and told[0].startswith("Error: expected "):
            return "refused"
        return f"status {process.returncode}: {told}" if process.returncode else ""

    def kill(self, name: str, times: int, rng: np.random.Generator) -> Kills:
        """Kill a command so many times."""
        out = self.folder / "out"
        for _ in range(2):  # the first one compiles
            shutil.rmtree(out, ignore_errors=True)
            self.begin(name, out)
            began = time.perf_counter()
            told = self.do(self.call(name, out))
            assert told == "", told
        found, wanted = Kills(time.perf_counter() - began), results(out)
        while found.kills < times:
            shutil.rmtree(out)
            self.begin(name, out)
            told = self.go_through(name, out, found, min(times, found.kills + IN_A_ROW), rng)
            same = told in ("", "refused") and results(out) == wanted
            found.ended, found.same = found.ended + 1, found.same + same
            if not same:
                print(f"{name}, after kill {found.kills}: {told}", file=sys.stderr, flush=True)
        shutil.rmtree(out)
        return found

    def go_through(self, name: str, out: Path, found: Kills, most: int, rng: np.random.Generator) -> str:
        """Do a command, kill it until there were so many kills, and go on each time; return what came of the last."""
        command = self.call(name, out)
        after = [self.call("resume", out), command] if name.startswith("r") else [command]
        steps = [command]
        while steps:
            killed = found.kills < most
            told = self.do(steps.pop(0), rng.uniform(0, found.seconds) if killed else None)
            found.kills += told == "killed"
            found.refused += told == "refused"
            if told == "killed":
                steps = list(after)
            elif told != "refused":
                break
        return told
