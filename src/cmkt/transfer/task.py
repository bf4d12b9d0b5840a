"""The task: an enhancer, an alignment on one of its layers, and the objective that joins them for training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from cmkt.errors import ConfigError, LayerError
from cmkt.text.padding import pad_tokens
from cmkt.transfer.calling import Calling, check_lengths
from cmkt.transfer.layout import Layout
from cmkt.transfer.mismatch import mismatch_pairs, take_frames
from cmkt.transfer.objective import Reduction, combine, transfer_loss
from cmkt.transfer.tap import Tap, only_output
from cmkt.types import Aligned, Frames, Losses, Teacher, Tokens

_STEP_STRIDE = 1_000_003


@final
class TransferTask(nn.Module):
    """Made by `cmkt.attach`. Trains `model` and `alignment`; wrap the task, not the model, for data-parallel training.

    model: the enhancer, unchanged; alignment: the bridge, thrown away after training; loss: L_SE.
    step: training passes so far. Draws of a frame shift depend on (seed, step) only; the task's `state_dict` carries
    it, so that a resumed run draws what it would have drawn. The teacher is in no state_dict.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        alignment: nn.Module,
        loss: nn.Module,
        teacher: Teacher,
        tap: Tap,
        calling: Calling,
        layer: str,
        layout: Layout,
        seconds_per_frame: float,
        alpha: float,
        reduction: Reduction,
        seed: int,
    ) -> None:
        super().__init__()
        self.model = model
        self.alignment = alignment
        self.loss = loss
        self.layer = layer
        self.layout = layout
        self.seconds_per_frame = seconds_per_frame
        self.alpha = alpha
        self.reduction = reduction
        self.seed = seed
        self.step = 0
        self._held_teacher = (teacher,)  # in a tuple: a teacher that is an nn.Module must not become a submodule
        self._tap = tap
        self._calling = calling
        self._handle: RemovableHandle | None = None
        self._last: tuple[Tensor, Frames, Tokens] | None = None
        if isinstance(teacher, nn.Module):
            teacher.eval()

    @property
    def teacher(self) -> Teacher:
        """The frozen language model, or the store of its vectors."""
        return self._held_teacher[0]

    def forward(
        self, noisy: Tensor, *, clean: Tensor, lengths: Tensor | None = None, texts: Sequence[str | None]
    ) -> Losses:
        """Both losses of one batch and their weighted sum, `total`, which is what to differentiate.

        Shape: noisy and clean (B, T), lengths (B,) in samples, one text or None for each utterance. Utterances without
        text train on L_SE alone. Raises: ConfigError when shapes do not fit; LayerError when the layer was not called
        exactly once, or gives no gradient to the model.
        """
        lengths = check_lengths(lengths, noisy)
        if clean.shape != noisy.shape:
            raise ConfigError(f"`clean` must have noisy's shape {tuple(noisy.shape)}, but has {tuple(clean.shape)}.")
        tokens = self._embed(texts, noisy)
        with self._attached().recording() as recorded:
            estimate = self._calling.enhance(self.model, noisy, lengths)
        output = only_output(recorded, self.layer)
        if estimate.requires_grad and not output.requires_grad:
            raise LayerError(
                f"`layer` must give a gradient to the model, but {self.layer!r} gives none: it and all before it are "
                "frozen, or it is inside a reentrant checkpoint (use_reentrant=False works)."
            )
        frames = self._frames(output, lengths, noisy.shape[1])
        aligned = self._align(frames, tokens)
        self._last = (output, frames, tokens)
        self.step += self.training
        enhancement = self.loss(estimate=estimate, reference=clean, lengths=lengths)
        transfer = transfer_loss(aligned, self.reduction)
        total = combine(enhancement, transfer, self.alpha)
        return Losses(total=total, enhancement=enhancement, transfer=transfer, tokens=int(aligned.counted.sum()))

    def detach(self) -> nn.Module:
        """The model without the hook: same object, same class, same state_dict keys. The task is then finished."""
        if self._handle is not None:
            self._handle.remove()
        self._handle = self._last = None
        return self.model

    def gradient_norms(self, losses: Losses) -> dict[str, float]:
        """Norms at the tapped layer of the gradients of both weighted terms, to be called before backward.

        `enhancement` is that of alpha L_SE, `transfer` that of (1 - alpha) L_CMA, of the latest forward pass.
        Raises: ConfigError when there was no forward pass with gradients.
        """
        if self._last is None or not self._last[0].requires_grad:
            raise ConfigError("`gradient_norms` must follow a forward pass with gradients, but there was none.")
        terms = {"enhancement": self.alpha * losses.enhancement, "transfer": (1 - self.alpha) * losses.transfer}
        return {name: _gradient_norm(term, self._last[0]) for name, term in terms.items()}

    @torch.no_grad()
    def mismatch_gap(self) -> float | None:
        """L_CMA per token on frames of another utterance minus on the true frames, of the latest forward pass.

        Above zero when the bridge reads something that belongs to the utterance. The other utterance is the batch's
        nearest in length, within 10%, with another transcript; None where no utterance has such a partner.
        """
        if self._last is None:
            raise ConfigError("`mismatch_gap` must follow a forward pass, but there was none.")
        _, frames, tokens = self._last
        own, other = mismatch_pairs(frames, tokens)
        if not own:
            return None
        chosen = Tokens(values=tokens.values[own], mask=tokens.mask[own])
        true, wrong = (self._align(take_frames(frames, rows), chosen) for rows in (own, other))
        both = true.counted & wrong.counted
        if not bool(both.any()):
            return None
        return float((wrong.distance - true.distance)[both].mean())

    def get_extra_state(self) -> dict[str, int]:
        """What a checkpoint of the task holds beyond weights."""
        return {"step": self.step}

    def set_extra_state(self, state: dict[str, int]) -> None:
        """Restores `step`."""
        self.step = int(state["step"])

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_last": None}  # tensors inside a graph can be neither copied nor pickled

    def _register(self) -> None:
        self._handle = self.model.get_submodule(self.layer).register_forward_hook(self._tap)

    def _attached(self) -> Tap:
        if self._handle is None:
            raise ConfigError("The task must be attached to train, but was detached. Call cmkt.attach again.")
        return self._tap

    def _embed(self, texts: Sequence[str | None], noisy: Tensor) -> Tokens:
        if texts is None or isinstance(texts, str):
            raise ConfigError(f"`texts` must be a list with a string or None for each utterance, but is {texts!r}.")
        if len(texts) != noisy.shape[0]:
            raise ConfigError(f"`texts` must have {noisy.shape[0]} entries, one an utterance, but has {len(texts)}.")
        present = [index for index, text in enumerate(texts) if text is not None and text.strip()]
        with torch.no_grad():
            embedded = self.teacher.embed([str(texts[index]) for index in present]) if present else []
        vectors: list[Tensor | None] = [None] * len(texts)
        for index, vector in zip(present, embedded, strict=True):
            vectors[index] = vector
        tokens = pad_tokens(vectors, self.teacher.width)
        return Tokens(values=tokens.values.to(noisy.device), mask=tokens.mask.to(noisy.device))

    def _frames(self, output: Tensor, lengths: Tensor, samples: int) -> Frames:
        values = self.layout.to_frames(output)
        count = values.shape[1]
        valid = (lengths * count + samples - 1) // samples  # ceil(F * length / T) in integers
        mask = torch.arange(count, device=values.device) < valid[:, None]
        return Frames(values=values, mask=mask, seconds_per_frame=self.seconds_per_frame)

    def _align(self, frames: Frames, tokens: Tokens) -> Aligned:
        step = self.step if self.training else 0
        generator = torch.Generator().manual_seed(self.seed * _STEP_STRIDE + step)
        aligned: Aligned = self.alignment(frames, tokens, generator)
        return aligned


def _gradient_norm(term: Tensor, output: Tensor) -> float:
    (gradient,) = torch.autograd.grad(term, output, retain_graph=True, allow_unused=True)
    return 0.0 if gradient is None else float(gradient.norm())
