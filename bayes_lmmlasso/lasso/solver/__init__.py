"""The Lasso in the metric of the mixed model: homotopy on small working sets, screened by products with all SNPs."""
