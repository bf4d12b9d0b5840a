from __future__ import annotations

import torch

from cmkt.models.conformer import ConformerBlock, rotated


def test_rotated_products_depend_on_the_distance_only() -> None:
    queries, keys = torch.randn(2, 1, 1, 1, 8, generator=torch.Generator().manual_seed(0)).expand(2, 1, 1, 12, 8)
    products = (rotated(queries) @ rotated(keys).transpose(-1, -2))[0, 0]
    for distance in (-3, 0, 5):
        diagonal = products.diagonal(distance)
        torch.testing.assert_close(diagonal, diagonal[:1].expand_as(diagonal), atol=1e-5, rtol=0)
    assert not torch.allclose(products[0, 0], products[0, 5])


def test_rotation_keeps_length_and_leaves_the_first_step() -> None:
    x = torch.randn(2, 3, 10, 8, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(rotated(x).norm(dim=-1), x.norm(dim=-1))
    assert torch.equal(rotated(x)[:, :, 0], x[:, :, 0])


def test_masked_steps_are_read_by_no_other() -> None:
    torch.manual_seed(0)
    block = ConformerBlock(8, heads=2, kernel=5, expansion=2).eval()
    x, mask = torch.randn(1, 10, 8), torch.arange(10)[None] < 6
    other = x.clone()
    other[:, 6:] += 100.0
    torch.testing.assert_close(block(x, mask)[:, :6], block(other, mask)[:, :6])
    torch.testing.assert_close(block(x, mask)[:, :6], block(x[:, :6]), atol=1e-5, rtol=0)


def test_every_step_reads_every_other() -> None:
    torch.manual_seed(0)
    block = ConformerBlock(8, heads=2, kernel=1, expansion=2).eval()
    x = torch.randn(1, 20, 8, requires_grad=True)
    block(x)[0, 0, 0].backward()  # not their sum, which the last norm makes constant
    assert x.grad is not None
    assert (x.grad[0].abs().sum(dim=-1) > 0).all()
