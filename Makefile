# What people type. Every target sets up what it needs in .venv, works again when run twice, and offline after that.
#
#   make run     the main job on real data; results in out/
#   make fashion trains a network on Fashion-MNIST with neglog.torch and with torch; results in out/fashion_mnist/
#   make bishop  a mixture density network where least squares has nothing to say; results in out/bishop/
#   make vae     a variational autoencoder on Fashion-MNIST, two likelihoods; results in out/vae/
#   make heads   five losses for a mean and a variance on six real tables; results in out/regression_heads/
#   make own     likelihoods that a user writes, beside what is known; results in out/own_likelihood/
#   make rbm     restricted Boltzmann machines on digits, with their exact likelihood; results in out/rbm/
#   make study   losses on wrong labels, 570 networks; results in out/label_noise/ and docs/label_noise.md
#   make test    the whole test suite
#   make bench   the benchmark table (about ten minutes on two idle cores)
#   make docs    the documentation as a site; results in out/site/
#   make lint    ruff, pyright, clang-format
#   make dist    wheel and source archive; the wheel passes the tests in an environment of its own
#   make docs/images/digits_reliability.svg   the README's picture, from make run
#   make format  rewrite the sources in the project's style

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

NATIVE := CMakeLists.txt pyproject.toml $(wildcard native/*.hpp native/*.cpp native/*/*.hpp native/*/*.cpp)
CPP := $(wildcard native/*.hpp native/*.cpp native/*/*.hpp native/*/*.cpp)

.PHONY: run fashion bishop heads own vae rbm study test docs bench lint format dist clean

run: $(VENV)/built
	$(BIN)/neglog demo --out out

# The README's picture, from the same run.
docs/images/digits_reliability.svg: run
	cp out/digits_reliability.svg $@

fashion: $(VENV)/built $(VENV)/tested
	examples/fashion_mnist/data.sh
	$(BIN)/python -m examples.fashion_mnist --out out/fashion_mnist

bishop: $(VENV)/built $(VENV)/tested
	$(BIN)/python -m examples.bishop --out out/bishop

vae: $(VENV)/built $(VENV)/tested
	examples/fashion_mnist/data.sh
	$(BIN)/python -m examples.vae --out out/vae

heads: $(VENV)/built $(VENV)/examples
	$(BIN)/python -m examples.regression_heads --out out/regression_heads

own: $(VENV)/built $(VENV)/tested
	$(BIN)/python -m examples.own_likelihood --out out/own_likelihood

rbm: $(VENV)/built $(VENV)/tested
	-examples/fashion_mnist/data.sh
	$(BIN)/python -m examples.rbm --out out/rbm

# The pictures of docs/energy.md, from the same run.
docs/images/rbm_%.svg: rbm
	cp out/rbm/$*.svg $@

study: $(VENV)/built $(VENV)/tested
	examples/fashion_mnist/data.sh
	$(BIN)/python -m examples.label_noise --out out/label_noise --document docs/label_noise.md

test: $(VENV)/built $(VENV)/tested
	$(BIN)/python -m pytest -n auto

# The figures of docs/explain, drawn by the program, and the site, which fetches nothing.
docs: $(VENV)/built $(VENV)/tested
	$(BIN)/python tools/explain_figures.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

bench: $(VENV)/built $(VENV)/bench
	$(BIN)/python -m benchmarks.run

lint: $(VENV)/built $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/clang-format --dry-run --Werror $(CPP)
	$(BIN)/pyright --pythonpath $(BIN)/python

format: $(VENV)/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $(CPP)

# Elsewhere: the wheel in an environment of its own (the tests' tools are borrowed from .venv by a path file), the tests
# from the unpacked source archive.
dist: $(VENV)/dev
	rm -rf dist build/dist
	$(BIN)/python -m build --outdir dist .
	$(PYTHON) -m venv build/dist
	build/dist/bin/python -m pip install --quiet --disable-pip-version-check "$$(ls dist/*.whl)[cli]"
	cd build/dist && bin/neglog demo --out demo > demo.txt && tail -n 3 demo.txt
	tar -xf dist/*.tar.gz -C build/dist
	$(BIN)/python -c "import sysconfig; print(sysconfig.get_path('purelib'))" \
	  > "$$(build/dist/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))")/borrowed.pth"
	cd build/dist/neglog-*/ && ../bin/python -m pytest -n auto tests

clean:
	rm -rf build dist out $(VENV)

# The build's tools live in the environment itself, so that a rebuild needs no network.
$(VENV)/base: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade "pip>=25.1"
	$(PIP) "scikit-build-core>=0.10" "nanobind>=2.4" "cmake>=3.18" ninja
	$(BIN)/python tools/requirements.py cli | xargs $(PIP)
	touch $@

$(VENV)/built: $(VENV)/base $(NATIVE)
	$(PIP) --no-build-isolation --no-deps --config-settings=build-dir=build/make --editable .
	touch $@

$(VENV)/tested: $(VENV)/base pyproject.toml
	$(PIP) --group test
	$(BIN)/python tools/requirements.py docs | xargs $(PIP)
	touch $@

$(VENV)/bench: $(VENV)/tested
	$(PIP) --group bench
	touch $@

# The tables of examples/regression_heads.
$(VENV)/examples: $(VENV)/tested
	$(PIP) --group examples
	touch $@

$(VENV)/dev: $(VENV)/tested
	$(PIP) --group dev
	touch $@
