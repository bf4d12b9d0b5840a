"""The contract of every enhancement model, ours or an outsider's: `check_enhancer(model)`, or one check at a time.

A check passes silently or raises AssertionError with what was promised and what happened. The model may have any
weights. Shapes: B utterances, T samples.
"""

from __future__ import annotations

import copy
import inspect
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cmkt.inference.enhancer import TorchEnhancer, hop_samples, stepping
from cmkt.inference.load import load_torch
from cmkt.inference.save import save_model

_SEED = 20250307
_TOLERANCE = 1e-5
_FINE_TOLERANCE = 1e-9  # in float64
_LEVEL = 0.056  # -25 dBFS


def check_declarations(model: nn.Module) -> None:
    """`sample_rate`, `causal`, `latency_samples` and `init_args` are declared; a causal model runs step by step."""
    for name, kind in (("sample_rate", int), ("causal", bool), ("latency_samples", int), ("init_args", dict)):
        value = getattr(model, name, None)
        _require(isinstance(value, kind), f"`{name}` must be of type {kind.__name__}, but is {value!r}")
    if model.causal:
        _require(
            stepping(model) is not None,
            "a causal model must have `stft`, `initial_state` and `enhance_frames`, or `hop_samples`, `delay_samples`, "
            "`initial_state` and `enhance_samples`",
        )


def check_length(model: nn.Module) -> None:
    """Any length from one sample gives the same length."""
    for samples in (1, 2, 199, 200, 201, 399, 400, 401, 1_000, 4_321):
        noisy = _noise(2, samples)
        shape = tuple(_run(model, noisy).shape)
        _require(shape == (2, samples), f"output must have shape {(2, samples)}, but has {shape}")


