"""Where a torch model runs, from the name that a user gives."""

from __future__ import annotations

import torch

from cmkt.errors import ConfigError


def check_device(name: str) -> torch.device:
    """The device of a name such as "cpu" or "cuda:0".

    Raises: ConfigError where the name is none, or there is no such CUDA device.
    """
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ConfigError(f"`device` must be a device such as 'cpu' or 'cuda:0', but is {name!r} instead.") from error
    if device.type == "cuda" and (device.index or 0) >= (found := torch.cuda.device_count()):
        raise ConfigError(
            f"`device` must be there, but is {name!r}, and the number of CUDA devices that torch finds is {found}. "
            "Use 'cpu'."
        )
    return device
