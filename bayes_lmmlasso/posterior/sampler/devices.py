"""A genotype matrix larger than one device: its SNPs spread over several.

Every product with X is then a sum over devices (X b) or stays where its SNPs are (X'r); XLA inserts the exchange of
n-vectors, and of one block of SNPs at a time in a sweep. The draws are those of one device up to rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.models.rotated import RotatedData

__all__ = ["is_sharded", "on_accelerator", "shard"]


def shard(data: RotatedData, devices: int | Sequence[jax.Device]) -> RotatedData:
    """Spread the SNPs evenly over devices; everything else is copied to each of them.

    Parameters
    ----------
    data
        Rotated data.
    devices
        The devices, or how many of those that JAX sees. On the CPU they are made by
        ``XLA_FLAGS=--xla_force_host_platform_device_count=4`` before JAX starts.

    Returns
    -------
    RotatedData
        With rows of zeros below the SNPs where their number is no multiple of the devices.

    Raises
    ------
    InputError
        If there are not so many devices.
    """
    if isinstance(devices, int):
        seen = jax.devices()
        if not 1 <= devices <= len(seen):
            raise InputError(
                f"expected from 1 to {len(seen)} devices, as many as JAX sees ({seen[0].platform}), got {devices}: ask "
                "for fewer"
            )
        devices = seen[:devices]
    mesh = Mesh(np.array(devices), ("snps",))
    padding = -data.n_snps % len(devices)
    XT = jnp.pad(data.XT[: data.n_snps], ((0, padding), (0, 0)))
    padded = replace(data, XT=XT, padding=padding)
    places = jax.tree.map(lambda leaf: _on(mesh, "snps" if leaf is XT else None), padded)
    spread: RotatedData = jax.device_put(padded, places)
    return spread


def _on(mesh: Mesh, first: str | None) -> NamedSharding:
    """Return the placement that splits the first axis over the mesh, or copies an array to all of it."""
    return NamedSharding(mesh, PartitionSpec() if first is None else PartitionSpec(first))  # type: ignore[no-untyped-call]


def is_sharded(data: RotatedData) -> bool:
    """Whether the SNPs are spread over several devices."""
    return len(data.XT.devices()) > 1


def on_accelerator(data: RotatedData) -> bool:
    """Whether the SNPs are in the memory of a GPU or TPU."""
    return all(device.platform != "cpu" for device in data.XT.devices())
