"""Fingerprints of models, by which a line of scores is known to be of the same one.

A line is reused only while the fingerprint still agrees, so that a model that was trained on is never mistaken for the
old one.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

    from cmkt.inference.array_enhancer import ArrayEnhancer


def model_fingerprint(model: nn.Module) -> str:
    """16 hex digits that change with the class, the arguments and every weight of a model, and not with its file."""
    import torch

    digest = hashlib.sha256(type(model).__qualname__.encode())
    arguments: Any = getattr(model, "init_args", None)
    digest.update(json.dumps(arguments, sort_keys=True, default=str).encode())
    for name, tensor in sorted(model.state_dict().items()):
        values = tensor.detach().cpu().contiguous()
        digest.update(f"{name} {values.dtype} {tuple(values.shape)}".encode())
        digest.update(values.flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]


def enhancer_fingerprint(enhancer: ArrayEnhancer) -> str:
    """16 hex digits that change whenever the output of an enhancer could.

    Of a graph: with any byte of its file; of a torch model: as `model_fingerprint`.
    """
    from cmkt.inference.onnx import OnnxEnhancer

    if isinstance(enhancer, OnnxEnhancer):
        return enhancer.sha256[:16]
    from cmkt.inference.enhancer import TorchEnhancer

    assert isinstance(enhancer, TorchEnhancer)
    return model_fingerprint(enhancer.model)
