"""One utterance to score, and what metrics have already computed of it.

Shapes: T samples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar, final

from cmkt.errors import MetricUndefinedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cmkt.types import FloatArray

Value = TypeVar("Value")

NO_REFERENCE: Final = "there is no clean reference"


@final
class Utterance:
    """An estimate (T,), its reference (T,) or None where there is none, and their rate in Hz.

    Metrics that need the same computation share it through `once`: CSIG, CBAK and COVL all need PESQ, which is a metric
    itself and costs more than all others together.
    """

    def __init__(self, *, estimate: FloatArray, reference: FloatArray | None, sample_rate: int) -> None:
        self.estimate = estimate
        self.sample_rate = sample_rate
        self._reference = reference
        self._values: dict[Callable[[Utterance], Any], Any] = {}
        self._reasons: dict[Callable[[Utterance], Any], str] = {}

    @property
    def reference(self) -> FloatArray:
        """The reference (T,).

        Raises: MetricUndefinedError where there is none.
        """
        if self._reference is None:
            raise MetricUndefinedError(NO_REFERENCE)
        return self._reference

    def once(self, compute: Callable[[Utterance], Value]) -> Value:
        """`compute(self)`, which runs only the first time that anyone asks for it.

        Raises: MetricUndefinedError each time where it did the first time.
        """
        if compute in self._reasons:
            raise MetricUndefinedError(self._reasons[compute])
        if compute not in self._values:
            try:
                self._values[compute] = compute(self)
            except MetricUndefinedError as error:
                self._reasons[compute] = str(error)
                raise
        value: Value = self._values[compute]
        return value
