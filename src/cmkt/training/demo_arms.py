"""The configurations of the demo's two arms, as text for `cmkt fit --config`. They differ in `transfer` only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final, Literal

Arm = Literal["plain", "transfer"]

ARMS: Final[dict[Arm, str]] = {"plain": "plain", "transfer": "with linguistic transfer"}
"""Names of the arms in the order in which they are trained, and what they are called."""

CHECKS = 6
"""How often in a run the model is tried on dev."""

_COMMON = """\
# Written by `cmkt demo`. Longer, in another folder: cmkt fit --config {name}.yaml --output DIR --trainer.max_steps 5000
seed_everything: {seed}
checkpoint_every: {every}
trainer:
  accelerator: cpu
  max_steps: {steps}
  val_check_interval: {every}
  log_every_n_steps: {log_every}
model:
  model:
    class_path: cmkt.models.crn.CRN
    init_args:
      channels: [16, 16, 24, 24]
      hidden: 128
  loss:
    class_path: cmkt.losses.weighted_sum.WeightedSum
    init_args:
      losses:
        - class_path: cmkt.losses.compressed_spectrum.CompressedSpectrum
        - class_path: cmkt.losses.si_sdr.SISDR
      weights: [1.0, 0.002]
  learning_rate: 0.002
  warmup_steps: {warmup}
  dev_stoi_utterances: 4
"""

_TRANSFER = """\
  transfer:
    layer: recurrent
    layout: b t c
    teacher: {store}
    alignment:
      class_path: cmkt.transfer.attention.Attention
      init_args:
        shift:
          tokens: 1
    alpha: 0.98
    reduction: mean
"""

_DATA = """\
data:
  train: {train}
  dev: {dev}
  batch_seconds: 16
  seed: {seed}
  settings:
    snr_db: [-5.0, 15.0]
    level_db: [-32.0, -20.0]
    reverb_probability: 0.0
    band_limit_probability: 0.0
    clip_probability: 0.0
"""


def arm_config(arm: Arm, *, corpus: Path, store: Path, steps: int, seed: int) -> str:
    """YAML of one arm. corpus: the demo's corpus; store: the embedding store; steps: of training."""
    every = max(1, steps // CHECKS)
    common = _COMMON.format(
        name=arm, seed=seed, steps=steps, every=every, log_every=min(10, steps), warmup=min(50, steps // 10)
    )
    data = _DATA.format(train=_quoted(corpus / "train"), dev=_quoted(corpus / "dev"), seed=seed)
    return common + (_TRANSFER.format(store=_quoted(store)) if arm == "transfer" else "") + data


def _quoted(path: Path) -> str:
    """A JSON string is a YAML string, whatever is in it."""
    return json.dumps(str(path), ensure_ascii=False)
