"""Losses of an enhancer, one file each: `loss(estimate=, reference=, lengths=)` gives a scalar."""
