"""What neglog raises.

::

    Exception
    ├── NeglogError
    │   ├── InputError (ValueError)         something that was passed in cannot be used
    │   │   ├── ShapeError                  shapes that do not match; nothing is broadcast silently
    │   │   ├── TargetError (IndexError)    a class index outside [0, C)
    │   │   ├── InputKindError              values prove the wrong kind: a probability of 1.2, a variance of -1
    │   │   ├── ParameterError              a parameter outside its domain: scale = -2
    │   │   └── DataError                   data outside the support, NaN, unreadable or incomplete files
    │   └── MissingDependencyError (ImportError)

A message names the function, the argument, the first bad value, its position, and what is allowed.
"""

from __future__ import annotations


class NeglogError(Exception):
    """Base of everything that neglog raises on purpose."""


class InputError(NeglogError, ValueError):
    """Something that was passed in cannot be used."""


class ShapeError(InputError):
    """Shapes that do not match."""


class TargetError(InputError, IndexError):
    """A class index outside ``[0, C)`` that is not ignored."""


class InputKindError(InputError):
    """Values that prove the input to be of another kind than declared."""


class ParameterError(InputError):
    """A parameter outside its domain."""


class DataError(InputError):
    """Data outside the support, NaN, or a file that cannot be read in full."""


class MissingDependencyError(NeglogError, ImportError):
    """A feature needs a package that is not installed."""
