"""What a diagnosis found, and how it prints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from textwrap import fill

_WIDTH = 96


@dataclass(frozen=True)
class Finding:
    """One mistake: what is wrong, the evidence, and what to change.

    ``numbers`` holds the evidence for programs. ``certain`` is False where the data look like a mistake but may be
    meant: the loss that they are for was not declared, or the evidence is statistical.

    Examples
    --------
    >>> import neglog as nl
    >>> finding = nl.diagnose([[0.0, 2.0], [1.0, 0.5]], [1, 2], "logits").findings[0]
    >>> finding.code, finding.certain, finding.numbers
    ('one_based', True, {'lowest': 1.0, 'highest': 2.0, 'classes': 2.0})
    """

    code: str
    title: str
    evidence: str
    change: str
    numbers: Mapping[str, float] = field(default_factory=dict[str, float])
    certain: bool = True

    def __str__(self) -> str:
        head = f"{self.code}: {self.title}" + ("" if self.certain else " (probably)")
        return "\n".join([head, _paragraph("evidence", self.evidence), _paragraph("change", self.change)])


@dataclass(frozen=True)
class Diagnosis:
    """What :func:`neglog.diagnose` found: a sequence of :class:`Finding` that prints as text.

    ``kind`` is how the output was read, ``rows`` how many rows there are and ``read`` how many of them, evenly spaced,
    were looked at.
    """

    findings: tuple[Finding, ...]
    kind: str
    rows: int
    read: int

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    @property
    def codes(self) -> tuple[str, ...]:
        """The findings' short names."""
        return tuple(finding.code for finding in self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __getitem__(self, code: str) -> Finding:
        """The finding of that short name."""
        for finding in self.findings:
            if finding.code == code:
                return finding
        raise KeyError(code)

    def __str__(self) -> str:
        rows = f"{self.rows:,} rows" if self.read == self.rows else f"{self.read:,} of {self.rows:,} rows"
        many = {0: "nothing suspicious", 1: "1 finding"}.get(len(self), f"{len(self)} findings")
        head = f"neglog.diagnose: {many}; read {rows} as {self.kind}"
        return "\n\n".join([head, *(f"{place}. {finding}" for place, finding in enumerate(self, 1))])

    __repr__ = __str__


def _paragraph(label: str, words: str) -> str:
    return fill(f"{label + ':':<10}{words}", _WIDTH, initial_indent="   ", subsequent_indent=" " * 13)
