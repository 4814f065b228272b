"""Bad input: exceptions that name function, argument, first bad value, position and what is allowed."""

from __future__ import annotations

import math

import numpy as np
import pytest

import neglog as nl
from neglog.evaluation.inputs import columns_by_class

GOOD = [0.5, 0.5]


def score(on_bad="raise", input="probs", classes=("ham", "spam"), **options):
    return nl.Score.classification(input=input, classes=classes, on_bad=on_bad, **options)


# reason -> y, p, weight of a batch whose rows 1 and 3 are bad, and what the message says
HAM = ["ham"] * 4
CASES = {
    "label": (
        ["ham", "eggs", "spam", None],
        [GOOD] * 4,
        None,
        r"not among the classes: 2 rows \(1, 3\), where y\[1\] = 'eggs'; the classes are \['ham', 'spam'\]",
    ),
    "nan": (
        HAM,
        [GOOD, [np.nan, 1], GOOD, [1, np.nan]],
        None,
        r"NaN among the predictions: 2 rows \(1, 3\), where p\[1\] = \[nan, 1.0\]",
    ),
    "outside": (
        HAM,
        [GOOD, [1.5, -0.5], GOOD, [-1e-9, 1]],
        None,
        r"outside \[0, 1\]: 2 rows \(1, 3\), where p\[1\] = \[1.5, -0.5\]",
    ),
    "sum": (
        HAM,
        [GOOD, [0.6, 0.6], GOOD, [0, 0]],
        None,
        r"do not sum to one: 2 rows \(1, 3\), where p\[1\] = \[0.6, 0.6\]",
    ),
    "weight": (
        HAM,
        [GOOD] * 4,
        [1, -2, 1, np.nan],
        r"weight is negative, NaN, infinite or beyond 2\*\*±200: 2 rows \(1, 3\), where sample_weight\[1\] = -2",
    ),
}


@pytest.mark.parametrize("reason", CASES)
def test_raising_names_the_rows_and_counts_nothing(reason):
    y, p, w, message = CASES[reason]
    s = score().update(["ham"], [GOOD])
    before = s.to_bytes()
    with pytest.raises(nl.DataError, match=r"Score.update: 2 of 4 rows cannot be scored.*" + message):
        s.update(y, p, sample_weight=w)
    assert s.to_bytes() == before


@pytest.mark.parametrize("reason", CASES)
def test_skipping_counts_the_rows_and_names_them(reason):
    y, p, w, _ = CASES[reason]
    r = score("skip").update(y, p, sample_weight=w).result()
    clean = score().update([y[0], y[2]], [GOOD] * 2).result()
    assert r.bad == {reason: 2} and [(b.row, b.reason) for b in r.bad_rows] == [(1, reason), (3, reason)]
    assert (r.rows, r.nobs, r.nll, r.stderr, r.classes) == (4, 2, clean.nll, clean.stderr, clean.classes)
    assert "2 bad" in r.summary() and "rows 1, 3" in r.summary()


def test_undefined_logits():
    p = [[0.0, 1.0], [np.inf, 0.0], [-np.inf, -np.inf]]
    r = score("skip", input="logits").update(["ham"] * 3, p).result()
    assert r.bad == {"undefined": 2} and r.nobs == 1
    with pytest.raises(nl.DataError, match=r"logits without a softmax \(\+inf, or all -inf\): 2 rows \(1, 2\)"):
        score(input="logits").update(["ham"] * 3, p)


def test_masked_classes_are_fine():
    r = score(input="logits", classes=3).update([0], [[1.0, -np.inf, 1.0]]).result()
    assert r.nll == pytest.approx(math.log(2)) and r.bad == {}


def test_several_reasons_in_one_message():
    with pytest.raises(nl.DataError) as caught:
        score().update(["eggs", "ham", "ham"], [GOOD, [np.nan, 1], GOOD])
    assert (
        "2 of 3 rows" in str(caught.value) and "y[0] = 'eggs'" in str(caught.value) and "p[1] = " in str(caught.value)
    )
    assert "\n" not in str(caught.value)