def check_finite(model: nn.Module) -> None:
    """Silence, constants, clipping, impulses, tiny and huge values give finite output."""
    samples = _seconds(model, 0.5)
    impulse = torch.zeros(samples)
    impulse[samples // 2] = 1.0
    signals = {
        "silence": torch.zeros(samples),
        "a constant": torch.ones(samples),
        "clipping": (_noise(1, samples)[0] * 100.0).clamp(-1.0, 1.0),
        "an impulse": impulse,
        "speech after silence": _noise(1, samples)[0] * (torch.arange(samples) > samples // 2),
        "1e-20": torch.full((samples,), 1e-20),
        "forty times full scale": _noise(1, samples)[0] * 40.0 / _LEVEL,
    }
    for name, signal in signals.items():
        _require(bool(torch.isfinite(_run(model, signal[None])).all()), f"output must be finite on {name}, but is not")


def check_causality(model: nn.Module) -> None:
    """If declared causal: changing samples from t + latency on changes nothing before t."""
    if not model.causal:
        return
    noisy = _noise(1, _seconds(model, 1.0))
    before = _run(model, noisy)
    for share in (0.25, 0.5, 0.75):
        t = int(share * noisy.shape[-1])
        changed = noisy.clone()
        changed[:, t + int(_get(model, "latency_samples")) :] *= -3.0
        _close(
            _run(model, changed)[:, :t],
            before[:, :t],
            1e-6,
            f"output before {t} of a causal model whose future changed",
        )


def check_batch(model: nn.Module) -> None:
    """An utterance gives the same alone and in a batch."""
    noisy = _noise(3, _seconds(model, 0.6))
    alone = torch.cat([_run(model, row[None]) for row in noisy])
    _close(_run(model, noisy), alone, _TOLERANCE, "output of a batch, compared with each utterance alone,")


def check_padding(model: nn.Module) -> None:
    """With `lengths`, padding an utterance changes nothing before its length."""
    noisy = _noise(3, _seconds(model, 0.6))
    lengths = torch.tensor([noisy.shape[-1], noisy.shape[-1] // 2 + 7, noisy.shape[-1] // 5])
    noisy = noisy * (torch.arange(noisy.shape[-1]) < lengths[:, None])
    padded = _run(model, noisy, lengths)
    for row, length in enumerate(lengths.tolist()):
        alone = _run(model, noisy[row : row + 1, :length])
        _close(
            padded[row : row + 1, :length], alone, _TOLERANCE, f"output of an utterance of {length} samples, padded,"
        )


def check_deterministic(model: nn.Module) -> None:
    """In evaluation mode, the same input gives the same output, and running leaves no trace in the model."""
    noisy = _noise(2, _seconds(model, 0.3))
    state = copy.deepcopy(model.state_dict())
    first = _run(model, noisy)
    _require(torch.equal(first, _run(model, noisy)), "output must be the same for the same input, but is not")
    same = all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    _require(same, "enhancing must leave the state as it is, but changed it")


def check_precision(model: nn.Module) -> None:
    """The output has the dtype of the input and model, float32 and float64."""
    for dtype in (torch.float32, torch.float64):
        typed = copy.deepcopy(model).to(dtype)
        found = _run(typed, _noise(1, 1_000).to(dtype)).dtype
        _require(found == dtype, f"output must be {dtype} like model and input, but is {found}")


def check_gradients(model: nn.Module) -> None:
    """Every parameter that is trained gets a finite gradient."""
    model = copy.deepcopy(model).train()
    names, parameters = zip(*[(n, p) for n, p in model.named_parameters() if p.requires_grad], strict=True)
    loss = model(_noise(2, _seconds(model, 0.3))).square().mean()
    for name, gradient in zip(names, torch.autograd.grad(loss, parameters, allow_unused=True), strict=True):
        _require(gradient is not None, f"every parameter must have a gradient, but {name} has none")
        _require(bool(torch.isfinite(gradient).all()), f"gradients must be finite, but that of {name} is not")


def check_saving(model: nn.Module) -> None:
    """Saved and loaded again, the model is of the same class and gives the same output bit for bit."""
    noisy = _noise(1, _seconds(model, 0.3))
    with tempfile.TemporaryDirectory() as folder:
        save_model(model, folder)
        loaded = load_torch(folder, allow_foreign=True).model
    _require(type(loaded) is type(model), f"the loaded model must be a {type(model)}, but is a {type(loaded)}")
    _require(torch.equal(_run(loaded, noisy), _run(model, noisy)), "the loaded model must give the same, but does not")


def check_stream(model: nn.Module) -> None:
    """If causal: a stream in chunks of any size gives what offline gives, within 1e-5, and 1e-9 in float64."""
    steps = stepping(model)
    if steps is None:
        return
    hop = hop_samples(steps)
    signal = _noise(1, _seconds(model, 1.0))[0].double()
    for sizes in ([1], [hop - 1], [hop], [7 * hop + 3], [3, 0, 701, 1, 2 * hop, 55]):
        piece = signal[: 3 * hop + 1] if sizes == [1] else signal
        for dtype, tolerance in ((torch.float32, _TOLERANCE), (torch.float64, _FINE_TOLERANCE)):
            typed = copy.deepcopy(model).to(dtype)
            offline = _run(typed, piece.to(dtype)[None])[0]
            streamed = _streamed(typed, piece.to(dtype).numpy(), sizes)
            _require(
                streamed.shape == piece.shape, f"a stream of {piece.shape} must be as long, but is {streamed.shape}"
            )
            _close(streamed, offline, tolerance, f"a {dtype} stream in chunks of {sizes}, compared with offline,")


ENHANCER_CHECKS: tuple[Callable[[Any], None], ...] = (
    check_declarations,
    check_length,
    check_finite,
    check_causality,
    check_batch,
    check_padding,
    check_deterministic,
    check_precision,
    check_gradients,
    check_saving,
    check_stream,
)
"""Every part of the contract, for parametrised tests."""


def check_enhancer(model: nn.Module) -> None:
    """Run the whole contract on a model, left in evaluation mode. Raises AssertionError at the first breach."""
    for check in ENHANCER_CHECKS:
        check(model)


def _streamed(model: nn.Module, signal: np.ndarray[Any, Any], sizes: list[int]) -> Tensor:
    enhancer = TorchEnhancer(model)
    parts, position, turn = [], 0, 0
    with enhancer.stream(sample_rate=enhancer.sample_rate) as stream:
        while position < signal.size:
            size = sizes[turn % len(sizes)]
            parts.append(stream.feed(signal[position : position + size]))
            position, turn = position + size, turn + 1
        parts.append(stream.flush())
    return torch.from_numpy(np.concatenate(parts))


def _run(model: nn.Module, noisy: Tensor, lengths: Tensor | None = None) -> Tensor:
    model.eval()
    with torch.no_grad():
        takes_lengths = "lengths" in inspect.signature(model.forward).parameters
        output: Tensor = model(noisy, lengths) if takes_lengths else model(noisy)
    return output


def _noise(batch: int, samples: int) -> Tensor:
    generator = torch.Generator().manual_seed(_SEED)
    return _LEVEL * torch.randn(batch, samples, generator=generator)


def _seconds(model: nn.Module, seconds: float) -> int:
    return int(seconds * _get(model, "sample_rate"))


def _get(model: nn.Module, name: str) -> Any:
    return getattr(model, name)


def _close(found: Tensor, wanted: Tensor, tolerance: float, what: str) -> None:
    difference = float((found - wanted).abs().max()) if found.numel() else 0.0
    _require(difference <= tolerance, f"{what} must agree within {tolerance}, but differs by {difference:.3g}")


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise AssertionError(f"{message}.")
