"""The Bayesian models: one file a prior, all on one rotated likelihood.

Each model is a NumPyro function of one argument, the `RotatedData`; it reads as the model on paper.
This folder imports nothing of the package, so that it can be read, and replaced, on its own.
"""

if __name__ == "models":
    raise ImportError("import this folder as bayes_lmmlasso.models; 'models' is only its place in the repository")

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
