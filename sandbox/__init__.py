"""panelsms-sandbox: a stand-in for the provider's SMS API that answers exactly and reports on time."""

__all__ = ["__version__"]

__version__ = "0.1.0"