def test_rows_far_into_a_batch_have_their_own_number():
    p = np.full((70_000, 2), 0.5)
    p[65_600] = np.nan
    with pytest.raises(nl.DataError, match=r"1 of 70000 rows.* 1 row \(65600\), where p\[65600\]"):
        score(classes=2).update(np.zeros(70_000, int), p)


def test_clusters_beyond_float64():
    with pytest.raises(nl.DataError, match="cluster 7: the products of weights and losses exceed"):
        score(input="logits", classes=2).update([0], [[-1e300, 0.0]], sample_weight=[1e20], cluster=[7])


def test_bad_rows_go_by_their_keys():
    r = score("skip").update(["eggs", "ham", "eggs"], [GOOD] * 3, key=["z", "y", "a"]).result()
    assert [b.row for b in r.bad_rows] == ["a", "z"]


def test_only_the_first_few_bad_rows_are_named():
    r = score("skip").update(["eggs"] * 100, [GOOD] * 100).result()
    assert r.bad == {"label": 100} and [b.row for b in r.bad_rows] == list(range(10))


def test_labels_of_another_type_are_seen_in_the_message():
    with pytest.raises(nl.DataError, match=r"y\[0\] = 1; the classes are \['1', '2'\]"):
        score(classes=["1", "2"]).update([1, 2], [GOOD] * 2)


def test_classes_by_the_dozen_are_abbreviated():
    with pytest.raises(nl.DataError, match=r"the classes are \[0, 1, .* 9, \.\.\. \(100 in all\)\]"):
        score(classes=100).update([100], np.full((1, 100), 0.01))


@pytest.mark.parametrize(
    "y, p, message",
    [
        (
            [0],
            [0.5, 0.5],
            r"p has shape \(2,\); \(rows, classes\) is needed; for two classes give both columns",
        ),
        ([0], [[[0.5, 0.5]]], r"p has shape \(1, 1, 2\)"),
        ([0], [[0.5, 0.25, 0.25]], r"p has 3 columns; one for each of 2 classes is needed"),
        ([0, 1], [GOOD], r"y has shape \(2,\); p has 1 rows, so \(1,\) is needed"),
        ([], np.empty((0, 0)), r"p has shape \(0, 0\); at least one class is needed"),
        ([[0]], [GOOD], r"y has shape \(1, 1\)"),
        (0, [GOOD], r"y has shape \(\)"),
    ],
)
def test_shapes(y, p, message):
    with pytest.raises(nl.ShapeError, match=message):
        score(classes=2).update(y, p)


@pytest.mark.parametrize("argument", ("sample_weight", "cluster", "key"))
def test_shapes_of_what_goes_with_the_rows(argument):
    for wrong in (1, [1, 2], [[1]]):
        with pytest.raises(nl.ShapeError, match=argument):
            score(classes=2).update([0], [GOOD], **{argument: wrong})


@pytest.mark.parametrize("argument", ("cluster", "key"))
@pytest.mark.parametrize("values", ([0.5], [None], [np.nan], [b"x"]))
def test_names_are_integers_or_strings(argument, values):
    with pytest.raises(nl.InputError, match=rf"{argument} has dtype .*; integers or strings are needed"):
        score(classes=2).update([0], [GOOD], **{argument: values})


@pytest.mark.parametrize("p", ([["a", "b"]], [[1j, 0]], np.array([[None, 1]])))
def test_predictions_are_real_numbers(p):
    with pytest.raises(nl.InputError, match="p has dtype"):
        score(classes=2).update([0], p)
    with pytest.raises(nl.InputError, match="sample_weight has dtype"):
        score(classes=2).update([0], [GOOD], sample_weight=["heavy"])


