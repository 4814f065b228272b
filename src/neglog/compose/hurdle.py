"""Hurdle(family)."""

from __future__ import annotations

from dataclasses import dataclass

from neglog.compose.composition import scalar
from neglog.compose.truncated import Truncated
from neglog.compose.zero_inflated import ZeroInflated
from neglog.families import ScalarFamily, composition, spelled


@composition("hurdle")
@dataclass(frozen=True)
class Hurdle(ZeroInflated):
    r"""Zero or not, and if not, how much: :math:`P(Y = 0) = \pi`, elsewhere :math:`(1-\pi) f(y) / P_f(Y > 0)`.

    That is zero-inflation of the family truncated to positive values, in which every zero is an additional one.

    Parameters
    ----------
    family : family or name
        Of positive values; what it says about zero and below does not count.
    zero : in [0, 1], the last parameter
        :math:`\pi`, the probability of zero, larger or smaller than the family's own.

    References
    ----------
    Mullahy, Specification and testing of some modified count data models, Journal of Econometrics 33 (1986);
    Cragg, Econometrica 39 (1971) for continuous families.

    Examples
    --------
    >>> import neglog as nl
    >>> nl.Hurdle("poisson").nll([0, 3], rate=2.5, zero=0.4).round(6)
    array([0.916291, 1.968062])
    """

    def __post_init__(self) -> None:
        object.__setattr__(self, "family", scalar("Hurdle", self.family))
        positive = self.family.support.low >= (1 if self.family.discrete or self.family.atom == 0 else 0)
        object.__setattr__(self, "_rest", self.family if positive else Truncated(self.family, lower=0.0))
        self._describe(f"hurdle({spelled(self.family)})", self.rest)

    @property
    def rest(self) -> ScalarFamily:
        """The family given that its value is positive."""
        return self._rest  # type: ignore[attr-defined]
