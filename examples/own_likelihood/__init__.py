"""Likelihoods that a user writes: least squares, the cost of a coin, a curve."""
