"""Judge predictions: states that merge exactly, and what they say."""

from neglog.evaluation.result import BadRow, Bin, ClassificationResult, ClassRow, Histogram, WorstRow
from neglog.evaluation.state import Score

__all__ = ["BadRow", "Bin", "ClassRow", "ClassificationResult", "Histogram", "Score", "WorstRow"]
