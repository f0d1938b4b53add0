"""The promises of `fit`: exact, resumable, and it stops when something is wrong."""

import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from shared.compute.device import (
    autocast,
    device_of,
    has_bfloat16,
    pick_device,
    random_state,
    restore_random_state,
    seed_everything,
)
from shared.config import Section
from shared.data.loader import Batches, Item
from shared.runs import Run, environment
from shared.training.checkpoint import load_state
from shared.training.config import TrainingConfig
from shared.training.loop import Interrupted, fit
from shared.training.optim import build_optimizer, build_schedule
from tests.conftest import run_module


class Points:
    """A noisy line: inputs (B, 4), targets (B,). Each item gets noise that is a function of its seed."""

    def __init__(self, n: int = 64) -> None:
        generator = torch.Generator().manual_seed(0)
        self.x = torch.randn(n, 4, generator=generator)
        self.y = self.x @ torch.tensor([1.0, -2.0, 3.0, 0.5])

    def __len__(self) -> int:
        return len(self.x)

    def __getitems__(self, items: list[Item]) -> tuple[Tensor, Tensor]:
        index = torch.tensor([item.index for item in items])
        noise = torch.stack([torch.randn(4, generator=torch.Generator().manual_seed(item.seed)) for item in items])
        return self.x[index] + 0.01 * noise, self.y[index]


def network() -> nn.Module:
    seed_everything(0)
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Dropout(0.2), nn.Linear(8, 1))


def loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    return F.mse_loss(model(batch[0]).squeeze(1), batch[1])


def train(
    folder: Path,
    model: nn.Module | None = None,
    loss: Callable = loss,
    evaluate: Callable[[nn.Module], Mapping[str, float]] | None = None,
    batch_size: int = 16,
    **settings: object,
) -> tuple[nn.Module, Run]:
    config = TrainingConfig(device="cpu", batch_size=batch_size, **{"epochs": 3, **settings})
    data, model, run = Points(), model or network(), Run(folder)
    batches = Batches(data, config.batch_size, config.seed)

    def on_all(model: nn.Module) -> dict[str, float]:
        return {"loss": F.mse_loss(model(data.x).squeeze(1), data.y).item()}

    fit(model, loss, batches, evaluate or on_all, config, run)
    return model, run


def same(a: nn.Module, b: nn.Module) -> bool:
    return all(torch.equal(p, q) for p, q in zip(a.state_dict().values(), b.state_dict().values()))


def test_the_losses_of_a_small_run_are_these(tmp_path: Path) -> None:
    _, run = train(tmp_path, learning_rate=0.05)
    golden = [11.6478, 7.69848, 5.31628]
    assert [row["train_loss"] for row in run.history()] == pytest.approx(golden, rel=1e-3)


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(tmp_path: Path) -> None:
    first, _ = train(tmp_path / "a")
    assert same(first, train(tmp_path / "b")[0])
    assert not same(first, train(tmp_path / "c", seed=1)[0])


