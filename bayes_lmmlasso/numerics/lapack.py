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
from numba.np.arrayobj import make_array
from numpy.typing import NDArray

from bayes_lmmlasso.numerics.compiled import compiled

__all__ = ["LAPACK", "cholesky", "solve_triangular", "submatrix", "tridiagonalise"]

_ROUTINES = ("dpotrf", "dtrtrs", "dsytrd", "dormtr")
_POTRF, _TRTRS, _SYTRD, _ORMTR = range(4)
_LOWER, _LEFT, _TRANSPOSED, _PLAIN = b"LLTN"  # C order is the transpose of Fortran's: what is upper here is lower there
_BLOCK = 32  # columns that LAPACK's blocked reductions treat at once

LAPACK: NDArray[np.int64] = np.array(
    [get_cython_function_address("scipy.linalg.cython_lapack", name) for name in _ROUTINES], dtype=np.int64
)
"""Addresses of the routines, the first argument of the functions here."""


def _typed_call(_: Any, address: Any, arrays: Any) -> Any:
    """Call the C function at an address with pointers to the values of arrays, which live until it returns.

    Taken as numbers, such as ``A.ctypes.data``, the pointers would not keep the arrays: memory that is not used below
    the call is free before it, and another thread may have it.
    """

    def generate(context: Any, builder: Any, _: Any, values: Any) -> Any:
        pointers = [
            make_array(kind)(context, builder, builder.extract_value(values[1], i)).data  # type: ignore[no-untyped-call]
            for i, kind in enumerate(arrays)
        ]
        kind = ir.FunctionType(ir.VoidType(), [pointer.type for pointer in pointers])
        builder.call(builder.inttoptr(values[0], kind.as_pointer()), pointers)

    return types.void(address, arrays), generate


_call: Any = intrinsic(_typed_call)


@compiled
def _checked(A: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a matrix that LAPACK can work on, or refuse it."""
    if not A.flags.c_contiguous or A.itemsize != 8:
        raise TypeError("LAPACK works on float64 in C order")
    return A


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
    _call(lapack[_POTRF], (letters, n, _checked(V), n, n[1:]))
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
    _call(
        lapack[_TRTRS],
        (letters, letters[1:], letters[2:], n, n[1:], _checked(upper), n, _checked(B), n, n[2:]),
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
    _checked(K)
    _checked(W)
    _call(lapack[_SYTRD], (letters, n, K, n, diagonal, off_diagonal, tau, work, n[2:], n[4:]))
    _call(lapack[_ORMTR], (letters[1:], letters, letters[2:], n, n[1:], K, n, tau, W, n, work, n[3:], n[4:]))
    return diagonal, off_diagonal
