"""BLSTM: the classic magnitude mapping, a bidirectional LSTM with the noisy phase.

After Weninger et al., "Speech Enhancement with LSTM Recurrent Neural Networks and its Application to Noise-Robust ASR",
LVA/ICA 2015, with log(1 + magnitude) at input and output, as the transfer papers train it.

Shapes: B utterances, K frames, W bins.
"""

from __future__ import annotations

from typing import Any, final

from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from cmkt.models.whole_utterance import WholeUtterance
from cmkt.spectral.stft import STFT


@final
class BLSTM(WholeUtterance):
    """Enhancer that sees the whole utterance, (B, T) -> (B, T), any T >= 1.

    hidden: width of each direction; dense: width of the layer to supervise, `dense`, (B, K, dense).
    """

    def __init__(
        self,
        sample_rate: int = 16_000,
        *,
        window_samples: int = 512,
        hop_samples: int = 256,
        hidden: int = 200,
        layers: int = 2,
        dense: int = 300,
    ) -> None:
        super().__init__()
        self.init_args: dict[str, Any] = {
            "sample_rate": sample_rate,
            "window_samples": window_samples,
            "hop_samples": hop_samples,
            "hidden": hidden,
            "layers": layers,
            "dense": dense,
        }
        self.sample_rate = sample_rate
        self.stft = STFT(window_samples, hop_samples)
        self.latency_samples = window_samples + hop_samples
        self.recurrent = nn.LSTM(self.stft.bins, hidden, layers, batch_first=True, bidirectional=True)
        self.dense = nn.Sequential(nn.Linear(2 * hidden, dense), nn.LeakyReLU(0.3))
        self.output = nn.Linear(dense, self.stft.bins)

    def enhance_spectrum(self, spectrum: Tensor, mask: Tensor | None) -> Tensor:
        """As `WholeUtterance.enhance_spectrum`."""
        magnitude = spectrum.abs()
        estimate = self._map(magnitude.log1p(), mask).expm1()
        return spectrum * (estimate / magnitude.clamp_min(1e-8))

    def _map(self, features: Tensor, mask: Tensor | None) -> Tensor:
        """log(1 + magnitude) of the estimate, (B, K, W), from that of the noisy speech."""
        if mask is None:
            hidden, _ = self.recurrent(features)
        else:
            frames = mask.sum(dim=1).cpu()
            packed = pack_padded_sequence(features, frames, batch_first=True, enforce_sorted=False)
            hidden, _ = pad_packed_sequence(self.recurrent(packed)[0], batch_first=True, total_length=features.shape[1])
        return nn.functional.softplus(self.output(self.dense(hidden)), beta=20)
