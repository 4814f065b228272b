"""Every public name resolves, is documented with an example, and hides no module of the same name."""

import ast
import importlib
import importlib.util
import inspect
import pkgutil
from pathlib import Path

import pytest

import neglog as nl

PACKAGES = ["neglog", *(f"neglog.{m.name}" for m in pkgutil.iter_modules(nl.__path__) if m.ispkg)]
WITH_NAMES = [name for name in PACKAGES if hasattr(importlib.import_module(name), "__all__")]


def public_objects():
    for package in WITH_NAMES:
        module = importlib.import_module(package)
        for name in module.__all__:
            yield pytest.param(package, name, id=f"{package}.{name}")


PUBLIC = list(public_objects())


@pytest.mark.parametrize(("package", "name"), PUBLIC)
def test_the_name_resolves(package, name):
    value = getattr(importlib.import_module(package), name)
    assert inspect.ismodule(value) or name.startswith("__") or not name.startswith("_")


@pytest.mark.parametrize(("package", "name"), PUBLIC)
def test_no_object_shares_its_name_with_a_module(package, name):
    if importlib.util.find_spec(f"{package}.{name}") is not None:
        submodule = importlib.import_module(f"{package}.{name}")
        assert getattr(importlib.import_module(package), name) is submodule


def test_importing_every_submodule_leaves_the_public_names_alone():
    before = {name: getattr(nl, name) for name in nl.__all__}
    for module in pkgutil.walk_packages(nl.__path__, "neglog."):
        importlib.import_module(module.name)
    for name, value in before.items():
        assert getattr(nl, name) is value, f"importing a submodule replaced neglog.{name}"


@pytest.mark.parametrize("package", WITH_NAMES)
def test_all_is_complete_and_sorted(package):
    module = importlib.import_module(package)
    assert len(set(module.__all__)) == len(module.__all__)
    assert set(module.__all__) <= set(dir(module))
    defined = {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", "").startswith(package + ".")
    }
    if package != "neglog":
        assert defined <= set(module.__all__), "imported into the package but not declared public"


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="module 'neglog' has no attribute 'crossentropy'"):
        nl.crossentropy  # noqa: B018


@pytest.mark.parametrize("name", [name for name in nl.__all__ if callable(getattr(nl, name))])
def test_docstrings(name):
    value = getattr(nl, name)
    text = inspect.getdoc(value)
    assert text, f"{name} has no docstring"
    if not (inspect.isclass(value) and issubclass(value, Exception)):
        assert ">>>" in text, f"the docstring of {name} has no example"


@pytest.mark.parametrize("name", [name for name in nl.losses.__all__ if callable(getattr(nl.losses, name))])
def test_docstrings_of_losses(name):
    function = getattr(nl.losses, name)
    text = inspect.getdoc(function)
    assert ">>>" in text
    # one sentence first; every parameter is named somewhere below it
    assert text.splitlines()[0].endswith((".", "elsewhere.", "ratio."))
    for parameter in inspect.signature(function).parameters:
        assert parameter in text, f"{name} does not mention {parameter}"


def test_every_loss_has_a_gradient():
    assert {f"{name}_grad" for name in nl.losses.__all__} >= {
        "cross_entropy_grad",
        "nll_loss_grad",
        "binary_cross_entropy_grad",
        "binary_cross_entropy_with_logits_grad",
        "kl_div_grad",
        "log_softmax_grad",
        "logsumexp_grad",
    }
    for name in nl.losses.__all__:
        if name.endswith("_grad"):
            value = inspect.signature(getattr(nl.losses, name.removesuffix("_grad"))).parameters
            both = inspect.signature(getattr(nl.losses, name)).parameters
            assert set(both) - set(value) <= {"out", "upstream"}
            assert set(value) - set(both) == set()


def test_errors_form_one_tree():
    for name in nl.errors.__all__ if hasattr(nl.errors, "__all__") else dir(nl.errors):
        value = getattr(nl.errors, name)
        if inspect.isclass(value) and issubclass(value, Exception):
            assert issubclass(value, nl.NeglogError)
            assert getattr(nl, name) is value


def test_type_checkers_see_every_public_name() -> None:
    source = Path(nl.__file__).read_text()
    block = next(
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    seen = {alias.asname for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen == set(nl.__all__) - {"__version__"}
