"""The composite sampler: slice sampling of the hyper-parameters, a sweep over the effects."""
