"""The contract on every backbone as it is trained, in its default and about its paper's size: `make test-all`."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from cmkt.evaluation.backbones import PAPER_SIZE, chosen
from cmkt.models.catalogue import Backbone
from cmkt.testing.enhancer import ENHANCER_CHECKS

PAIRS = chosen([], None)


@pytest.mark.slow
@pytest.mark.parametrize("check", ENHANCER_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair[0].name}-{pair[1]}")
def test_a_backbone_keeps_the_contract_in_every_size(
    pair: tuple[Backbone, str], check: Callable[[nn.Module], None]
) -> None:
    backbone, size = pair
    torch.manual_seed(0)
    check(backbone.build(**((backbone.paper_args or {}) if size == PAPER_SIZE else {})))
