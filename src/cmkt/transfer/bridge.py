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

from typing import final

from torch import Tensor, nn

from cmkt.transfer.reading import FrameReader, check_heads, spread_over_time
from cmkt.transfer.time_encoding import POSITION_FEATURES, TIME_FEATURES, encode_position
from cmkt.types import Frames, Tokens


@final
class Bridge(FrameReader):
    """Cross-attention from tokens (queries) to frames (keys and values), without a residual from the tokens.

    Raises: ConfigError when `width` is not a multiple of `heads`.
    """

    def __init__(self, frame_width: int, token_width: int, *, width: int, heads: int) -> None:
        super().__init__()
        check_heads(width, heads)
        self.heads = heads
        self.frame_norm = nn.LayerNorm(frame_width)
        self.token_norm = nn.LayerNorm(token_width)
        self.keys = nn.Linear(frame_width, width, bias=False)
        self.values = nn.Linear(frame_width, width, bias=False)
        self.queries = nn.Linear(token_width, width)
        self.position = nn.Linear(POSITION_FEATURES, width, bias=False)
        self.time = nn.Linear(TIME_FEATURES, width, bias=False)
        self.output = nn.Linear(width, token_width)
        spread_over_time(self.time, heads)

    def forward(self, frames: Frames, tokens: Tokens, displacement: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """What the bridge reads for the query of each token, and from where: `FrameReader.read`.

        Shape: displacement (B,) in frames -> zhat (B, N, D), matrix (B, N, F).
        """
        return self.read(self._query(frames, tokens), frames, displacement)

    def _query(self, frames: Frames, tokens: Tokens) -> Tensor:
        vectors = tokens.values.detach().to(self.output.weight.dtype)
        features, relative = encode_position(tokens.mask)
        expected = self.expected_time(relative, frames)
        query: Tensor = self.queries(self.token_norm(vectors)) + self.position(features) + expected
        return query
