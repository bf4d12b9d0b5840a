"""The task: an enhancer, alignments on some of its layers, and the objective that joins them for training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack
from typing import final

import torch
from torch import Tensor, nn

from cmkt.errors import ConfigError
from cmkt.text.padding import pad_tokens
from cmkt.transfer.branch import Branch
from cmkt.transfer.calling import Calling, check_lengths
from cmkt.transfer.objective import Reduction, combine, transfer_loss
from cmkt.types import Losses, Teacher, Tokens

_STEP_STRIDE = 1_000_003


@final
class TransferTask(nn.Module):
    """Made by `cmkt.attach`. Trains `model` and `alignment`; wrap the task, not the model, for data-parallel training.

    model: the enhancer, unchanged; branches: the alignment of each supervised layer, thrown away after training; loss:
    L_SE. L_CMA is the sum of those of the branches, each weighted by its share of the weights.
    step: training passes so far. Draws of a shift depend on (seed, step) only, a schedule's amounts on step; the task's
    `state_dict` carries it, so that a resumed run draws what it would have drawn. The teacher is in no state_dict.
    bridge_warmup_steps: for that many passes the bridges learn and L_CMA gives the model no gradient.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        branches: Sequence[Branch],
        loss: nn.Module,
        teacher: Teacher,
        calling: Calling,
        alpha: float,
        reduction: Reduction,
        bridge_warmup_steps: int,
        seed: int,
    ) -> None:
        super().__init__()
        self.model = model
        self.branches = nn.ModuleList(branches)
        self.loss = loss
        self.alpha = alpha
        self.reduction = reduction
        self.bridge_warmup_steps = bridge_warmup_steps
        self.seed = seed
        self.step = 0
        self._held_teacher = (teacher,)  # in a tuple: a teacher that is an nn.Module must not become a submodule
        self._calling = calling
        self._tokens: Tokens | None = None
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
        text train on L_SE alone. Raises: ConfigError when shapes do not fit; LayerError when a layer was not called
        exactly once, or gives no gradient to the model.
        """
        lengths = check_lengths(lengths, noisy)
        if clean.shape != noisy.shape:
            raise ConfigError(f"`clean` must have noisy's shape {tuple(noisy.shape)}, but has {tuple(clean.shape)}.")
        tokens = self._embed(texts, noisy)
        with ExitStack() as armed:
            records = [armed.enter_context(branch.tap.recording()) for branch in self._attached()]
            estimate = self._calling.enhance(self.model, noisy, lengths)
        aligned = [
            branch(
                recorded,
                tokens,
                lengths=lengths,
                samples=noisy.shape[1],
                generator=self._generator(),
                needs_gradient=estimate.requires_grad,
                step=self.step,
                cut=self.step < self.bridge_warmup_steps,
            )
            for branch, recorded in zip(self._branches(), records, strict=True)
        ]
        self._tokens = tokens
        self.step += self.training
        enhancement = self.loss(estimate=estimate, reference=clean, lengths=lengths)
        losses = torch.stack([transfer_loss(each, self.reduction) for each in aligned])
        transfer = (losses * losses.new_tensor(self._shares())).sum()
        total = combine(enhancement, transfer, self.alpha)
        counted = sum(int(each.counted.sum()) for each in aligned)
        return Losses(total=total, enhancement=enhancement, transfer=transfer, tokens=counted)

    def detach(self) -> nn.Module:
        """The model without the hooks: same object, same class, same state_dict keys. The task is then finished."""
        for branch in self._branches():
            branch.detach()
        self._tokens = None
        return self.model

    def gradient_norms(self, losses: Losses) -> dict[str, float]:
        """Norms at the tapped layers of the gradients of both weighted terms, to be called before backward.

        `enhancement` is that of alpha L_SE, `transfer` that of (1 - alpha) L_CMA, of the latest forward pass, over all
        layers together. Raises: ConfigError when there was no forward pass with gradients.
        """
        outputs = [branch.seen.output for branch in self._branches() if branch.seen is not None]
        if not outputs or not all(output.requires_grad for output in outputs):
            raise ConfigError("`gradient_norms` must follow a forward pass with gradients, but there was none.")
        terms = {"enhancement": self.alpha * losses.enhancement, "transfer": (1 - self.alpha) * losses.transfer}
        return {name: _gradient_norm(term, outputs) for name, term in terms.items()}

    @torch.no_grad()
    def mismatch_gap(self) -> float | None:
        """L_CMA per token on frames of another utterance minus on the true frames, of the latest forward pass.

        Above zero when the bridge reads something that belongs to the utterance. The other utterance is the batch's
        nearest in length, within 10%, with another transcript; None where no utterance has such a partner.
        """
        if self._tokens is None:
            raise ConfigError("`mismatch_gap` must follow a forward pass, but there was none.")
        gaps = [branch.mismatch(self._tokens, self._generator()) for branch in self._branches()]
        if not all(len(gap) for gap in gaps):
            return None
        return sum(share * float(gap.mean()) for share, gap in zip(self._shares(), gaps, strict=True))

    def get_extra_state(self) -> dict[str, int]:
        """What a checkpoint of the task holds beyond weights."""
        return {"step": self.step}

    def set_extra_state(self, state: dict[str, int]) -> None:
        """Restores `step`."""
        self.step = int(state["step"])

    def _branches(self) -> list[Branch]:
        return [branch for branch in self.branches if isinstance(branch, Branch)]

    def _attached(self) -> list[Branch]:
        branches = self._branches()
        if not all(branch.attached for branch in branches):
            raise ConfigError("The task must be attached to train, but was detached. Call cmkt.attach again.")
        return branches

    def _shares(self) -> list[float]:
        """Of L_CMA, adding up to 1."""
        weights = [branch.weight for branch in self._branches()]
        return [weight / sum(weights) for weight in weights]

    def _generator(self) -> torch.Generator:
        """Draws alike for every layer."""
        return torch.Generator().manual_seed(self.seed * _STEP_STRIDE + (self.step if self.training else 0))

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


def _gradient_norm(term: Tensor, outputs: list[Tensor]) -> float:
    gradients = torch.autograd.grad(term, outputs, retain_graph=True, allow_unused=True)
    return math.sqrt(sum(float(gradient.norm()) ** 2 for gradient in gradients if gradient is not None))
