"""Honest predictions of real data, made once; nothing here is random but for fixed seeds."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.preprocessing import StandardScaler


def halves(x, y):
    """Even rows standardised to train, odd rows to test."""
    scaler = StandardScaler().fit(x[::2])
    return scaler.transform(x[::2]), y[::2], scaler.transform(x[1::2]), y[1::2]


@pytest.fixture(scope="session")
def digits():
    """Held-out logits (898, 10) and labels of a softmax regression."""
    x, y, x_test, y_test = halves(*load_digits(return_X_y=True))
    return LogisticRegression(C=0.1).fit(x, y).decision_function(x_test), y_test


@pytest.fixture(scope="session")
def cancer():
    """Held-out logits (284,) and 0/1 targets of a logistic regression."""
    x, y, x_test, y_test = halves(*load_breast_cancer(return_X_y=True))
    return LogisticRegression().fit(x, y).decision_function(x_test), y_test


@pytest.fixture(scope="session")
def diabetes():
    """Held-out predictions, their variances and the targets (221,), all in the target's units: 25 to 346."""
    x, y, x_test, y_test = halves(*load_diabetes(return_X_y=True))
    model = LinearRegression().fit(x, y)
    variance = ((y - model.predict(x)) ** 2).sum() / (len(y) - x.shape[1] - 1)
    return model.predict(x_test), np.full(len(y_test), variance), y_test
