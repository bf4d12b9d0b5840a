"""Every backbone, and the arguments that make it about as wide and deep as in its paper."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, final

from torch import nn

from cmkt.models.blstm import BLSTM
from cmkt.models.crn import CRN
from cmkt.models.demucs import Demucs
from cmkt.models.dpcrn import DPCRN
from cmkt.models.mp_senet import MPSENet
from cmkt.models.se_mamba import SEMamba
from cmkt.models.tf_conformer import TFConformer


@final
@dataclass(frozen=True, slots=True)
class Backbone:
    """build: the class; paper_args: what it is made with to have about the paper's width and depth.

    None where the default has them. No backbone has the exact layers of its paper.
    """

    build: Callable[..., nn.Module]
    paper_args: Mapping[str, Any] | None

    @property
    def name(self) -> str:
        """Of the class."""
        return self.build.__name__


BACKBONES = (
    Backbone(CRN, {"channels": [16, 32, 64, 128, 256], "hidden": 1024}),
    Backbone(DPCRN, {"channels": [32, 32, 64, 128], "kernels": [5, 3, 3, 3]}),
    Backbone(Demucs, {"channels": [48, 96, 192, 384, 768], "strides": [2, 2, 4, 4, 4]}),
    Backbone(SEMamba, {"channels": [64, 112], "blocks": 4, "expansion": 4, "hop_samples": 100}),
    Backbone(BLSTM, None),
    Backbone(TFConformer, {"channels": [64, 64], "blocks": 4}),
    Backbone(MPSENet, {"channels": 64, "dense": 4, "blocks": 4, "kernel": 31, "expansion": 4, "hop_samples": 100}),
)
