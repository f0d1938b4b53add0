"""Exercise wilson: the 95 % interval of a proportion."""

from shared.evaluation.metrics import proportion_interval


def test_8_of_10_has_the_interval_of_the_tables() -> None:
    low, high = proportion_interval(8, 10)
    assert abs(low - 0.4902) < 1e-3 and abs(high - 0.9433) < 1e-3, f"8 of 10: .490 to .943, not {low:.3f} to {high:.3f}"


def test_no_success_still_has_a_width() -> None:
    low, high = proportion_interval(0, 10)
    assert low == 0 and high > 0.2, f"0 of 10 may be up to .278, not {low:.3f} to {high:.3f}"
