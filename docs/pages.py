"""The pages of the site that are made, not written: the reference, and files of other folders with their links."""

from __future__ import annotations

import ast
import inspect
import os
import re
from collections.abc import Iterator
from pathlib import Path

import typer
from click.testing import CliRunner
from sphinx.pycode import ModuleAnalyzer

import bayes_lmmlasso as bl
from bayes_lmmlasso.cli import app
from bayes_lmmlasso.report.definitions import REFERENCES, column_definitions

ROOT = Path(__file__).parents[1]
PACKAGE = Path(bl.__file__).parent
ROOMS = "cohort lmm scan lasso posterior models compare studies run report plots numerics".split()
TABLES_RECORD = {
    "arguments": {
        "model": "spike_slab,laplace",
        "window": "1Mb",
        "n_active": 20,
        "subsamples": 100,
        "subsample_fraction": 0.5,
    },
    "snp_variance_share": 0.001,
    "window_variance_share": 0.01,
    "evidence": {"sampling": {"pip_prior": None}},
}


def write(folder: Path) -> None:
    """Write every generated page into a folder, only where its text has changed."""
    made = {f"api-{room}.rst": api_page(room) for room in ROOMS} | {
        "api.rst": api_index(),
        "commands.md": commands_page(),
        "tables.md": tables_page(),
        "contributing.md": site_links((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), "../CONTRIBUTING"),
        "changelog.md": site_links((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), "../CHANGELOG"),
    }
    folder.mkdir(exist_ok=True)
    for name, text in made.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def public_names(room: str = "") -> Iterator[tuple[str, str]]:
    """Each public name of a room ("" for the top level) but its rooms, with the module that defines it."""
    package = f"bayes_lmmlasso.{room}" if room else "bayes_lmmlasso"
    stub = PACKAGE / room / "__init__.pyi"
    for node in ast.parse(stub.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from ((alias.name, f"{package}.{node.module}") for alias in node.names)


def data_doc(module: str, name: str) -> str:
    """What the line below a constant's definition says of it, or ""."""
    analyzer = ModuleAnalyzer.for_module(module)
    lines = analyzer.find_attr_docs().get(("", name), [])
    return "\n".join(lines).strip()


def is_data(thing: object) -> bool:
    """Whether a public name is neither a function nor a class of the package."""
    return not (inspect.isroutine(thing) or (inspect.isclass(thing) and thing.__module__.startswith("bayes_lmmlasso")))


def api_index() -> str:
    """The index of the reference: rooms, and what stands at the top level."""
    homes = {name: room for room in ROOMS for name, _ in public_names(room)}
    names = sorted((name for name, _ in public_names()), key=str.lower)
    rows = [f"   * - :py:obj:`bl.{name} <bayes_lmmlasso.{homes[name]}.{name}>`\n" for name in names if name in homes]
    rows = [
        f"{row}     - {_first_line(getattr(bl, name))}\n"
        for row, name in zip(rows, (n for n in names if n in homes), strict=True)
    ]
    table = "".join([".. list-table::\n   :widths: 30 70\n\n", *rows])
    rooms = "".join(f"   api-{room}\n" for room in ROOMS)
    intro = "``import bayes_lmmlasso as bl``: a short list of names at the top, the others in rooms.\n\n"
    error = f".. py:module:: bayes_lmmlasso\n\n.. autoexception:: bayes_lmmlasso.{bl.InputError.__name__}\n"
    return f"{_title('Python')}{intro}.. toctree::\n   :maxdepth: 1\n\n{rooms}\n{table}\n{error}"


def api_page(room: str) -> str:
    """The reference of a room: the docstring of each public name."""
    module = getattr(bl, room)
    parts = [_title(f"bl.{room}"), f".. py:module:: bayes_lmmlasso.{room}\n", f"{inspect.getdoc(module) or ''}\n"]
    for name, home in public_names(room):
        thing = getattr(module, name)
        if is_data(thing):
            doc = data_doc(home, name) or "See the module."
            parts.append(f".. py:data:: bayes_lmmlasso.{room}.{name}\n\n{_indented(doc)}\n")
        elif inspect.isclass(thing):
            kind = "autoexception" if issubclass(thing, Exception) else "autoclass"
            parts.append(f".. {kind}:: bayes_lmmlasso.{room}.{name}()\n   :members:\n   :exclude-members: {_SKLEARN}\n")
        else:
            parts.append(f".. autofunction:: bayes_lmmlasso.{room}.{name}\n")
    return "\n".join(parts)


def commands_page() -> str:
    """The help of every command, as the command prints it."""
    command = typer.main.get_command(app)
    pages = ["# Commands\n\nThe help of each command, as it prints it.\n"]
    names = list(command.commands)
    for name in names:
        shown = CliRunner().invoke(command, [name, "--help"], terminal_width=100, prog_name="bayes-lmmlasso")
        pages.append(f"## {name}\n\n```text\n{shown.output.strip()}\n```\n")
    return "\n".join(pages)


def tables_page() -> str:
    """Every file of a run and every column, as the report defines them."""
    parts = [
        "# Files and columns\n\nWhat `bayes-lmmlasso run --model spike_slab,laplace` writes, with default options; the "
        "glossary of a report says the same with the options of its run.\n"
    ]
    for table, columns in column_definitions(TABLES_RECORD).items():
        rows = "\n".join(f"| `{_cell(name)}` | {_cell(text)} |" for name, text in columns.items())
        parts.append(f"## {table}\n\n| column | meaning |\n| --- | --- |\n{rows}\n")
    literature = "\n".join(f"- {citation}. [doi:{doi}](https://doi.org/{doi})" for citation, doi in REFERENCES)
    return "\n".join([*parts, f"## Literature\n\n{literature}\n"])


def site_links(text: str, page: str) -> str:
    """Lead relative links of a page between files of the repository to pages; of other files keep their name."""
    folder = (ROOT / "docs" / page).parent

    def replaced(link: re.Match[str]) -> str:
        shown, target, anchor = link["text"], link["target"], link["anchor"] or ""
        path = Path(os.path.normpath(_true_folder(folder) / target))
        if "://" in target or not path.is_relative_to(ROOT) or not path.exists():  # code may look like a link
            return link[0]
        name = path.relative_to(ROOT).as_posix()
        if name in _MADE:
            return f"[{shown}](/generated/{_MADE[name]}{anchor})"
        if name.startswith("docs/"):
            return f"[{shown}](/{name.removeprefix('docs/')}{anchor})"
        if name.startswith(("benchmarks/", "notebooks/")) and path.suffix in _PAGES:
            return f"{{doc}}`{shown.replace('`', '')} </{name.removesuffix(path.suffix)}>`"
        return shown if "`" in shown or shown == name else f"{shown} (`{name}`)"

    return re.sub(r"(?<!!)\[(?P<text>[^][]+)\]\((?P<target>[^)#\s]+)(?P<anchor>#[^)\s]*)?\)", replaced, text)


def prepare_docstring(app: object, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Bring attributes told in one line into numpydoc's two, and keep |b| and y_-i from being read as markup."""
    text = "\n".join(lines)
    head, bar, rest = text.partition("Attributes\n----------\n")
    section, *after = re.split(r"(\n\n(?=[A-Z]\w*\n---))", rest, maxsplit=1)
    section = re.sub(r"^([\w, ]+) : (.*)$", r"\1\n    \2", section, flags=re.MULTILINE)
    text = "".join([head, bar, section, *after])
    lines[:] = re.sub(r"(?<![`\w\\])\|(?=\w)|(?<=\b\w)_(?=-)", r"\\\g<0>", text).split("\n")


def titled(text: str, page: str) -> str:
    """Give a table of benchmarks the title that it lacks, and its script."""
    name = page.removeprefix("benchmarks/")
    if name == page or text.startswith("# "):
        return text
    script = ROOT / "benchmarks" / f"{name}.py"
    made = f"Made by `{script.relative_to(ROOT)}`" if script.exists() else "Made by a script of the same folder"
    says = ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) if script.exists() else None
    about = f": {_sentence(says)}" if says else "."
    return f"# {name.replace('_', ' ').capitalize()}\n\n{made}{about}\n\n{text}"


_MADE = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
_SKLEARN = "set_fit_request, set_predict_request, set_score_request, get_metadata_routing"
_PAGES = {".md", ".ipynb"}


def _true_folder(folder: Path) -> Path:
    """The folder of a page in the repository, where the site has a link to it."""
    return folder.resolve()


def _sentence(text: str) -> str:
    return text.split("\n\n")[0].replace("\n", " ")


def _title(text: str) -> str:
    return f"{text}\n{'=' * len(text)}\n\n"


def _first_line(thing: object) -> str:
    return _sentence(inspect.getdoc(thing) or "")


def _indented(text: str) -> str:
    return "\n".join(f"   {line}" for line in text.splitlines())


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
