"""The two models: LLaMA, and the same network looking both ways, which is EuroBERT.

Every tensor of one has its place in the other, so that the encoder may start from what the decoder knows: training to
tell the next character first costs less than learning from masks alone (arXiv 2507.00994).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from cmkt.extras import import_extra
from cmkt.text.language.tokenizer import BEGIN_ID, END_ID, MASK_ID, PAD_ID

if TYPE_CHECKING:
    from torch import Tensor, nn

    from cmkt.training.language_model.settings import Settings


def build_decoder(settings: Settings, *, vocabulary_size: int, embeddings: Tensor) -> nn.Module:
    """A causal model. embeddings: (V, D), what its table of characters starts from; its output uses the same table."""
    transformers = import_extra("transformers", "train")
    model: Any = _seeded(transformers.LlamaForCausalLM, transformers.LlamaConfig, settings, vocabulary_size)
    with torch.no_grad():
        model.model.embed_tokens.weight.copy_(embeddings)
    return _typed(model)


def build_encoder(settings: Settings, decoder: nn.Module) -> nn.Module:
    """A bidirectional model that starts from the weights of a decoder of the same size."""
    transformers = import_extra("transformers", "train")
    vocabulary_size = int(decoder.get_input_embeddings().weight.shape[0])  # type: ignore[operator]
    model = _seeded(
        transformers.EuroBertForMaskedLM, transformers.EuroBertConfig, settings, vocabulary_size, mask_token_id=MASK_ID
    )
    model.load_state_dict(decoder.state_dict())
    return _typed(model)


def _seeded(model_class: Any, config_class: Any, settings: Settings, vocabulary_size: int, **more: Any) -> Any:
    config = config_class(
        vocab_size=vocabulary_size,
        hidden_size=settings.width,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        intermediate_size=settings.intermediate,
        max_position_embeddings=settings.max_tokens,
        tie_word_embeddings=True,
        pad_token_id=PAD_ID,
        bos_token_id=BEGIN_ID,
        eos_token_id=END_ID,
        **more,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        return model_class(config)


def _typed(model: Any) -> nn.Module:
    typed: nn.Module = model
    return typed