@pytest.mark.parametrize(
    "options, message",
    [
        ({"input": "prob"}, r"input = 'prob'; one of probs, logits, logprobs is needed"),
        ({"on_bad": "drop"}, r"on_bad = 'drop'; one of raise, skip is needed"),
        ({"bins": 0}, r"bins = 0; an integer of at least 1 is needed"),
        ({"bins": 2.5}, r"bins = 2.5"),
        ({"worst": -1}, r"worst = -1; an integer of at least 0 is needed"),
        ({"sum_tolerance": -1}, r"sum_tolerance = -1"),
        ({"sum_tolerance": np.nan}, r"sum_tolerance = nan"),
        ({"classes": []}, r"classes is empty"),
        ({"classes": "ham"}, r"classes = 'ham'; a sequence of labels is needed"),
        ({"classes": 0}, r"classes is empty"),
        ({"classes": {"a", "b"}}, r"classes = {.*}; a sequence of labels is needed"),  # sets have no order
        ({"classes": 1.5}, r"classes = 1.5; a sequence of labels is needed"),
        ({"sum_tolerance": "a"}, r"sum_tolerance = 'a'"),
        ({"classes": ["a", None]}, r"classes\[1\] = None; a string"),
        ({"classes": [0.5, np.nan]}, r"classes\[1\] = nan"),
        ({"classes": [b"a"]}, r"classes\[0\] = b'a'"),
        ({"classes": ["a", "b", "a"]}, r"classes\[2\] = 'a' occurs twice"),
        ({"classes": [1, True]}, r"classes\[1\] = True occurs twice"),
    ],
)
def test_options(options, message):
    with pytest.raises(nl.InputError, match="Score.classification: " + message):
        score(**options)


def test_the_kind_is_never_guessed():
    # logits that look like probabilities, and the other way round
    p = [[0.25, 0.75]]
    assert score(input="logits", classes=2).update([0], p).result().nll == pytest.approx(math.log1p(math.exp(0.5)))
    with pytest.raises(nl.DataError):
        score(input="logprobs", classes=2).update([0], p)
    with pytest.raises(TypeError):
        nl.Score.classification()


@pytest.mark.parametrize(
    "classes, y",
    [
        ([0, 1, 2], [2, 0]),
        (np.array([0, 1, 2]), np.array([2, 0], np.uint8)),
        ([10, -5, 7], np.array([7, 10])),
        ([10, -5, 7], np.array([7.0, 10.0])),
        ([2**63, 1, 0], np.array([0, 2**63], np.uint64)),
        (["b", "c", "a"], np.array(["a", "b"])),
        (["b", "c", "a"], np.array(["a", "b"], object)),
        (np.array(["b", "c", "a"]), ("a", "b")),
        ([1, "b", 2.5], [2.5, 1]),
        ([1, "b", "1"], ["1", 1]),
        ([True, 5, False], np.array([False, True])),
        ([1, 5, 0], np.array([False, True])),
        ([1.5, 2.5, -0.0], [0, 1.5]),
        (3, [2, 0]),
        (None, [2, 0]),
    ],
)
def test_labels_of_any_type(classes, y):
    s = nl.Score.classification(input="probs", classes=classes).update(y, [[0.2, 0.3, 0.5], [0.1, 0.4, 0.5]])
    assert s.result().nll == pytest.approx(-(math.log(0.5) + math.log(0.1)) / 2)


def test_inputs_are_not_modified_and_may_be_read_only():
    y, p, w = np.array([0, 1, 5]), np.array([GOOD, GOOD, [np.nan, 2]]), np.array([1.0, 0.0, 1.0])
    copies = [a.copy() for a in (y, p, w)]
    for a in (y, p, w):
        a.flags.writeable = False
    score("skip", classes=2).update(y, p, sample_weight=w)
    for a, b in zip((y, p, w), copies, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "convert", (lambda p: p.astype(">f8"), lambda p: p.astype(np.longdouble), lambda p: p.tolist())
)
def test_unusual_predictions(convert):
    p = np.array([[0.25, 0.75], [0.5, 0.5]])
    assert score(classes=2).update([0, 1], convert(p)) == score(classes=2).update([0, 1], p)
    packed = np.zeros(2, dtype=[("tag", "i1"), ("p", "f8", 2)])
    packed["p"] = p
    assert score(classes=2).update([0, 1], packed["p"]) == score(classes=2).update([0, 1], p)


