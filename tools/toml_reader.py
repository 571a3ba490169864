"""TOML files, by Python's own module; Python 3.10 has only its forerunner, which is a package of its own."""
import sys

try:
    import tomllib
except ModuleNotFoundError:
    try:
        import tomli as tomllib
    except ModuleNotFoundError:
        sys.exit("the labs' tools need Python 3.11, or with Python 3.10 the package tomli (python3-tomli)")

__all__ = ["tomllib"]
