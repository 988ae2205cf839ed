"""LAPACK's factorizations without Python's lock.

SciPy's own wrappers hold the lock while LAPACK works, so that threads wait for each other: 100 reductions of 705
samples took as long on two cores as on one. The same routines, reached through the addresses that
`scipy.linalg.cython_lapack` exports, run side by side. All of them work in place, on matrices in Fortran order of
which the lower triangle counts (Anderson et al. 1999, LAPACK Users' Guide, doi:10.1137/1.9780898719604).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cython_lapack

__all__ = ["cholesky", "solve_lower", "tridiagonalise"]

_BLOCK = 32  # columns that LAPACK's blocked reductions treat at once


def cholesky(V: NDArray[np.float64]) -> bool:
    """Overwrite the lower triangle of V = L L' by L; False when V is not positive definite.

    The upper triangle keeps what it held.
    """
    m = V.shape[0]
    return _call("dpotrf", b"L", m, _fortran(V), m) == 0


def solve_lower(L: NDArray[np.float64], B: NDArray[np.float64], transposed: bool = False) -> NDArray[np.float64]:
    """Return L^-1 B, or L'^-1 B, of shape ``(m, t)`` in Fortran order, for lower triangular L."""
    m, t = B.shape
    solution = np.array(B, dtype=np.float64, order="F")
    if t:
        _call("dtrtrs", b"L", b"T" if transposed else b"N", b"N", m, t, _fortran(L), m, solution, m)
    return solution


def tridiagonalise(K: NDArray[np.float64], W: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Reduce K = Q T Q', which is overwritten, and W to Q'W; return the diagonal and the off-diagonal of T."""
    m, t = W.shape
    diagonal, off_diagonal, tau = np.empty(m), np.empty(m - 1), np.empty(m - 1)
    work = np.empty(_BLOCK * max(m, t) + 65 * 64)  # dormtr keeps a 65 x 64 triangle in its work space
    _call("dsytrd", b"L", m, _fortran(K), m, diagonal, off_diagonal, tau, work, _BLOCK * m)
    _call("dormtr", b"L", b"L", b"T", m, t, K, m, tau, _fortran(W), m, work, work.size)
    return diagonal, off_diagonal


def _fortran(A: NDArray[np.float64]) -> NDArray[np.float64]:
    if A.dtype != np.float64 or not A.flags.f_contiguous:
        raise TypeError(f"LAPACK works on float64 in Fortran order, not on {A.dtype} with strides {A.strides}")
    return A


def _call(name: str, *arguments: bytes | int | NDArray[np.float64]) -> int:
    """Call a routine, all arguments by reference; return its info."""
    info = ctypes.c_int()
    _routine(name, len(arguments) + 1)(*map(_address, arguments), ctypes.byref(info))
    if info.value < 0:
        raise TypeError(f"{name}: argument {-info.value} is not valid")
    return info.value


def _address(argument: bytes | int | NDArray[np.float64]) -> object:
    if isinstance(argument, np.ndarray):
        return argument.__array_interface__["data"][0]
    return ctypes.byref(_integer(argument)) if isinstance(argument, int) else argument


@cache
def _integer(value: int) -> ctypes.c_int:
    """Return a C integer to point at; LAPACK only reads it."""
    return ctypes.c_int(value)


@cache
def _routine(name: str, n_arguments: int) -> Callable[..., None]:
    capsule = cython_lapack.__pyx_capi__[name]
    name_of = ctypes.PYFUNCTYPE(ctypes.c_char_p, ctypes.py_object)(("PyCapsule_GetName", ctypes.pythonapi))
    address_of = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
        ("PyCapsule_GetPointer", ctypes.pythonapi)
    )
    pointers = [ctypes.c_void_p] * n_arguments
    return ctypes.CFUNCTYPE(None, *pointers)(address_of(capsule, name_of(capsule)))
