"""What draws say: inclusion, windows, credible sets, shares of variance."""
