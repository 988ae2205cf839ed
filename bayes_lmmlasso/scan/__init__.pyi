from .association import Scan, ScanMethod, scan, scan_by_chromosome
from .stepwise import MLMM, MLMMStep, mlmm

__all__ = [
    "MLMM",
    "MLMMStep",
    "Scan",
    "ScanMethod",
    "mlmm",
    "scan",
    "scan_by_chromosome",
]
