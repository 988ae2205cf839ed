"""A folder for draws and states, from which interrupted chains can continue.

    FOLDER/identity.json     what is being sampled, by which versions: only the same may continue
    FOLDER/draws.zarr        one array a site, (chains, draws, ...), a chunk a chain and block of draws
    FOLDER/chain-0.npz ...   the state of a chain and how many iterations it has done

A block of draws is written before the state that follows it, each file under a temporary name and then renamed. So
at any moment the state of a chain tells which draws count, whatever was interrupted; what lies beyond them is
written again, with the same bytes, because a chain depends on its state alone. Every chunk is written, also one of
zeros, and has a checksum (of Zstandard, RFC 8878), as every state has (of ZIP): damage is found when a chain goes on.
What an interrupted run has written last may be lost in a power cut; that is found in the same way.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import zarr
from numpy.typing import NDArray

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.posterior.sampler.draw_store import Saved, site_dims

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["VARIANTS", "FolderStore", "stored_sites"]

_DRAWS = "draws.zarr"
_COMPRESSOR: Mapping[str, Any] = {"id": "zstd", "level": 0, "checksum": True}
VARIANTS = 4096  # SNPs in a chunk


class FolderStore:
    """Draws and states in a folder.

    Parameters
    ----------
    folder
        Created if need be.
    identity
        What is sampled: plain values that must be the same whenever the folder is opened again.

    Raises
    ------
    InputError
        If the folder holds draws of something else, or is no such folder.
    """

    lasting: ClassVar[bool] = True

    def __init__(self, folder: Path, identity: Mapping[str, Any]) -> None:
        self.folder = folder
        _claim(folder, identity)
        for partial in folder.rglob("*.partial"):  # of a write that was cut off
            partial.unlink()

    def prepare(self, shapes: Mapping[str, Any], chains: int, draws: int, block: int) -> None:
        """Create the arrays, or make room for more draws in those that exist."""
        with self._undamaged():
            self._prepare(shapes, chains, draws, block)

    def _prepare(self, shapes: Mapping[str, Any], chains: int, draws: int, block: int) -> None:
        self._group = zarr.open_group(self._draws, mode="a", zarr_format=2)
        drawn = [max(0, int((self._load(chain) or [(0, 0)])[0][1])) for chain in range(chains)]
        if any(drawn):
            for name, x in shapes.items():
                self._check(self._array(name), name, x, drawn)
        for name, x in shapes.items():
            if any(drawn):
                array = self._array(name)
                array.resize((chains, max(draws, array.shape[1]), *x.shape))
            else:  # also in place of one that was cut off while it was made
                chunks = (1, block, *(min(VARIANTS, size) for size in x.shape))
                shape = (chains, draws, *x.shape)
                array = self._group.create_array(
                    name, shape=shape, dtype=x.dtype, chunks=chunks, compressors=_COMPRESSOR, overwrite=True
                )
                array.attrs["_ARRAY_DIMENSIONS"] = list(site_dims(name, len(shape)))

    def saved(self, chain: int) -> Saved:
        """Return where a chain can continue."""
        with self._undamaged():
            (done, _), *leaves = self._load(chain) or [(0, 0)]
        return Saved(int(done), leaves or None)

    def append(
        self, chain: int, first: int, values: Mapping[str, NDArray[Any]], done: int, leaves: list[NDArray[Any]]
    ) -> None:
        """Write a block of draws, then the state."""
        for name, block in values.items():
            self._array(name)[chain, first : first + len(block)] = block
        path = self._state(chain)
        partial = path.with_suffix(".partial")
        with partial.open("wb") as file:
            np.savez(file, np.array([done, first + max(map(len, values.values()), default=0)]), *leaves)
        partial.replace(path)

    def finish(self, draws: int) -> None:
        """Keep only so many draws of each chain."""
        for name in self._group.array_keys():
            array = self._array(name)
            array.resize((array.shape[0], draws, *array.shape[2:]))

    def read(self, name: str) -> NDArray[Any]:
        """Return the draws of a site."""
        return np.asarray(self._array(name)[...])

    def sites(self) -> xr.Dataset:
        """Return the draws of every site, read when they are used."""
        return stored_sites(self.folder)

    @property
    def _draws(self) -> Path:
        return self.folder / _DRAWS

    def _array(self, name: str) -> zarr.Array[Any]:
        array = self._group[name]
        assert isinstance(array, zarr.Array)
        return array.with_config({"write_empty_chunks": True})

    def _load(self, chain: int) -> list[Any]:
        """Return iterations done and draws, and the leaves of a state; nothing before the first."""
        path = self._state(chain)
        if not path.exists():
            return []
        with path.open("rb") as handle, np.load(handle) as file:
            return [file[name] for name in file.files]

    def _check(self, array: zarr.Array[Any], name: str, x: Any, drawn: Sequence[int]) -> None:
        """Read the draws of a site, a chunk's worth at a time: those that are damaged or missing raise."""
        dims = list(site_dims(name, 2 + len(x.shape)))
        if array.dtype != x.dtype or array.shape[2:] != x.shape or array.attrs["_ARRAY_DIMENSIONS"] != dims:
            raise self._damaged()
        array = array.with_config({"read_missing_chunks": False})
        for chain, draws in enumerate(drawn):
            for first in range(0, draws, array.chunks[1]):
                array[chain, first : min(draws, first + array.chunks[1])]

    @contextmanager
    def _undamaged(self) -> Iterator[None]:
        """Tell in a sentence what readers say of files that are not as they were written."""
        try:
            yield
        except OSError as error:
            if error.errno is not None:  # of the disk
                raise
            raise self._damaged() from error
        except Exception as error:  # whatever a reader says of bytes that are not what it reads
            raise self._damaged() from error

    def _damaged(self) -> InputError:
        return InputError(
            f"expected the draws in {self.folder} as they were written, got damaged ones: restore them from a copy, or "
            "start anew"
        )

    def _state(self, chain: int) -> Path:
        return self.folder / f"chain-{chain}.npz"


def stored_sites(folder: Path) -> xr.Dataset:
    """Return the draws of every site in a folder, read when they are used."""
    import xarray as xr

    # nothing is decoded, then or when it is written elsewhere: zeros, the fill value, would be taken for missing
    raw = xr.open_dataset(folder / _DRAWS, engine="zarr", zarr_format=2, consolidated=False, decode_cf=False)
    return raw.drop_attrs().drop_encoding()


def _claim(folder: Path, identity: Mapping[str, Any]) -> None:
    """Write the identity into a new folder, or compare it with that of an old one."""
    path = folder / "identity.json"
    if path.exists():
        try:
            known = dict(json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            raise InputError(
                f"expected what was sampled in {path}, got a damaged file: restore it from a copy, or start anew"
            ) from error
        for name, value in identity.items():
            if known.get(name) != value:
                raise InputError(
                    f"expected to continue the draws in {folder} with the same {name}, got {value!r} where they have "
                    f"{known.get(name)!r}: restore it, or start anew in another folder"
                )
        return
    partial = path.with_suffix(".partial")
    if folder.is_dir() and any(entry != partial for entry in folder.iterdir()):
        raise InputError(f"expected a new folder or one of interrupted draws, got {folder}: choose another name")
    folder.mkdir(parents=True, exist_ok=True)
    partial.write_text(json.dumps(dict(identity), indent=2) + "\n", encoding="utf-8")
    partial.replace(path)
