"""What every column of the tables means, and the literature: the part of a report that explains the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bayes_lmmlasso.models import model_spec
from bayes_lmmlasso.report.tables import priors_of

__all__ = ["REFERENCES", "column_definitions"]

REFERENCES = (
    (
        "Rakitsch, Lippert, Stegle, Borgwardt (2013). A Lasso multi-marker mixed model for association "
        "mapping with population structure correction. Bioinformatics 29",
        "10.1093/bioinformatics/bts669",
    ),
    (
        "Zhou, Carbonetto, Stephens (2013). Polygenic modeling with Bayesian sparse linear mixed models. "
        "PLoS Genetics 9",
        "10.1371/journal.pgen.1003264",
    ),
    (
        "Meinshausen, Buehlmann (2010). Stability selection. Journal of the Royal Statistical Society B 72",
        "10.1111/j.1467-9868.2010.00740.x",
    ),
    (
        "Fernando, Garrick (2013). Bayesian methods applied to GWAS. Methods in Molecular Biology 1019",
        "10.1007/978-1-62703-447-0_10",
    ),
    (
        "Kang, Sul, Service, Zaitlen, Kong, Freimer, Sabatti, Eskin (2010). Variance component model to account for "
        "sample structure in genome-wide association studies. Nature Genetics 42",
        "10.1038/ng.548",
    ),
    (
        "Wang, Sarkar, Carbonetto, Stephens (2020). A simple new approach to variable selection in regression, with "
        "application to genetic fine mapping. Journal of the Royal Statistical Society B 82",
        "10.1111/rssb.12388",
    ),
    (
        "Woody, Carvalho, Murray (2021). Model interpretation through lower-dimensional posterior summarization. "
        "Journal of Computational and Graphical Statistics 30",
        "10.1080/10618600.2020.1796398",
    ),
    (
        "Newton, Noueiry, Sarkar, Ahlquist (2004). Detecting differential gene expression with a semiparametric "
        "hierarchical mixture method. Biostatistics 5",
        "10.1093/biostatistics/5.2.155",
    ),
    ("Stephens (2017). False discovery rates: a new deal. Biostatistics 18", "10.1093/biostatistics/kxw041"),
    (
        "Vehtari, Gelman, Simpson, Carpenter, Buerkner (2021). Rank-normalization, folding, and localization: "
        "an improved R-hat. Bayesian Analysis 16",
        "10.1214/20-BA1221",
    ),
    (
        "Kallioinen, Paananen, Bürkner, Vehtari (2024). Detecting and diagnosing prior and likelihood sensitivity with "
        "power-scaling. Statistics and Computing 34",
        "10.1007/s11222-023-10366-5",
    ),
    (
        "Kass, Raftery (1995). Bayes factors. Journal of the American Statistical Association 90",
        "10.1080/01621459.1995.10476572",
    ),
    (
        "Kruschke (2021). Bayesian analysis reporting guidelines. Nature Human Behaviour 5",
        "10.1038/s41562-021-01177-7",
    ),
    (
        "Little et al. (2009). Strengthening the reporting of genetic association studies (STREGA). PLoS Medicine 6",
        "10.1371/journal.pmed.1000022",
    ),
    (
        "Vehtari, Gelman, Gabry (2017). Practical Bayesian model evaluation using leave-one-out "
        "cross-validation and WAIC. Statistics and Computing 27",
        "10.1007/s11222-016-9696-4",
    ),
)
"""Pairs of citation and DOI."""


def column_definitions(record: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return table -> column -> meaning for the run that ``record`` (``run.json``) describes."""
    arguments = record["arguments"]
    snp, window = record["snp_variance_share"], record["window_variance_share"]
    k, model = arguments["n_active"], priors_of(record)[0]
    included = (
        "any of its SNPs is included"
        if model_spec(model).exact_zeros
        else f"its SNPs together explain more than {window:.1%} of the trait's variance"
    )
    definitions = {
        "windows.tsv": {
            "chrom, start, end": f"the window ({arguments['window']}), in bp; where positions are unknown, SNP "
            "numbers along the chromosome",
            "n_snps": "analysed SNPs in it",
            "window_pip": f"posterior probability that {included}; the unit to read first, as neighbouring SNPs in "
            "linkage disequilibrium share a signal",
            "window_pip_mcse": "Monte Carlo standard error of window_pip",
            "window_pip_prior": "the same probability before any data: it grows with the number of SNPs, so that a "
            "window_pip means nothing without it; NA for a model of your own",
            "bayes_factor": "posterior odds of window_pip over its prior odds; windows rank by it. Where all draws "
            "include the window it is a bound, about the effective number of draws over window_pip_prior",
            "variance_share": "posterior mean of the share of the trait's variance that its SNPs explain",
            "top_snp, top_snp_pip": "its SNP with the largest pip, and that pip",
            "r_hat": "convergence of the window's variance share: close to 1 when the chains agree",
        },
        "inclusion.tsv": {
            "chrom, pos, snp": "the SNP; pos is in bp, 0 if unknown",
            "effect_allele, other_allele, eaf": "the counted allele (allele 1 of the .bim file), the other one, "
            "and the frequency of the counted one among the analysed samples",
            "beta_map": f"LMM-Lasso point estimate with {k} active SNPs. This and all effects: trait "
            "standard deviations for one standard deviation of the SNP",
            "path_rank": "order in which SNPs enter the Lasso path; NA if never, ties share a rank",
            "stability": f"share of the {arguments['subsamples']} subsamples (each of a share "
            f"{arguments['subsample_fraction']:g} of the samples) in which the Lasso selects the SNP",
            "beta_mean, beta_sd, beta_lo, beta_hi": "posterior mean, standard deviation and 95% equal-tailed interval",
            "pip": _pip(model, snp) + _baseline(record["evidence"]["sampling"]["pip_prior"]),
            "pip_mcse": "Monte Carlo standard error of pip",
            "lfsr": "local false sign rate: min(P(b ≥ 0), P(b ≤ 0)); small when the sign is certain",
            "r_hat, ess_bulk": "convergence and effective number of draws of the SNP's effect",
            "p_lmm": "p-value of a single-SNP mixed-model Wald test at the null model's delta (P3D), not corrected for "
            "the number of SNPs; NA where the covariates determine the SNP, or where no scan was run",
            "selection_freq": "share of posterior draws of the SNP effects' fitted values (400 at most) on which the "
            f"same Lasso, to the same {k} SNPs, selects the SNP: where stability perturbs the data, this draws from "
            "the posterior",
        },
        "hyper.tsv": {
            "log_v": "logarithm of the total variance v that the covariates leave (of a trait of variance 1)",
            "h": "expected share of v that is genetic",
            "rho": "expected share of the genetic part that is in the SNP effects",
            "a[…]": "effects of intercept and covariates",
            "sigma2_g, sigma2_e": "variance of the polygenic background (times the kinship) and of the noise",
            "pve": "realised share of variance that is genetic: SNP effects and background together",
            "pge": "realised var(Xb) / var(Xb + u). No share of a whole: where SNP effects and background oppose each "
            "other, as they do where the data cannot tell them apart, var(Xb + u) is less than var(Xb) and pge exceeds "
            "1; the background's share of the variance is then negative",
            "snp_share": "realised var(Xb) / (var(Xb) + var(u)), from 0 to 1: the share of the SNP effects where the "
            "covariance of both is left out; next to pge it tells how far they oppose each other (pge above it) or "
            "work together (below)",
            "mean, sd, eti95_lb, eti95_ub": "posterior mean, standard deviation, 95% equal-tailed interval",
            "ess_bulk, ess_tail, r_hat": "effective numbers of draws for centre and tails, and convergence",
            "mcse_mean, mcse_sd": "Monte Carlo standard errors of mean and sd",
        },
    }
    if len(priors_of(record)) > 1:
        definitions["priors.tsv"] = _PRIORS
    if model_spec(model).exact_zeros:
        definitions["credible_sets.tsv"] = _CREDIBLE_SETS
    return definitions