@pytest.mark.parametrize(
    "settings", [{}, {"ema_decay": 0.9}, {"optimizer": "sgd"}, {"gradient_accumulation": 2, "schedule": "one-cycle"}]
)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("stop_at", [2, 4, 9])
def test_a_stopped_run_resumes_to_the_same_weights(
    tmp_path: Path, settings: dict, number: signal.Signals, stop_at: int
) -> None:
    whole, _ = train(tmp_path / "whole", **settings)
    calls = 0

    def stopping(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        nonlocal calls
        calls += 1
        if calls == stop_at:
            os.kill(os.getpid(), number)
        return loss(model, batch)

    with pytest.raises(Interrupted):
        train(tmp_path / "stopped", loss=stopping, **settings)
    seed_everything(999)  # nothing of the process's own state may matter
    resumed, run = train(tmp_path / "stopped", **settings)
    assert same(whole, resumed)
    assert len(run.history()) == 3


def test_a_run_stopped_while_it_is_validated_resumes_to_the_same_weights(tmp_path: Path) -> None:
    whole, _ = train(tmp_path / "whole", evaluate=lambda _: {"loss": 0.0})

    def stopping(_: nn.Module) -> dict[str, float]:
        os.kill(os.getpid(), signal.SIGINT)
        return {"loss": 0.0}

    with pytest.raises(Interrupted, match="after epoch 1"):
        train(tmp_path / "stopped", evaluate=stopping)
    resumed, run = train(tmp_path / "stopped", evaluate=lambda _: {"loss": 0.0})
    assert same(whole, resumed)
    assert len(run.history()) == 3


def test_a_random_state_of_another_machine_is_restored_as_far_as_it_goes() -> None:
    state = {**random_state(), "cuda": [torch.get_rng_state()] * 99}
    del state["mps"]  # an older one
    first = torch.rand(3)
    restore_random_state(state)
    assert torch.equal(torch.rand(3), first)


DISAGREE = """
from itertools import count
from pathlib import Path
from shared.compute import distributed
from tests.test_loop import train

with distributed.processes():
    better = -1 if distributed.is_first() else 1
    losses = count(0, better)
    train(Path("run"), evaluate=lambda _: {"loss": float(next(losses))}, patience=1, epochs=4)
"""


def test_processes_that_validate_differently_go_by_the_first(tmp_path: Path) -> None:
    (tmp_path / "disagree.py").write_text(DISAGREE)
    words = ["--nproc-per-node", 2, "--master-port", 29783, "disagree.py"]
    answer = run_module("torch.distributed.run", words, tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert [row["loss"] for row in Run(tmp_path / "run").history()] == [0, -1, -2, -3]


def test_two_small_batches_accumulated_equal_one_large_batch(tmp_path: Path) -> None:
    def model() -> nn.Module:
        seed_everything(0)
        return nn.Linear(4, 1)

    large, _ = train(tmp_path / "large", model(), batch_size=32)
    small, _ = train(tmp_path / "small", model(), batch_size=16, gradient_accumulation=2)
    for p, q in zip(large.parameters(), small.parameters()):
        torch.testing.assert_close(p, q)


def test_a_loss_that_is_not_finite_stops_the_run_and_names_the_batch(tmp_path: Path) -> None:
    calls = 0

    def exploding(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        nonlocal calls
        calls += 1
        return loss(model, batch) * (float("nan") if calls == 7 else 1.0)

    with pytest.raises(ValueError, match="the loss is nan and its gradient's norm nan in epoch 2, batch 3"):
        train(tmp_path, loss=exploding)
    kept = load_state(tmp_path / "checkpoints" / "last.pt")
    assert kept["progress"]["epoch"] == 1
    assert all(value.isfinite().all() for value in kept["model"].values())


def test_a_gradient_that_is_not_finite_stops_the_run_before_it_reaches_the_weights(tmp_path: Path) -> None:
    def steep(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        value = loss(model, batch)
        return value + (value - value.detach()) * float("inf")

    model = network()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(ValueError, match="gradient's norm"):
        train(tmp_path, model, loss=steep)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_the_best_weights_are_kept_and_patience_ends_the_run(tmp_path: Path) -> None:
    scores = iter([1.0, 3.0, 2.0, 2.5, 0.0, 0.0])
    seen: list[dict[str, Tensor]] = []

    def evaluate(model: nn.Module) -> dict[str, float]:
        seen.append({k: v.clone() for k, v in model.state_dict().items()})
        return {"score": next(scores)}

    model, run = train(tmp_path, evaluate=evaluate, epochs=6, monitor="score", direction="max", patience=2)
    assert len(run.history()) == 4
    assert all(torch.equal(v, seen[1][k]) for k, v in model.state_dict().items())


def test_a_monitor_that_is_not_measured_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"monitor is f1, but the validation gives loss"):
        train(tmp_path, monitor="f1")


def test_further_numbers_of_the_loss_are_logged(tmp_path: Path) -> None:
    def two(model: nn.Module, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        value = loss(model, batch)
        return {"loss": value, "twice": 2 * value.detach()}

    _, run = train(tmp_path, loss=two)
    for row in run.history():
        assert row["train_twice"] == pytest.approx(2 * row["train_loss"], rel=1e-4)


def test_every_process_gets_its_share_of_the_same_order(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Batches(Points(), 16, seed=3).order(epoch=5)
    shares = []
    for rank in (0, 1):
        monkeypatch.setattr("shared.compute.distributed.rank", lambda rank=rank: rank)
        monkeypatch.setattr("shared.compute.distributed.world_size", lambda: 2)
        shares.append(Batches(Points(), 16, seed=3).order(epoch=5))
    for batch, first, second in zip(whole, *shares):
        assert sorted(batch) == sorted(first + second)
        assert len(first) == len(second) == 8


def test_the_order_differs_from_epoch_to_epoch_and_covers_everything() -> None:
    batches = Batches(Points(), 16, seed=0)
    orders = [[item.index for batch in batches.order(epoch) for item in batch] for epoch in (0, 1)]
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(64))


@pytest.mark.parametrize("schedule", ["cosine", "one-cycle", "step", "constant"])
def test_schedules_warm_up_peak_and_end_where_they_should(schedule: str) -> None:
    config = TrainingConfig(schedule=schedule, warmup=0.1, learning_rate=1.0)
    optimizer = build_optimizer([(nn.Linear(1, 1), 1.0)], config)
    schedule_ = build_schedule(optimizer, config, steps=100)
    rates = []
    for _ in range(100):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule_.step()
    assert max(rates) == pytest.approx(1.0)
    if schedule == "constant":
        assert set(rates) == {1.0}
    else:
        assert rates[0] <= 0.1
        assert rates[-1] <= 0.011


def test_parts_of_the_network_may_learn_more_slowly_and_frozen_ones_not_at_all() -> None:
    config = TrainingConfig(learning_rate=1.0, weight_decay=0.1)
    fast, slow, frozen = nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 2).requires_grad_(False)
    groups = build_optimizer([(fast, 1.0), (slow, 0.1), (frozen, 1.0)], config).param_groups
    assert [group["lr"] for group in groups] == [1.0, 1.0, 0.1, 0.1]
    assert [group["weight_decay"] for group in groups] == [0.1, 0.0, 0.1, 0.0]
    with pytest.raises(ValueError, match="nothing to train"):
        build_optimizer([(frozen, 1.0)], config)


def test_automatic_precision_is_bf16_only_where_the_hardware_has_it() -> None:
    device = pick_device("cpu")
    with autocast(device, "auto"):
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert (product.dtype == torch.bfloat16) == has_bfloat16(device)


def test_a_device_that_is_not_there_is_one_sentence() -> None:
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match="device cuda was asked for"):
            pick_device("cuda")
        assert device_of("cuda") == pick_device("auto")  # a finished model answers on any machine
    with pytest.raises(ValueError, match="device cuda:99 was asked for"):
        pick_device("cuda:99")


def test_two_runs_of_the_same_second_never_share_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.runs.RUNS", tmp_path)
    folders = {Run.create("project", "name", Section()).folder for _ in range(5)}
    assert len(folders) == 5


def test_a_run_is_found_by_its_name_and_by_that_of_its_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.runs.RUNS", tmp_path)
    runs = {name: Run.create("project", name, Section()) for name in ("head", "all", "unfinished")}
    for name in ("head", "all"):
        runs[name].model_file.touch()
        assert Run.open("project", name).name == runs[name].name
    assert Run.open("project", runs["unfinished"].name).folder == runs["unfinished"].folder
    with pytest.raises(FileNotFoundError, match="there is no run unfinished"):
        Run.open("project", "unfinished")


def test_a_run_can_be_started_where_a_package_goes_by_another_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.runs.metadata.distributions", list)  # OpenCV may be opencv-python-headless
    assert "machine" in environment() and "opencv-python" not in environment()


def test_a_run_can_be_started_where_there_is_no_git(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert environment()["commit"] == "unknown (no git here)"
