"""The version, by itself, so that the layers below can name it without importing the package's face."""

__version__ = "0.1.0"