_PRIORS = {
    "model": "the prior; the tables beside are of the first, those of the others in folders of their names",
    "elpd_loo, elpd_loo_se": "expected log predictive density of individuals left out, and its standard error",
    "elpd_behind, behind_se": "how far it is behind the best prior, and the standard error of the difference",
    "weight": "its weight in the stack of the priors that predicts best",
    "pareto_k_bad": "individuals for whom leave-one-out is not reliable",
    "r_hat": "worst of the hyper-parameters",
    "snp_share, snp_lo, snp_hi": "share of variance of the SNP effects: posterior median and 95% interval",
}

_CREDIBLE_SETS = {
    "chrom, start, end": "bp of the first and last SNP of the set",
    "n_snps, snps": "how many SNPs the set has, and their ids, the most probable first",
    "coverage, coverage_mcse": "posterior probability that at least one of them has an effect, and its Monte Carlo "
    "standard error; a group that does not reach 0.95 is no set",
    "purity": "smallest absolute correlation between two SNPs of the set; at least 0.5",
    "n_included": "posterior mean of the number of its SNPs that have an effect: about 1 for one signal; well above, "
    "in a large set, it may be the background that the prior puts everywhere",
    "top_snp, top_snp_pip": "its most probable SNP, and the share of draws that include it",
}


def _baseline(prior: float | None) -> str:
    """Say what pip is before any data."""
    return "" if prior is None else f". Before any data it is {prior:.2g} for every SNP"


def _pip(model: str, share: float) -> str:
    """Say what inclusion means under a prior with, or without, a point mass at zero."""
    if model_spec(model).exact_zeros:
        return f"P(b ≠ 0 | y): the posterior inclusion probability; the {model} prior has a point mass at zero"
    return (
        f"P(b² > {share:g} | y): the posterior probability that the SNP explains more than {share:.1%} of the trait's "
        f"variance. The {model} prior has no mass at exactly zero, so this is not P(b ≠ 0)"
    )
