"""What tables, comparisons and reports say about each metric: the one place for titles, units, decimals and directions.

Papers and ranges of each are in the file that computes it, and in docs/metrics.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, final

MOS_UNITS: Final = ("MOS", "MOS-LQO")
"""Units that say which scale of opinions a score is on; labels leave them out."""


@final
@dataclass(frozen=True, slots=True)
class About:
    """One metric for those who read its values.

    name: as in result files; title: as papers write it; unit: "dB", "nats/word", a scale of opinions, or "" for a plain
    number; decimals: how many a table shows; meaning: one line for people who do not know it.
    """

    name: str
    title: str
    meaning: str
    unit: str = ""
    decimals: int = 3
    higher_is_better: bool = True

    @property
    def label(self) -> str:
        """The title with the unit, as heads of columns show it."""
        return f"{self.title} ({self.unit})" if self.unit and self.unit not in MOS_UNITS else self.title

    @property
    def direction(self) -> str:
        """ "higher is better" or "lower is better"."""
        return "higher is better" if self.higher_is_better else "lower is better"


ABOUT: Final[Mapping[str, About]] = MappingProxyType(
    {
        each.name: each
        for each in (
            About("pesq_wb", "PESQ-WB", "perceived quality, wide band, 1.04 to 4.64", "MOS-LQO"),
            About("pesq_nb", "PESQ-NB", "perceived quality as on a telephone, 1.02 to 4.55", "MOS-LQO"),
            About("stoi", "STOI", "intelligibility, at most 1", decimals=4),
            About("estoi", "ESTOI", "intelligibility where noise comes and goes, at most 1", decimals=4),
            About("si_sdr", "SI-SDR", "the reference against everything else, whatever the level", "dB", 2),
            About("snr_seg", "SNRseg", "mean over frames of signal to error, each from -10 to 35", "dB", 2),
            About("lsd", "LSD", "distance of log spectra, 0 where equal", "dB", 2, higher_is_better=False),
            About("csig", "CSIG", "distortion of the speech as listeners would rate it, 1 to 5", "MOS"),
            About("cbak", "CBAK", "intrusion of the background as listeners would rate it, 1 to 5", "MOS"),
            About("covl", "COVL", "overall quality as listeners would rate it, 1 to 5", "MOS"),
            About("dnsmos_sig", "DNSMOS SIG", "network's guess of speech quality; favours over-suppression", "MOS"),
            About("dnsmos_bak", "DNSMOS BAK", "network's guess of how unobtrusive the background is", "MOS"),
            About("dnsmos_ovrl", "DNSMOS OVRL", "network's guess of overall quality; favours over-suppression", "MOS"),
            About("dnsmos_p808", "DNSMOS P.808", "network's guess of overall quality, older", "MOS"),
            About("wer", "WER", "word errors for each word said", higher_is_better=False),
            About("cer", "CER", "character errors for each character said", higher_is_better=False),
            About("wil", "WIL", "share of the words' information that is lost, 0 to 1", higher_is_better=False),
            About("identified", "identified", "share of sentences found among a few, from chance to 1"),
            About("word_margin", "margin", "log-likelihood of the true sentence above the best other", "nats/word", 1),
        )
    }
)
"""By name, in the order of tables: sound, then words."""


def about(metric: str) -> About:
    """What is known of a metric. One that is not in the table has its name for a title, and higher is better."""
    return ABOUT.get(metric) or About(metric, metric, "")
