"""Reading frames by cross-attention: what every bridge does once it has made a query for each token.

Legend: B utterances, F frames of width C, N tokens of width D, W width of the bridge, A heads, T features of a time.

    k_f = P_k LN(h_f) + P_s seconds(time of f)
    M   = softmax_f(q_t k_f / sqrt(W / A))
    zhat_t = P_o sum_f M_tf P_v LN(h_f)

No time encoding is in the values and no query in zhat_t: frames that are constant in time give the same zhat whatever
was asked.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from cmkt.errors import ConfigError
from cmkt.transfer.shift import displace_mask
from cmkt.transfer.time_encoding import encode_seconds
from cmkt.types import Frames


class FrameReader(nn.Module):
    """Abstract: a bridge that is a FrameReader makes these attributes in its own order, and the queries.

    heads: A; frame_norm: over C; keys, values: C to W without bias; time: T to W without bias; output: W to D.
    """

    heads: int
    frame_norm: nn.LayerNorm
    keys: nn.Linear
    values: nn.Linear
    time: nn.Linear
    output: nn.Linear

    def read(self, queries: Tensor, frames: Frames, displacement: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """What each query reads, and from where.

        Shape: queries (B, N, W), displacement (B,) in frames -> zhat (B, N, D), matrix (B, N, F): the weights averaged
        over heads, float32, each row summing to one (rows of utterances without any frame are meaningless but finite).
        """
        heard = self.frame_norm(frames.values.to(self.output.weight.dtype))
        times = encode_seconds(_frame_times(frames, displacement))
        queries = queries.reshape(*queries.shape[:2], self.heads, queries.shape[-1] // self.heads)  # (B, N, A, W / A)
        scores = self._scores(queries, self.keys, heard) + self._scores(queries, self.time, times)
        scores = scores.float() / math.sqrt(queries.shape[-1])  # (B, A, N, F)
        inside = displace_mask(frames.mask, displacement)[:, None, None, :]
        weights = scores.masked_fill(~inside, torch.finfo(torch.float32).min).softmax(dim=-1)
        attended = _per_head(weights.to(heard.dtype), heard) @ self._split(self.values).transpose(-1, -2)
        return self.output(attended.transpose(1, 2).flatten(start_dim=2)), weights.mean(dim=1)

    def expected_time(self, relative: Tensor, frames: Frames) -> Tensor:
        """P_s seconds(when a token is expected): its relative position times the utterance's duration.

        Shape: relative (B, N) in (0, 1) -> (B, N, W). The projection is that of the frames' times, so that attention
        prefers the right neighbourhood from the start.
        """
        duration = frames.mask.sum(dim=1, keepdim=True) * frames.seconds_per_frame
        projected: Tensor = self.time(encode_seconds(relative * duration))
        return projected

    def _scores(self, queries: Tensor, projection: nn.Linear, seen: Tensor) -> Tensor:
        """q_t (P x_f) for every head, as (q_t P) x_f: there are far fewer tokens than frames, so this is cheaper.

        Shape: queries (B, N, A, W / A), seen (B or 1, F, I) -> (B, A, N, F).
        """
        asked = queries.transpose(1, 2) @ self._split(projection)  # (B, A, N, I)
        return _per_head(asked, seen.transpose(1, 2))

    def _split(self, projection: nn.Linear) -> Tensor:
        """The weights of a projection for each head, (A, W / A, I)."""
        return projection.weight.reshape(self.heads, -1, projection.in_features)


def check_heads(width: int, heads: int) -> None:
    """Raises ConfigError unless `width` is a positive multiple of `heads`."""
    if heads < 1 or width < 1 or width % heads:
        raise ConfigError(f"`width` must be a positive multiple of `heads`, but is {width} for {heads} heads instead.")


def spread_over_time(time: nn.Linear, heads: int) -> None:
    """Initial weights of P_s, orthogonal in every head: at first, similarity in time falls with distance."""
    for head in time.weight.data.chunk(heads):
        nn.init.orthogonal_(head)


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
