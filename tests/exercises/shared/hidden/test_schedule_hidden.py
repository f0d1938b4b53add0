"""Exercise schedule, the tests that give points: closed forms."""

import math

import pytest
import torch

from shared.training.config import TrainingConfig
from shared.training.optim import build_schedule


def factor(steps: int, step: int, **settings: object) -> float:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    return build_schedule(optimizer, TrainingConfig(**settings), steps).lr_lambdas[0](step)


@pytest.mark.parametrize("step", [0, 5, 50, 99])
def test_a_constant_rate_has_no_warm_up(step: int) -> None:
    found = factor(100, step, schedule="constant", warmup=0.2)
    assert found == 1, f"constant means 1 at step {step}, not {found}"


@pytest.mark.parametrize("done", [0, 0.25, 0.5, 1])
def test_after_the_warm_up_it_is_half_a_cosine(done: float) -> None:
    step = 20 + round(80 * done)
    expected = 0.5 * (1 + math.cos(math.pi * done))
    found = factor(100, step, schedule="cosine", warmup=0.2)
    assert found == pytest.approx(expected, abs=1e-6), (
        f"step {step} of 100, 20 of warm-up: {expected:.3f}, not {found:.3f}"
    )


def test_one_cycle_warms_up_for_three_tenths() -> None:
    found = [factor(100, step, schedule="one-cycle", warmup=0.05) for step in (14, 29, 65)]
    assert found[:2] == pytest.approx([0.5, 1]), (
        f"one-cycle is half way up at step 14 and up at 29: .5, 1, not {found[:2]}"
    )
    assert found[2] == pytest.approx(0.5, abs=1e-6), f"half of the way down it has .5, not {found[2]:.3f}"


@pytest.mark.parametrize(("step", "expected"), [(30, 1.0), (59, 1.0), (60, 0.1), (84, 0.1), (85, 0.01), (99, 0.01)])
def test_steps_fall_at_60_and_85_per_cent(step: int, expected: float) -> None:
    found = factor(100, step, schedule="step", warmup=0.1)
    assert found == pytest.approx(expected), f"step {step} of 100: {expected}, not {found}"


def test_one_step_in_all_is_no_division_by_zero() -> None:
    found = factor(1, 0, schedule="cosine", warmup=0.0)
    assert math.isfinite(found), f"a training of one step needs a number, not {found}"


def test_the_rate_does_not_rise_again_after_the_last_step() -> None:
    found = factor(100, 130, schedule="cosine", warmup=0.1)
    assert found == pytest.approx(0, abs=1e-6), f"beyond the last step the factor stays 0, not {found:.3f}"
