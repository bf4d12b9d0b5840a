"""Every error this package raises on purpose, on one page.

Each class also derives from the builtin that fits, so that callers who know only Python can catch it. A message says
what must be, what is, and what to do.
"""

from __future__ import annotations


class CmktError(Exception):
    """Base of every error of this package; the command line prints it without a traceback."""


class ConfigError(CmktError, ValueError):
    """An argument or a configuration value that cannot work."""


class MissingExtraError(CmktError, ImportError):
    """An optional dependency is not installed. The message names the pip command that brings it."""


class AudioError(CmktError, ValueError):
    """Audio that cannot be used: wrong rank, not finite, empty, or with its axes swapped."""


class AudioFileError(AudioError, OSError):
    """An audio file that cannot be read or written."""


class DataError(CmktError, ValueError):
    """A data set, manifest or list that cannot be used."""


class TextError(CmktError, ValueError):
    """A transcript that cannot be embedded."""


class TeacherError(CmktError, ValueError):
    """A language model that cannot be loaded or used."""


class TranscriberError(CmktError, ValueError):
    """A speech recogniser that cannot be loaded or used."""


class StoreError(CmktError, RuntimeError):
    """An embedding store that is missing, damaged, or was written by another teacher."""


class LayerError(CmktError, ValueError):
    """A layer that cannot be tapped: it does not exist, has no time axis, or is not called exactly once."""


class CheckpointError(CmktError, ValueError):
    """A checkpoint or saved model that does not fit what it is loaded into."""


class MetricUndefinedError(CmktError, ValueError):
    """A metric that has no value for this audio, with the reason."""


class NotLearntError(CmktError, RuntimeError):
    """A training run whose model is no better than the noisy input."""


def extra_hint(package: str, extra: str) -> str:
    """The message of a missing optional dependency: what is missing and which command brings it."""
    return f"`{package}` must be installed for this, but is not. Run: pip install 'cmkt[{extra}]'"
