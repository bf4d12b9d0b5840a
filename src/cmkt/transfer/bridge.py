"""The bridge: multi-head cross-attention that reads a vector for each token out of an enhancer's frames.

Legend: B utterances, F frames of width C, N tokens of width D, W width of the bridge, A heads.

    q_t = P_q LN(z_t) + P_p position(t, n) + P_s seconds(expected time of t)
    k_f = P_k LN(h_f) + P_s seconds(time of f)
    zhat_t = P_o sum_f softmax_f(q_t k_f / sqrt(W / A)) P_v LN(h_f)

What z_t may do is choose frames. It never reaches zhat_t itself: there is no residual from the query, and no time
encoding in the values, so frames that are constant in time give the same zhat whatever the text says. The expected time
is the token's relative position times the utterance's duration; its projection P_s is that of the frames' times, so
that attention prefers the right neighbourhood from the start (our choice; the paper's is not known).
"""

from __future__ import annotations

import math
from typing import final

import torch
from torch import Tensor, nn

from cmkt.errors import ConfigError
from cmkt.transfer.shift import displace_mask
from cmkt.transfer.time_encoding import POSITION_FEATURES, TIME_FEATURES, encode_position, encode_seconds
from cmkt.types import Frames, Tokens


@final
class Bridge(nn.Module):
    """Cross-attention from tokens (queries) to frames (keys and values), without a residual from the tokens."""

    def __init__(self, frame_width: int, token_width: int, *, width: int, heads: int) -> None:
        super().__init__()
        if heads < 1 or width < 1 or width % heads:
            raise ConfigError(
                f"`width` must be a positive multiple of `heads`, but is {width} for {heads} heads instead."
            )
        self.heads = heads
        self.frame_norm = nn.LayerNorm(frame_width)
        self.token_norm = nn.LayerNorm(token_width)
        self.keys = nn.Linear(frame_width, width, bias=False)
        self.values = nn.Linear(frame_width, width, bias=False)
        self.queries = nn.Linear(token_width, width)
        self.position = nn.Linear(POSITION_FEATURES, width, bias=False)
        self.time = nn.Linear(TIME_FEATURES, width, bias=False)
        self.output = nn.Linear(width, token_width)
        for head in self.time.weight.data.chunk(heads):
            nn.init.orthogonal_(head)  # so that at first similarity in time falls with distance, in every head

    def forward(self, frames: Frames, tokens: Tokens, displacement: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """What the bridge reads for the query of each token, and from where.

        Shape: displacement (B,) in frames -> zhat (B, N, D), matrix (B, N, F): the weights averaged over heads,
        float32, each row summing to one (rows of utterances without any frame are meaningless but finite).
        """
        heard = self.frame_norm(frames.values.to(self.output.weight.dtype))
        times = encode_seconds(_frame_times(frames, displacement))
        queries = self._query(frames, tokens)
        queries = queries.reshape(*queries.shape[:2], self.heads, queries.shape[-1] // self.heads)  # (B, N, A, W / A)
        scores = self._scores(queries, self.keys, heard) + self._scores(queries, self.time, times)
        scores = scores.float() / math.sqrt(queries.shape[-1])  # (B, A, N, F)
        inside = displace_mask(frames.mask, displacement)[:, None, None, :]
        weights = scores.masked_fill(~inside, torch.finfo(torch.float32).min).softmax(dim=-1)
        attended = _per_head(weights.to(heard.dtype), heard) @ self._split(self.values).transpose(-1, -2)
        return self.output(attended.transpose(1, 2).flatten(start_dim=2)), weights.mean(dim=1)

    def _scores(self, queries: Tensor, projection: nn.Linear, seen: Tensor) -> Tensor:
        """q_t (P x_f) for every head, as (q_t P) x_f: there are far fewer tokens than frames, so this is cheaper.

        Shape: queries (B, N, A, W / A), seen (B or 1, F, I) -> (B, A, N, F).
        """
        asked = queries.transpose(1, 2) @ self._split(projection)  # (B, A, N, I)
        return _per_head(asked, seen.transpose(1, 2))

    def _query(self, frames: Frames, tokens: Tokens) -> Tensor:
        vectors = tokens.values.detach().to(self.output.weight.dtype)
        features, relative = encode_position(tokens.mask)
        duration = frames.mask.sum(dim=1, keepdim=True) * frames.seconds_per_frame
        expected: Tensor = self.time(encode_seconds(relative * duration))
        query: Tensor = self.queries(self.token_norm(vectors)) + self.position(features) + expected
        return query

    def _split(self, projection: nn.Linear) -> Tensor:
        """The weights of a projection for each head, (A, W / A, I)."""
        return projection.weight.reshape(self.heads, -1, projection.in_features)


def _per_head(rows: Tensor, columns: Tensor) -> Tensor:
    """(B, A, N, I) times (B or 1, I, O) -> (B, A, N, O), as one product for all heads of an utterance."""
    product = rows.flatten(1, 2) @ columns
    return product.reshape(*rows.shape[:3], columns.shape[-1])


def _frame_times(frames: Frames, displacement: Tensor | None) -> Tensor:
    """Seconds at which each frame is said to be: (1, F), or (B, F) when utterances are displaced."""
    index = torch.arange(frames.mask.shape[1], device=frames.mask.device, dtype=torch.float32)[None]
    if displacement is not None:
        index = index + displacement[:, None]
    return index * frames.seconds_per_frame
