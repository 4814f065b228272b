"""Text, markdown and JSON renderings, word for word."""

from __future__ import annotations

import json
from typing import Any

import pytest

from neglog.report import data, text
from neglog.report.fit import fit_report
from neglog.report.score import score_report


@pytest.fixture
def reports(score: Any, life: Any, kicks: Any, failed: Any) -> dict[str, Any]:
    return {
        "score": score_report(score, title="Score of preds.csv"),
        "life": fit_report(life, title="Weibull fit of hours", source="life.csv", response="hours"),
        "kicks": fit_report(kicks, title="Poisson fit of deaths"),
        "failed": fit_report(failed, title="Weibull fit of t"),
    }


@pytest.mark.parametrize("name", ["score", "life", "kicks"])
def test_text(name: str, reports: dict[str, Any], golden: Any) -> None:
    golden(text.text(reports[name]), f"{name}.txt")


@pytest.mark.parametrize("name", ["score", "life"])
def test_markdown(name: str, reports: dict[str, Any], golden: Any) -> None:
    golden(text.markdown(reports[name]), f"{name}.md")


def _rounded(value: Any) -> Any:
    """Ten digits: the last ones may differ between instruction sets."""
    if isinstance(value, float):
        return float(f"{value:.10g}")
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", ["score", "life"])
def test_json(name: str, reports: dict[str, Any], golden: Any) -> None:
    report = reports[name]
    found = json.loads(data.report_json(report))
    assert found["schema_version"] == 1
    golden(json.dumps(_rounded(found), indent=1, sort_keys=True) + "\n", f"{name}.json")


def test_an_estimate_is_printed_to_the_place_of_its_error(reports: dict[str, Any]) -> None:
    assert "606.5       124.9    405.1     908.1" in text.text(reports["life"])


def test_a_failed_fit_says_so_before_its_numbers(reports: dict[str, Any]) -> None:
    shown = text.text(reports["failed"])
    assert 0 < shown.index("UNBOUNDED: ") < shown.index("NLL")
