"""The kind of noise in a mixture, to group by: what the data state, else measured on the noise itself.

Names of classes do not tell: of 40 recordings of barking dogs 24 are impulsive and 15 are not, of 40 helicopters 21 are
stationary (`benchmarks/noise_kinds.py`, corpus of docs/default_model.md). So the noise that is in the mixture is
looked at. Shapes: audio is (T,).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cmkt.errors import AudioError
from cmkt.signal.noise_kind import noise_kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cmkt.types import FloatArray

NOISE_KIND: Final = "noise_kind"
"""The field of the data, and of `Score.about`, that holds it."""
ROOM: Final = "rir_id"
"""The field of the data that holds the room response of a mixture; absent where it is dry."""


def mixture_noise_kind(
    about: Mapping[str, object], *, noisy: FloatArray, clean: FloatArray | None, sample_rate: int
) -> str | None:
    """The kind of noise that was added: the field `noise_kind` of the data where stated, else of noisy - clean.

    The same at every SNR. None where it cannot be known: there is no reference of the same length, the speech has
    reverberation, which would count as noise, or what was added is silent or shorter than half a second.
    """
    if stated := about.get(NOISE_KIND):
        return str(stated)
    if clean is None or about.get(ROOM) or noisy.shape != clean.shape:
        return None
    try:
        return noise_kind(noisy - clean, sample_rate)
    except AudioError:
        return None
