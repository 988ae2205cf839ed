"""LAPACK's factorizations for compiled functions, without Python's lock.

SciPy's own wrappers hold the lock while LAPACK works, so that threads wait for each other: 100 reductions of 705
samples took as long on two cores as on one. The same routines, called by the addresses that
`scipy.linalg.cython_lapack` exports, run side by side, from Python or inside larger compiled functions (Anderson et al.
1999, LAPACK Users' Guide, doi:10.1137/1.9780898719604).

Everything is in C order and in place: of a symmetric matrix the upper triangle counts, and a set of vectors has one in
each row. The addresses go in as an argument, ``LAPACK``, because compiled code kept on disk must not hold them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import get_cython_function_address, intrinsic
from numpy.typing import NDArray

from bayes_lmmlasso.lmm.compiled import compiled

__all__ = ["LAPACK", "cholesky", "solve_triangular", "submatrix", "tridiagonalise"]

_ROUTINES = ("dpotrf", "dtrtrs", "dsytrd", "dormtr")
_POTRF, _TRTRS, _SYTRD, _ORMTR = range(4)
_LOWER, _LEFT, _TRANSPOSED, _PLAIN = b"LLTN"  # C order is the transpose of Fortran's: what is upper here is lower there
_BLOCK = 32  # columns that LAPACK's blocked reductions treat at once

LAPACK: NDArray[np.int64] = np.array(
    [get_cython_function_address("scipy.linalg.cython_lapack", name) for name in _ROUTINES], dtype=np.int64
)
"""Addresses of the routines, the first argument of the functions here."""


def _typed_call(_: Any, address: Any, pointers: Any) -> Any:
    """Call the C function at an address with a tuple of pointers."""

    def generate(_: Any, builder: Any, __: Any, values: Any) -> Any:
        arguments = [builder.extract_value(values[1], i) for i in range(len(pointers))]
        kind = ir.FunctionType(ir.VoidType(), [argument.type for argument in arguments])
        builder.call(builder.inttoptr(values[0], kind.as_pointer()), arguments)

    return types.void(address, pointers), generate


_call: Any = intrinsic(_typed_call)


@compiled
def _at(A: NDArray[np.float64]) -> int:
    """Address of the values of a matrix that LAPACK can work on."""
    if not A.flags.c_contiguous or A.itemsize != 8:
        raise TypeError("LAPACK works on float64 in C order")
    return int(A.ctypes.data)


@compiled
def submatrix(K: NDArray[np.float64], rows: NDArray[np.intp], shift: float) -> NDArray[np.float64]:
    """Return the upper triangle of K[rows, rows] + shift I; the lower one is undefined."""
    m = rows.size
    part = np.empty((m, m))
    for i in range(m):
        row = K[rows[i]]
        for j in range(i, m):
            part[i, j] = row[rows[j]]
        part[i, i] += shift
    return part


@compiled
def cholesky(lapack: NDArray[np.int64], V: NDArray[np.float64]) -> bool:
    """Overwrite the upper triangle of V = L L' by L'; False when V is not positive definite."""
    letters, n = np.array([_LOWER], np.uint8), np.array([V.shape[0], 0], np.int32)
    size = n.ctypes.data
    _call(lapack[_POTRF], (letters.ctypes.data, size, _at(V), size, n[1:].ctypes.data))
    return bool(n[1] == 0)


@compiled
def solve_triangular(
    lapack: NDArray[np.int64], upper: NDArray[np.float64], B: NDArray[np.float64], transposed: bool
) -> None:
    """Overwrite each row b of B, shape ``(t, m)``, by L^-1 b, or L'^-1 b, for the upper triangle L'."""
    if B.shape[0] == 0:
        return
    letters = np.array([_LOWER, _TRANSPOSED if transposed else _PLAIN, _PLAIN], np.uint8)
    n = np.array([B.shape[1], B.shape[0], 0], np.int32)
    size, how = n.ctypes.data, letters[2:].ctypes.data
    _call(
        lapack[_TRTRS],
        (
            letters.ctypes.data,
            letters[1:].ctypes.data,
            how,
            size,
            n[1:].ctypes.data,
            _at(upper),
            size,
            _at(B),
            size,
            n[2:].ctypes.data,
        ),
    )


@compiled
def tridiagonalise(
    lapack: NDArray[np.int64], K: NDArray[np.float64], W: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Reduce K = Q T Q' and each row w of W, shape ``(t, m)``, to Q'w; return diagonal and off-diagonal of T."""
    t, m = W.shape
    diagonal, off_diagonal, tau = np.empty(m), np.empty(m - 1), np.empty(m - 1)
    work = np.empty(_BLOCK * max(m, t) + 65 * 64)  # dormtr keeps a 65 x 64 triangle in its work space
    letters = np.array([_LOWER, _LEFT, _TRANSPOSED], np.uint8)
    n = np.array([m, t, _BLOCK * m, work.size, 0], np.int32)
    lower, size, info = letters.ctypes.data, n.ctypes.data, n[4:].ctypes.data
    _call(
        lapack[_SYTRD],
        (
            lower,
            size,
            _at(K),
            size,
            diagonal.ctypes.data,
            off_diagonal.ctypes.data,
            tau.ctypes.data,
            work.ctypes.data,
            n[2:].ctypes.data,
            info,
        ),
    )
    _call(
        lapack[_ORMTR],
        (
            letters[1:].ctypes.data,
            lower,
            letters[2:].ctypes.data,
            size,
            n[1:].ctypes.data,
            _at(K),
            size,
            tau.ctypes.data,
            _at(W),
            size,
            work.ctypes.data,
            n[3:].ctypes.data,
            info,
        ),
    )
    return diagonal, off_diagonal
