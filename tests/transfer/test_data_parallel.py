"""Data-parallel training wraps the task; two gloo processes on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

WORKER = """
import sys
import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from cmkt.models.crn import CRN
from cmkt.transfer.attach import attach

class Teacher:
    width, identity = 6, "fixed"
    def embed(self, texts):
        return [torch.randn(4, 6, generator=torch.Generator().manual_seed(len(text))) for text in texts]

rank, folder, kind = int(sys.argv[1]), *sys.argv[2:]
dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
torch.manual_seed(0)
encode, decode = nn.Conv1d(1, 8, 16, 16), nn.ConvTranspose1d(8, 1, 16, 16)
outsider = nn.Sequential(nn.Unflatten(1, (1, -1)), encode, decode, nn.Flatten(1))
model = CRN(8000, channels=(4, 4), hidden=8) if kind == "crn" else outsider
layer, layout = ("recurrent", "b t c") if kind == "crn" else ("1", "b c t")
task = attach(model, layer=layer, layout=layout, teacher=Teacher(), sample_rate=8000)
parallel = DistributedDataParallel(task)
noisy = torch.randn(2, 800, generator=torch.Generator().manual_seed(rank))
texts = [["one", "three"], [None, None]][rank]
parallel(noisy, clean=0.5 * noisy, texts=texts).total.backward()
gradients = {name: parameter.grad for name, parameter in task.named_parameters()}
torch.save(gradients, f"{folder}/gradients.{rank}")
dist.destroy_process_group()
"""


@pytest.mark.parametrize("kind", ["crn", "outsider"])
def test_gradients_of_model_and_bridge_agree_even_when_one_process_has_no_text(kind: str, tmp_path: Path) -> None:
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    workers = [
        subprocess.Popen([sys.executable, "-c", WORKER, str(rank), str(tmp_path), kind], env=environment)
        for rank in range(2)
    ]
    assert [worker.wait(timeout=300) for worker in workers] == [0, 0]
    first, second = (torch.load(tmp_path / f"gradients.{rank}") for rank in range(2))
    assert any(name.startswith("branches.") for name in first)
    for name, gradient in first.items():
        assert gradient is not None, name
        assert torch.equal(gradient, second[name]), name
    assert first["branches.0.alignment.bridge.values.weight"].abs().sum() > 0
