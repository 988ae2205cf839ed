"""The model and the priors in formulas and words, as a page and a Methods section state them."""

from __future__ import annotations

__all__ = ["LIKELIHOOD", "PRIORS"]

LIKELIHOOD = (
    "y = Z a + X b + u + e,    u ~ N(0, σ²_g K),    e ~ N(0, σ²_e I)",
    "σ²_g = v h (1 - ρ),    σ²_e = v (1 - h),    E[Σ b²] = v h ρ",
    "log v ~ N(log s², 0.5²),    h ~ U(0, 1),    ρ ~ U(0, 1)",
)
"""The mixed model of standardised y and X, and the priors that all models share; s² is what the covariates leave."""

PRIORS = {
    "spike_slab": (
        "b_j ~ (1 - π) δ_0 + π Laplace(0, s),    s = √(v h ρ / (2 p π)),    log π ~ U(log 1/p, log min(0.3, 300/p))",
        "a point mass at zero and a Laplace slab, with a uniform prior of the logarithm of the share of SNPs that have "
        "an effect",
    ),
    "laplace": ("b_j ~ Laplace(0, s),    s = √(v h ρ / (2 p))", "a Laplace distribution, the prior of the Lasso"),
    "horseshoe": (
        "b_j = c t_j z_j,    t_j = τ λ_j / √(c² + τ² λ_j²),    z_j ~ N(0, 1),    λ_j ~ C⁺(0, 1)",
        "the regularised horseshoe",
    ),
    "normal": ("b_j ~ N(0, s²),    s = √(v h ρ / p)", "a normal distribution, as in ridge regression and GBLUP"),
}
"""The prior of the SNP effects in a formula and in words."""
