"""What is wrong with predictions before they meet a loss: :func:`diagnose`."""

from neglog.diagnosis.entry import diagnose
from neglog.diagnosis.finding import Diagnosis, Finding

__all__ = ["Diagnosis", "Finding", "diagnose"]
