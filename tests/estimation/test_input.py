"""The call as a user gets it wrong: one clear sentence that names what, where, and what is allowed."""

from __future__ import annotations

import numpy as np
import pytest

import neglog as nl
from neglog.errors import DataError, InputError, ParameterError, ShapeError

TABLE = {
    "time": [5.0, 8.0, 11.0, 12.0],
    "event": [1, 1, 1, 0],
    "age": [50.0, 61.0, 47.0, 55.0],
    "sex": list("mffm"),
}
Y = np.array([1.0, 2.0, 4.0])


@pytest.mark.parametrize(
    ("call", "keywords", "error", "words"),
    [
        (("weibul", Y), {}, InputError, "did you mean 'weibull'"),
        (("weibull",), {}, InputError, "no formula names the response"),
        (("normal", "time ~ agee"), {"data": TABLE}, DataError, "no column 'agee'; did you mean 'age'"),
        (("normal", "tme ~ age"), {"data": TABLE}, DataError, "no column 'tme'; did you mean 'time'"),
        (("normal", "time ~ age"), {}, InputError, "pass data="),
        (("normal", "time"), {}, InputError, "'time' is a name; pass data="),
        (("normal", "time ~ age ~ sex"), {"data": TABLE}, InputError, "must read 'response ~ terms'"),
        (("normal", "time ~ age + ("), {"data": TABLE}, InputError, "formula '~ age \\+ \\('"),
        (
            ("normal", {"scael": "time ~ age"}),
            {"data": TABLE},
            InputError,
            "no parameter 'scael'; did you mean 'scale'",
        ),
        (
            ("normal", {"loc": "time ~ age", "scale": "age ~ sex"}),
            {"data": TABLE},
            InputError,
            "different responses",
        ),
        (("normal", {"loc": "~ age"}), {"data": TABLE}, InputError, "no formula names the response"),
        (("normal", "time ~ age", [[1.0]] * 4), {"data": TABLE}, InputError, "leave X out"),
        (("normal", Y, {"loc": "y ~ x"}), {"data": {"x": Y}}, InputError, "must start with '~'"),
        (("normal", "time ~ age"), {"data": 3}, InputError, "data is a int"),
        (("normal", "a ~ b"), {"data": {"a": [1, 2], "b": [1]}}, ShapeError, "different lengths"),
        (("normal", Y, [[1.0], [2.0]]), {}, ShapeError, "X has 2 rows and the response 3"),
        (("normal", Y, np.ones((3, 1, 1))), {}, ShapeError, "allowed: \\(n, k\\)"),
        (("normal", Y[:, None]), {}, ShapeError, "allowed: \\(n,\\)"),
        (("normal", ["1,5", "2"]), {}, DataError, "must be numbers; found 1,5 at position 0"),
        (("normal", Y, [[1.0], [np.inf], [3.0]]), {}, InputError, "column 'x0' of loc is inf at row 1"),
        (
            ("normal", Y),
            {"weights": [1, 2]},
            ShapeError,
            "weights has shape \\(2,\\) and the response \\(3,\\)",
        ),
        (("normal", Y), {"weights": [1, -2, 1]}, DataError, "row 1 has -2"),
        (("normal", Y), {"weights": [0, 0, 0]}, DataError, "no rows are left of 3"),
        (("normal", Y), {"weight_kind": "importance"}, InputError, "allowed: frequency, precision, sampling"),
        (("weibull", Y), {"weights": Y, "weight_kind": "precision"}, InputError, "weibull has not"),
        (("normal", np.array([1j, 2j])), {}, DataError, "must be numbers, not complex128"),
        (("normal", nl.Normal()), {}, DataError, "must be numbers"),
        (("normal", []), {}, DataError, "the response has no rows"),
        (("weibull", [0.0, 1.0, 2.0]), {}, DataError, "row 0 is exactly 0"),
        (
            ("normal", "y ~ when"),
            {"data": {"y": [1.0, 2.0], "when": np.array(["2020-01-01", "2021-01-01"], "M8[s]")}},
            InputError,
            "formula '~ when'",
        ),
        (("normal", Y), {"offset": [1.0]}, ShapeError, "offset has shape"),
        (("normal", Y), {"offset": {"mu": Y}}, InputError, "the parameters are loc, scale"),
        (("normal", Y), {"l2": -1.0}, InputError, "l2 = -1.0"),
        (("normal", Y), {"missing": "ignore"}, InputError, "allowed: 'raise', 'drop'"),
        (("weibull", Y), {"fixed": {"shap": 1.0}}, InputError, "the names are shape, scale"),
        (("weibull", Y), {"fixed": {"shape": -1.0}}, ParameterError, "shape = -1 is outside its domain"),
        (("weibull", Y), {"start": {"shape": 0.0}}, ParameterError, "shape = 0 is outside its domain"),
        (("normal", [1.0, np.nan, 3.0, np.nan]), {}, DataError, r"the response 'y' \(rows 1, 3\)"),
        (("normal", Y, [[1.0], [np.nan], [2.0]]), {}, DataError, r"X of loc \(rows 1\)"),
        (("normal", [np.nan]), {"missing": "drop"}, DataError, "no rows are left of 1: 1 have missing"),
        (("weibull", [1.0, -2.0, 3.0]), {}, DataError, "row 1: -2 is outside the support"),
        (("poisson", [1.0, 2.5]), {}, DataError, "row 1: 2.5 is outside the support integers"),
        (
            ("poisson", nl.interval([1.2], [1.8])),
            {},
            DataError,
            r"row 0 says \(1.2, 1.8\], which has likelihood 0",
        ),
        (("bernoulli", [0, 1, 2]), {}, DataError, "row 2: 2 is outside the support"),
        (("weibull", nl.right_censored([np.nan, 1.0], [1, 1])), {}, DataError, r"rows 0\): 1 of 2 rows"),
    ],
)
def test_mistakes(call, keywords, error, words):
    with pytest.raises(error, match=words):
        nl.fit(*call, **keywords)


