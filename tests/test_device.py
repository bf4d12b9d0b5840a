from __future__ import annotations

import pytest
import torch

from cmkt.device import check_device
from cmkt.errors import ConfigError


def test_a_name_gives_its_device() -> None:
    assert check_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["warp", "cpu:one", ""])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="`device` must be a device such as 'cpu'"):
        check_device(name)


def test_a_cuda_device_after_the_last_is_refused() -> None:
    with pytest.raises(ConfigError, match="`device` must be there, but is 'cuda:99', and the number"):
        check_device("cuda:99")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here, so asking for one is no mistake")
def test_cuda_is_refused_where_there_is_none() -> None:
    with pytest.raises(ConfigError, match=r"torch finds is 0\. Use 'cpu'"):
        check_device("cuda")
