"""No weak symbol leaks out of an instruction set's namespace.

The linker keeps one copy of a weak symbol. Were it, say, std::max compiled with AVX-512, a machine without AVX-512
would run it. So whatever a kernel object defines for others must lie in its own namespace.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OBJECTS = sorted(ROOT.glob("build/**/kernels_*.dir/**/*.o"))
NAMESPACE = re.compile(r"kernels_(\w+)\.dir")


@pytest.mark.skipif(not OBJECTS or not shutil.which("nm"), reason="needs the build tree and nm; `make test` has both")
@pytest.mark.parametrize("path", OBJECTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_kernel_objects_define_names_in_their_own_namespace_only(path):
    isa = NAMESPACE.search(str(path))[1]
    listing = subprocess.run(
        ["nm", "--defined-only", "--extern-only", str(path)], capture_output=True, text=True, check=True
    )
    names = [line.split()[-1] for line in listing.stdout.splitlines() if line.strip()]
    assert names, "an object that defines nothing was not built from a kernel"
    mangled = f"6neglog{len(isa)}{isa}"  # Itanium ABI: neglog::<isa>::
    assert [name for name in names if mangled not in name] == []
