"""cmkt: speech enhancement that keeps the words.

Names load on first use, so that `import cmkt` needs neither torch nor anything else that is large.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cmkt.inference.load import load
    from cmkt.inference.save import save_model
    from cmkt.losses.compressed_spectrum import CompressedSpectrum
    from cmkt.losses.mae import MAE
    from cmkt.losses.si_sdr import SISDR
    from cmkt.losses.weighted_sum import WeightedSum
    from cmkt.models.blstm import BLSTM
    from cmkt.models.crn import CRN
    from cmkt.models.demucs import Demucs
    from cmkt.models.dpcrn import DPCRN
    from cmkt.models.mp_senet import MPSENet
    from cmkt.models.se_mamba import SEMamba
    from cmkt.models.tf_conformer import TFConformer
    from cmkt.text.centred import CentredTeacher
    from cmkt.text.controls import RandomTeacher, ShuffledTeacher
    from cmkt.text.embedded import EmbeddedTeacher
    from cmkt.text.huggingface import HuggingFaceTeacher
    from cmkt.text.store import StoredTeacher
    from cmkt.transfer.attach import attach
    from cmkt.transfer.attention import Attention
    from cmkt.transfer.branch import Supervised
    from cmkt.transfer.causal import Causal
    from cmkt.transfer.ctc import CTC
    from cmkt.transfer.positional import Positional
    from cmkt.transfer.shift import Shift
    from cmkt.transfer.shift_schedule import ShiftChange
    from cmkt.transfer.sinkhorn import Sinkhorn

__version__ = "0.1.0"

_HOMES = {
    "Attention": "cmkt.transfer.attention",
    "BLSTM": "cmkt.models.blstm",
    "CRN": "cmkt.models.crn",
    "CTC": "cmkt.transfer.ctc",
    "CentredTeacher": "cmkt.text.centred",
    "Causal": "cmkt.transfer.causal",
    "DPCRN": "cmkt.models.dpcrn",
    "Demucs": "cmkt.models.demucs",
    "CompressedSpectrum": "cmkt.losses.compressed_spectrum",
    "EmbeddedTeacher": "cmkt.text.embedded",
    "HuggingFaceTeacher": "cmkt.text.huggingface",
    "MAE": "cmkt.losses.mae",
    "MPSENet": "cmkt.models.mp_senet",
    "Positional": "cmkt.transfer.positional",
    "RandomTeacher": "cmkt.text.controls",
    "SEMamba": "cmkt.models.se_mamba",
    "SISDR": "cmkt.losses.si_sdr",
    "Shift": "cmkt.transfer.shift",
    "ShiftChange": "cmkt.transfer.shift_schedule",
    "ShuffledTeacher": "cmkt.text.controls",
    "Sinkhorn": "cmkt.transfer.sinkhorn",
    "StoredTeacher": "cmkt.text.store",
    "TFConformer": "cmkt.models.tf_conformer",
    "Supervised": "cmkt.transfer.branch",
    "WeightedSum": "cmkt.losses.weighted_sum",
    "attach": "cmkt.transfer.attach",
    "load": "cmkt.inference.load",
    "save_model": "cmkt.inference.save",
}

__all__ = [
    "BLSTM",
    "CRN",
    "CTC",
    "DPCRN",
    "MAE",
    "SISDR",
    "Attention",
    "Causal",
    "CentredTeacher",
    "CompressedSpectrum",
    "Demucs",
    "EmbeddedTeacher",
    "HuggingFaceTeacher",
    "MPSENet",
    "Positional",
    "RandomTeacher",
    "SEMamba",
    "Shift",
    "ShiftChange",
    "ShuffledTeacher",
    "Sinkhorn",
    "StoredTeacher",
    "Supervised",
    "TFConformer",
    "WeightedSum",
    "attach",
    "load",
    "save_model",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'cmkt' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
