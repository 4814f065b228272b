"""Losses for a network that predicts a mean and a variance, compared on real tables."""