def test_integers_are_numbers():
    one_hot = np.eye(3, dtype=np.int8)
    assert score(classes=3).update([0, 1, 2], one_hot).result().nll == 0.0


def test_tensors():
    torch = pytest.importorskip("torch")
    p = torch.tensor([[0.25, 0.75], [0.5, 0.5]], requires_grad=True)
    want = score(classes=2).update([0, 1], p.detach().numpy())
    assert score(classes=2).update(torch.tensor([0, 1]), p) == want
    assert score(classes=2).update([0, 1], p.detach().bfloat16()) == want  # these values are exact in bfloat16


@pytest.mark.parametrize("name", ["{}", "p_{}", "prob({})"])
def test_columns_named_after_the_classes_stand_in_their_order(name):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({name.format("ham"): [0.25], name.format("spam"): [0.75]})
    assert score().update(["ham"], frame).result().nll == -math.log(0.25)
    with pytest.raises(nl.InputError, match=r"columns of p are \[.* but the classes \['ham', 'spam'\]"):
        score().update(["ham"], frame[frame.columns[::-1]])


@pytest.mark.parametrize(
    ("columns", "classes", "want"),
    [
        (["p_cat", "p_dog", "p_horse"], ["dog", "cat", "horse"], [1, 0, 2]),
        (["dog", "cat"], ["dog", "cat"], [0, 1]),
        (["p0_0", "p0_1"], [1, 0], [1, 0]),
        (["p_0", "p_1", "p_10"], [10, 0, 1], [2, 0, 1]),
        (["p_0", "p_1"], [1, 2], None),  # numbers of columns
        (["first", "second"], ["no", "yes"], None),
        (["p"], ["no", "yes"], None),
        (["p_a", "p_a"], ["a", "b"], None),
    ],
)
def test_columns_are_found_by_the_names_of_the_classes(columns, classes, want):
    assert columns_by_class(columns, classes) == want


def test_columns_that_contradict_the_classes():
    with pytest.raises(nl.InputError, match="column 'p_cat' stands where class 'dog' is expected"):
        columns_by_class(["p_cat", "p_dog", "p_cow"], ["dog", "cat", "horse"])


ROUNDED = [[0.333, 0.333, 0.333], [0.5, 0.25, 0.25], [0.67, 0.17, 0.17]]


@pytest.mark.parametrize("input", ["probs", "logprobs"])
def test_rounded_probabilities_are_normalised_on_request(input):
    y, p = [0, 1, 2], np.array(ROUNDED)
    given = p if input == "probs" else np.log(p)
    with pytest.raises(nl.DataError, match=r"off by more than sum_tolerance=0.001 .*row_sum=\"normalise\""):
        score(input=input, classes=3).update(y, given)
    s = score(input=input, classes=3, row_sum="normalise").update(y, given)
    r = s.result()
    want = score(classes=3).update(y, p / p.sum(1, keepdims=True)).result()
    assert r.nll == pytest.approx(want.nll, rel=1e-14) and r.brier == pytest.approx(want.brier, rel=1e-14)
    assert (r.renormalised, r.nobs, want.renormalised) == (2, 3, 0)
    assert r.largest_sum_error == pytest.approx(0.01) and "2 rows; sums up to 0.01 off" in r.summary()
    parts = [score(input=input, classes=3, row_sum="normalise") for _ in range(2)]
    merged = parts[0].update(y[:1], given[:1]).merge(parts[1].update(y[1:], given[1:]))
    assert merged == s and nl.Score.from_bytes(s.to_bytes()).result().renormalised == 2
    with pytest.raises(nl.InputError, match="row_sum is 'normalise' here and 'check' there"):
        s.merge(score(input=input, classes=3))


