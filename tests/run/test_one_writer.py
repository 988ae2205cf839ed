"""One process writes in a folder at a time; the others are refused in a sentence and change nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest
from small_run import contents, finished_copy, settings
from small_study import STUDIES, write_study

from bayes_lmmlasso import InputError
from bayes_lmmlasso.lock import LOCK, one_writer
from bayes_lmmlasso.run import resume, run

HOLDER = """
import sys
from pathlib import Path
from bayes_lmmlasso.lock import one_writer
with one_writer(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""
