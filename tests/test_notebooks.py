"""Every notebook runs from top to bottom at small size, and is committed with outputs that others may see."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
LARGEST_IMAGE = 60_000


def outputs(path):
    """The outputs of the committed code cells, in order."""
    cells = nbformat.read(path, as_version=4).cells
    return [output for cell in cells if cell.cell_type == "code" for output in cell.outputs]


def test_there_is_a_quickstart_whose_first_figure_takes_ten_lines():
    cells = nbformat.read(NOTEBOOKS[0], as_version=4).cells
    first = next(cell for cell in cells if cell.cell_type == "code")
    assert NOTEBOOKS[0].name == "01_quickstart.ipynb"
    assert any("image/png" in output.get("data", {}) for output in first.outputs)
    lines = [line for line in first.source.splitlines() if line and not line.startswith(("import", "from", "%"))]
    assert len(lines) <= 10


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_outputs_are_committed_and_hold_no_place_and_no_complaint(path):
    made = outputs(path)
    images = [output["data"]["image/png"] for output in made if "image/png" in output.get("data", {})]
    assert images
    assert [len(base64.b64decode(image)) for image in images if len(base64.b64decode(image)) > LARGEST_IMAGE] == []
    assert [
        output.output_type for output in made if output.output_type == "error" or output.get("name") == "stderr"
    ] == []
    text = "\n".join(str(output.get("text", "")) + output.get("data", {}).get("text/plain", "") for output in made)
    assert re.findall(r"(?<![\w.:/])/(?:home|root|tmp|opt|work|Users|var)/\S+", text) == []
    assert "Traceback" not in text


# Jupyter's client leaves sockets and event loops to the garbage collector
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_it_runs(path, tmp_path, monkeypatch):
    monkeypatch.setenv("BAYES_LMMLASSO_NOTEBOOK", "small")
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    made = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    complaints = [output.text for output in made if output.get("name") == "stderr"]
    assert [text for text in complaints if "IProgress not found" not in text] == []  # tqdm misses ipywidgets
    drawn = [sum("image/png" in output.get("data", {}) for output in each) for each in (made, outputs(path))]
    assert drawn[0] == drawn[1]
    assert list(tmp_path.iterdir()) == []