def test_normalising_has_its_limits():
    p = [[0.5, 0.56], [1.02, -0.02], [1.02, 0.0], [np.nan, 1.0], [0.0, 0.0], [0.98, 0.0], [9.0, 9.0]]
    w = [1, 1, 1, 1, 1, 1, 0]
    s = score("skip", classes=2, row_sum="normalise").update([0] * 7, p, sample_weight=w)
    r = s.result()
    assert r.bad == {"sum": 2, "outside": 2, "nan": 1}
    assert (r.nobs, r.nll, r.renormalised, r.ignored) == (1, 0.0, 1, 1)
    with pytest.raises(nl.DataError, match=r"off by more than sum_tolerance=0.05\. Nothing"):
        score(classes=2, row_sum="normalise").update([0], p[:1])
    with pytest.raises(nl.InputError, match="row_sum = 'normalise' is for probabilities"):
        score(input="logits", row_sum="normalise")
    with pytest.raises(nl.InputError, match="row_sum = 'clip'; one of check, normalise is needed"):
        score(row_sum="clip")


@pytest.mark.parametrize(
    ("declared", "p", "hint"),
    [
        ("probs", np.log([[0.25, 0.75]]), "sum to one: input='logprobs'?"),
        ("probs", [[-1.0, -2.0]], "no value is positive: input='logits'?"),
        ("probs", [[-1.0, 2.0]], "values lie below 0 and above 1: input='logits'?"),
        ("logprobs", [[0.25, 0.75]], "all values lie in [0, 1] and sum to one: input='probs'?"),
        ("logprobs", [[-1.0, 2.0]], "values lie on both sides of 0: input='logits'?"),
    ],
)
def test_a_wrong_kind_on_every_row_gets_a_hint(declared, p, hint):
    with pytest.raises(nl.DataError) as caught:
        score(input=declared).update(["ham"], p)
    assert hint in str(caught.value)
    with pytest.raises(nl.DataError) as caught:  # some rows only: they are bad rows of the kind declared
        good = [[0.5, 0.5]] if declared == "probs" else np.log([[0.5, 0.5]])
        score(input=declared).update(["ham"] * 2, np.concatenate([p, good]))
    assert "input=" not in str(caught.value)


def test_labels_from_numpy_are_shown_plainly():
    for y in (np.array(["eggs"]), np.array([np.str_("eggs")], object)):
        with pytest.raises(nl.DataError, match=r"y\[0\] = 'eggs'; the classes are \['ham', 'spam'\]"):
            score(classes=np.array(["ham", "spam"])).update(y, [GOOD])


def test_the_repr_of_a_result_is_two_lines():
    r = score("skip").update(["ham", "eggs"], [GOOD] * 2).result()
    first, second = repr(r).split("\n")
    assert first == "<ClassificationResult: NLL 0.6931 ± nan, accuracy 1, skill -inf"
    assert second == " 1 rows scored, 0 ignored, 1 bad, 2 classes; .summary() says more>"


def test_the_range_of_weights():
    p = [[0.25, 0.75], [0.5, 0.5]]
    want = score(classes=2).update([0, 0], p, sample_weight=[1, 3]).result()
    for unit in (2.0**-200, 2.0**198):
        r = score(classes=2).update([0, 0], p, sample_weight=[unit, 3 * unit]).result()
        assert (r.nll, r.stderr, r.accuracy_stderr) == (want.nll, want.stderr, want.accuracy_stderr)
    r = score("skip", classes=2).update([0, 0], p, sample_weight=[1e-70, 1e70]).result()
    assert r.bad == {"weight": 2}


def test_series_and_frames():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"y": ["ham", "spam"], "p0": [0.25, 0.5], "p1": [0.75, 0.5], "w": [1, 2]})
    got = score().update(frame["y"], frame[["p0", "p1"]], sample_weight=frame["w"], key=frame.index)
    want = score().update(["ham", "spam"], [[0.25, 0.75], GOOD], sample_weight=[1, 2], key=[0, 1])
    assert got == want
    assert score().update(frame["y"].astype("category"), frame[["p0", "p1"]]).result().nobs == 2