def test_rows_are_counted_in_the_caller_s_data():
    """After dropping, messages still name the original rows."""
    with pytest.raises(DataError, match="row 3: -1 is outside"):
        nl.fit("weibull", [1.0, np.nan, 2.0, -1.0], missing="drop")


def test_dropped_rows_are_reported():
    r = nl.fit("normal", [1.0, np.nan, 3.0, 4.0], missing="drop")
    assert (r.nobs, r.dropped) == (3, 1)
    assert "1 incomplete rows dropped" in r.summary()
    assert r.params == nl.fit("normal", [1.0, 3.0, 4.0]).params


@pytest.mark.parametrize("value", [None, np.nan, "NA"])
def test_missing_values_of_object_columns(value):
    sex = np.array(["m", "f", value, "f", "m"], dtype=object)
    if value == "NA":  # a level like any other
        nl.fit("normal", "y ~ sex", data={"y": [1.0, 2.0, 3.0, 5.0, 4.0], "sex": sex})
        return
    with pytest.raises(DataError, match=r"column 'sex' \(rows 2\)"):
        nl.fit("normal", "y ~ sex", data={"y": [1.0, 2.0, 3.0, 5.0, 4.0], "sex": sex})


def test_containers_give_the_same_fit():
    import pandas as pd
    import pyarrow as pa

    fits = [
        nl.fit("weibull", "right_censored(time, event) ~ age", data=data)
        for data in (TABLE, pd.DataFrame(TABLE), pa.table(TABLE))
    ]
    y = nl.right_censored(TABLE["time"], TABLE["event"])
    fits += [
        nl.fit("weibull", y, "~ age", data=TABLE),
        nl.fit("weibull", y, {"scale": "~ age"}, data=TABLE),
        nl.fit("weibull", y, {"scale": "age"}, data=TABLE),
        nl.fit("weibull", y, ["age"], data=pa.table(TABLE), intercept=True),
        nl.fit("weibull", y, pd.DataFrame({"age": TABLE["age"]}), intercept=True),
        nl.fit("weibull", y, {"age": TABLE["age"]}, intercept=True),
    ]
    assert all(r.params == fits[0].params for r in fits)
    assert fits[0].names == ("shape", "scale.Intercept", "scale.age")


def test_columns_by_name():
    data = {"y": [1, 2, 4, 3], "w": [1.0, 2, 1, 1], "o": [0.1, 0.2, 0.3, 0.0], "g": list("abab")}
    r = nl.fit("poisson", "y", data=data, weights="w", offset="o", clusters="g")
    s = nl.fit("poisson", data["y"], weights=data["w"], offset=data["o"], clusters=data["g"])
    assert r.params == s.params and (r.cov == s.cov).all()


def test_offset_is_exposure():
    y, hours = np.array([3, 10, 4]), np.array([1.0, 4.0, 1.5])
    r = nl.fit("poisson", y, offset=np.log(hours))
    assert r.params["rate"] == pytest.approx(y.sum() / hours.sum(), rel=1e-13)


def test_integers_booleans_and_half_precision_count_as_numbers():
    x = np.array([[0, 1], [1, 0], [1, 1], [0, 0]])
    y = np.array([1, 2, 4, 3])
    expected = nl.fit("poisson", y.astype(float), x[:, :1].astype(float), intercept=True).params
    for kind in (np.int8, np.float16, np.float32, bool):
        assert nl.fit("poisson", y.astype(np.uint8), x[:, :1].astype(kind), intercept=True).params == expected


@pytest.mark.parametrize(
    ("call", "keywords", "words"),
    [
        (
            ("weibull", [1.0, 0.0, 3.0]),
            {},
            r"row 1 is exactly 0, where the density is 0 or infinite .*interval",
        ),
        (
            ("weibull", nl.interval([1.0, -1.0], [2.0, 0.0])),
            {},
            r"row 1 says \(-1, 0\], which has likelihood 0",
        ),
        (("normal", [1.0, 2.0]), {"weights": [0, 0]}, "no rows are left of 2: 2 have weight 0"),
        (
            ("normal", [np.nan, 1.0]),
            {"weights": [1, 0], "missing": "drop"},
            "1 have missing .* 1 have weight 0",
        ),
        (("normal", []), {}, "the response has no rows"),
        (("categorical", np.array([np.str_("a")] * 2, object)), {}, "all labels are 'a';"),
    ],
)
def test_messages_name_the_cause(call, keywords, words):
    with pytest.raises(DataError, match=words):
        nl.fit(*call, **keywords)


def test_an_unknown_family():
    with pytest.raises(InputError, match="no family 'norml'; did you mean 'normal'\\? known are bernoulli"):
        nl.fit("norml", [1.0])
    with pytest.raises(InputError, match=r"no family 'gaussian';.*known are bernoulli"):
        nl.fit("gaussian", [1.0])
