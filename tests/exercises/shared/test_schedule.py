"""Exercise schedule: the learning rate as a function of the step."""

import torch

from shared.training.config import TrainingConfig
from shared.training.optim import build_schedule


def rates(steps: int, **settings: object) -> list[float]:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    schedule = build_schedule(optimizer, TrainingConfig(**settings), steps)
    found = []
    for _ in range(steps):
        found.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    return found


def test_the_warm_up_is_a_straight_line() -> None:
    found = [round(rate, 3) for rate in rates(40, schedule="cosine", warmup=0.1)[:4]]
    assert found == [0.25, 0.5, 0.75, 1.0], f"4 steps of warm-up: .25 .5 .75 1, not {found}"


def test_the_cosine_ends_near_zero() -> None:
    last = rates(100, schedule="cosine", warmup=0.1)[-1]
    assert last < 0.01, f"at the last step the factor is almost 0, not {last:.3f}"
