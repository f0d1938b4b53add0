"""Exercise diebold_mariano: do the losses of two forecasts on the same days differ?"""

import numpy as np

from projects.stockprice.significance import diebold_mariano


def test_four_days_by_hand() -> None:
    statistic, p = diebold_mariano(np.array([1.0, 2, 3, 4]), np.array([2.0, 3, 4, 7]))
    assert abs(statistic + 3) < 1e-9, f"differences -1, -1, -1, -3: statistic -3, not {statistic:.4f}"
    assert abs(p - 0.0577) < 1e-3, f"|t| = 3 with 3 degrees of freedom: p = .0577, not {p:.4f}"


def test_equal_losses_do_not_differ() -> None:
    found = diebold_mariano(np.array([1.0, 2, 3]), np.array([1.0, 2, 3]))
    assert found == (0, 1), f"the same losses have statistic 0 and p = 1, not {found}"
