"""What an example is asked for is checked before it begins: one line, not a traceback after minutes."""

from __future__ import annotations

import importlib

import pytest

pytest.importorskip("torch")


@pytest.mark.parametrize(
    ("example", "options", "message"),
    [
        ("vae", "--images 0", "--images: '0'; allowed: a whole number of at least 1"),
        ("vae", "--epochs some", "--epochs: 'some'; allowed: a whole number of at least 1"),
        ("vae", "--data nowhere", "--data: there is no folder 'nowhere'"),
        ("rbm", "--hidden 21", "--hidden: '21'; allowed: a whole number from 1 to 20"),
        ("bishop", "--pairs -1", "--pairs: '-1'"),
        ("fashion_mnist", "--images -5", "--images: '-5'"),
        ("regression_heads", "--splits 0", "--splits: '0'"),
        ("own_likelihood", "--rows 3", "--rows: '3'; allowed: a whole number of at least 10"),
        ("label_noise", "--data nowhere", "--data: there is no folder 'nowhere'"),
    ],
)
def test_what_cannot_be_done_is_said(example, options, message, capsys):
    main = importlib.import_module(f"examples.{example}.__main__").main
    with pytest.raises(SystemExit, match="2"):
        main(options.split())
    assert message in capsys.readouterr().err
