"""The LaTeX that docstrings use, as lines of text for a terminal."""

from __future__ import annotations

import re

_SIGNS = {
    "Gamma": "Γ",
    "Omega": "Ω",
    "Phi": "Φ",
    "alpha": "α",
    "beta": "β",
    "cdot": "·",
    "chi": "χ",
    "delta": "δ",
    "dots": "...",
    "epsilon": "ε",
    "eta": "η",
    "gamma": "γ",
    "ge": "≥",
    "infty": "∞",
    "int": "∫",
    "kappa": "κ",
    "lambda": "λ",
    "le": "≤",
    "ldots": "...",
    "mu": "μ",
    "ne": "≠",
    "nu": "ν",
    "omega": "ω",
    "phi": "φ",
    "pi": "π",
    "pm": "±",
    "prod": "Π",
    "psi": "ψ",
    "rho": "ρ",
    "sigma": "σ",
    "sim": "~",
    "sqrt": "√",
    "sum": "Σ",
    "tau": "τ",
    "theta": "θ",
    "times": "×",
    "to": "→",
    "xi": "ξ",
    "left": "",
    "right": "",
}


def spelled(formula: str) -> str:
    r"""One formula in a line.

    >>> spelled(r"-\log f(y) = z^2/2 + \log\sigma + \tfrac12\log 2\pi + e^{-\eta}")
    '-log f(y) = z^2/2 + log σ + 1/2 log 2π + e^(-η)'
    >>> spelled(r"\frac{\nu+1}{2}\log(1 + z^2/\nu) - y\log\Gamma(\theta_{j-1}) \le \sqrt{\nu\pi}")
    '(ν+1)/2 log(1 + z^2/ν) - y log Γ(θ_(j-1)) ≤ √(νπ)'
    """
    formula = re.sub(r"\\(?:text|mathrm|operatorname|mathbf)\{([^{}]*)\}", r" \1 ", formula)
    formula = re.sub(r"\\[,;:! ]", " ", formula)
    formula = re.sub(r"\\[dt]?frac\s*(\w)\s*(\w)", r"\1/\2", formula)
    while (simpler := re.sub(r"\\[dt]?frac\{([^{}]*)\}\{([^{}]*)\}|(_?)\{([^{}]*)\}", _group, formula)) != formula:
        formula = simpler
    formula = re.sub(r"\\([A-Za-z]+)\s*", _word, formula)
    return re.sub(r"\s+", " ", formula).strip()


def _group(found: re.Match[str]) -> str:
    """A fraction, an index or any other group in braces, with brackets where it needs them."""
    over, under, index, inside = found.groups()
    if inside is None:
        return f"{_bracketed(over)}/{_bracketed(under)}"
    return f"_{inside}" if index and inside.isalnum() else index + _bracketed(inside)


def _bracketed(part: str) -> str:
    return part if re.fullmatch(r"\\[A-Za-z]+|\w", part) else f"({part})"


def _word(found: re.Match[str]) -> str:
    name, spaced = found[1], found[0][-1].isspace()
    before, after = found.string[: found.start()][-1:], found.string[found.end() :][:1]
    if name in ("le", "ge", "ne", "sim", "to", "pm", "times"):
        return f" {_SIGNS[name]} "
    if name in _SIGNS:
        return _SIGNS[name] + " " * (spaced and name != "sqrt")
    # log, exp, sinh: apart from what stands beside it, except for its own brackets
    return " " * (before.isalnum() or before == ")") + name + " " * (after != "(")
