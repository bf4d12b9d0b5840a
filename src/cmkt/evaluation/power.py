"""The smallest difference that a comparison could have seen: what "no difference was found" is worth."""

from __future__ import annotations

from typing import Final

from scipy import optimize, special

from cmkt.evaluation.significance import LEVEL

POWER: Final = 0.8


def smallest_detectable(standard_error: float, degrees: float) -> float:
    """The true difference, 0 or more, that a two-sided t test at the 5% level finds in 80 of 100 repetitions.

    standard_error: of the estimated difference; degrees: of freedom of its estimate, 1 or more. For many of them it is
    2.80 standard errors. The test statistic of a true difference follows the noncentral t distribution (Cohen,
    Statistical Power Analysis, 1988). It is as sure as the standard error is, which few seeds do not make it.

    >>> round(smallest_detectable(1.0, 1e6), 2), round(smallest_detectable(1.0, 2.0), 2)
    (2.8, 5.65)
    """
    if standard_error == 0:
        return 0.0
    critical = student_t(LEVEL, degrees)

    def missed(distance: float) -> float:
        """How much more often than wanted it is not found; being found on the wrong side is rarer than one in 10^6."""
        return float(special.nctdtr(degrees, distance, critical)) - (1 - POWER)

    about = critical + float(special.stdtrit(degrees, POWER))  # exact for many degrees, a sixth too small for one
    return standard_error * float(optimize.brentq(missed, 0.0, 1.5 * about))


def student_t(level: float, degrees: float) -> float:
    """The distance, in standard errors, that Student's t exceeds on either side at this rate."""
    return -float(special.stdtrit(degrees, level / 2))
