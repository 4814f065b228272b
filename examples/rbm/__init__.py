"""Restricted Boltzmann machines on digits, small enough that every likelihood is exact, and a large one beside them."""
