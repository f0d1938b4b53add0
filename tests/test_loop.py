"""The promises of `fit`: exact, resumable, and it stops when something is wrong."""

import random
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import ConcatDataset, DataLoader, Subset, TensorDataset
from torchvision.datasets import FakeData
from torchvision.transforms import Compose, RandomCrop, RandomHorizontalFlip, ToTensor

from shared.compute.device import (
    autocast,
    device_of,
    has_bfloat16,
    pick_device,
    random_state,
    restore_random_state,
    seed_everything,
    to_channels_last,
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
    config = TrainingConfig(device="cpu", batch_size=batch_size, **{"epochs": 3, "precision": "fp32", **settings})
    data, model, run = Points(), model or network(), Run(folder)
    batches = Batches(data, config.batch_size, config.seed)

    def on_all(model: nn.Module) -> dict[str, float]:
        return {"loss": F.mse_loss(model(data.x).squeeze(1), data.y).item()}

    fit(model, loss, batches, evaluate or on_all, config, run)
    return model, run


def same(a: nn.Module, b: nn.Module) -> bool:
    return all(torch.equal(p, q) for p, q in zip(a.state_dict().values(), b.state_dict().values()))


def test_training_losses_match_golden_values(tmp_path: Path) -> None:
    seed_everything(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))  # dropout masks differ between processors
    _, run = train(tmp_path, model, learning_rate=0.05)
    golden = [11.51, 7.21745, 4.89174]
    assert [row["train_loss"] for row in run.history()] == pytest.approx(golden, rel=1e-3)


def test_weights_are_a_function_of_the_seed(tmp_path: Path) -> None:
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
            signal.raise_signal(number)
        return loss(model, batch)

    with pytest.raises(Interrupted):
        train(tmp_path / "stopped", loss=stopping, **settings)
    seed_everything(999)  # nothing of the process's own state may matter
    resumed, run = train(tmp_path / "stopped", **settings)
    assert same(whole, resumed)
    assert len(run.history()) == 3


def test_a_run_stopped_during_validation_resumes_to_the_same_weights(tmp_path: Path) -> None:
    whole, _ = train(tmp_path / "whole", evaluate=lambda _: {"loss": 0.0})

    def stopping(_: nn.Module) -> dict[str, float]:
        signal.raise_signal(signal.SIGINT)
        return {"loss": 0.0}

    with pytest.raises(Interrupted, match="after epoch 1"):
        train(tmp_path / "stopped", evaluate=stopping)
    resumed, run = train(tmp_path / "stopped", evaluate=lambda _: {"loss": 0.0})
    assert same(whole, resumed)
    assert len(run.history()) == 3


def test_a_random_state_of_another_machine_is_restored_as_far_as_possible() -> None:
    state = {**random_state(), "cuda": [torch.get_rng_state()] * 99}
    del state["mps"]  # an older one
    first = torch.rand(3)
    restore_random_state(state)
    assert torch.equal(torch.rand(3), first)


DISAGREE = """
from itertools import count
from pathlib import Path
from torch import nn
from shared.compute import distributed
from tests.test_loop import linear, train

def same_statistics(model):
    first, second = distributed.collect(model[0].running_mean.tolist())
    assert first == second, "the processes validate different weights"
    return {"loss": 0.0}

with distributed.processes():
    train(Path("linear"), linear(), epochs=1)
    for decay in (0, 0.9):
        normalised = nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 1))
        train(Path(f"normalised-{decay}"), normalised, evaluate=same_statistics, epochs=2, ema_decay=decay)
    better = -1 if distributed.is_first() else 1
    losses = count(0, better)
    train(Path("run"), evaluate=lambda _: {"loss": float(next(losses))}, patience=1, epochs=4)
"""


def test_all_processes_follow_rank_0_and_log_the_loss_of_all_items(tmp_path: Path) -> None:
    (tmp_path / "disagree.py").write_text(DISAGREE)
    words = ["--nproc-per-node", 2, "--master-port", 29783, "disagree.py"]
    answer = run_module("torch.distributed.run", words, tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert [row["loss"] for row in Run(tmp_path / "run").history()] == [0, -1, -2, -3]
    _, alone = train(tmp_path / "alone", linear(), epochs=1)
    assert Run(tmp_path / "linear").history()[0]["train_loss"] == pytest.approx(
        alone.history()[0]["train_loss"], rel=1e-4
    )


def test_metrics_of_numpy_can_be_resumed(tmp_path: Path) -> None:
    for epochs in (1, 2):  # the second call goes on where the first has ended
        _, run = train(tmp_path, evaluate=lambda _: {"loss": np.float64(1.5)}, epochs=epochs)
    assert [row["loss"] for row in run.history()] == [1.5, 1.5]


def linear() -> nn.Linear:
    seed_everything(0)
    return nn.Linear(4, 1)


# SGD without clipping: twice the gradient is twice the step, which AdamW or clipping would hide.
SGD = {"optimizer": "sgd", "gradient_clip": 0, "weight_decay": 0, "schedule": "constant", "learning_rate": 0.01}
FIRST_STEP = 1.9  # Nesterov momentum .9: the first step is the gradient and .9 times the gradient


@pytest.mark.parametrize("batch_size, accumulation", [(32, 2), (16, 4), (16, 100)])
def test_gradient_accumulation_equals_one_large_batch(tmp_path: Path, batch_size: int, accumulation: int) -> None:
    large, one = train(tmp_path / "large", linear(), batch_size=64, **SGD)
    small, many = train(tmp_path / "small", linear(), batch_size=batch_size, gradient_accumulation=accumulation, **SGD)
    for p, q, initial in zip(large.parameters(), small.parameters(), linear().parameters()):
        torch.testing.assert_close(p, q)
        assert (p - initial).abs().max() > 0.01
    losses = [[row["train_loss"] for row in run.history()] for run in (one, many)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_gradient_clipping_limits_the_norm_of_a_step(tmp_path: Path) -> None:
    def moved(clip: float) -> Tensor:
        settings = {**SGD, "gradient_clip": clip, "epochs": 1}
        model, _ = train(tmp_path / str(clip), linear(), batch_size=64, **settings)
        after, before = (torch.cat([p.detach().flatten() for p in m.parameters()]) for m in (model, linear()))
        return (after - before) / (FIRST_STEP * 0.01)

    gradient = moved(0)  # not clipped
    assert gradient.norm() > 5
    assert moved(0.5).norm().item() == pytest.approx(0.5, rel=1e-4)
    torch.testing.assert_close(moved(0.5), gradient / gradient.norm() * 0.5, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(moved(1000), gradient)


@pytest.mark.parametrize("decay", [0.999, 0.1])
def test_the_ema_decay_is_small_at_first(tmp_path: Path, decay: float) -> None:
    trained, averaged = [], []

    def remember(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        trained.append(model.weight.detach().clone())
        return loss(model, batch)

    def evaluate(model: nn.Module) -> dict[str, float]:
        averaged.append(model.weight.detach().clone())
        return {"loss": -len(averaged)}

    settings = {**SGD, "ema_decay": decay, "epochs": 4}
    model, _ = train(tmp_path, linear(), remember, evaluate, batch_size=64, **settings)  # one step an epoch
    _, first, second, third = trained  # before each step
    expected = first
    torch.testing.assert_close(averaged[0], expected)
    for count, weight, average in ((1, second, averaged[1]), (2, third, averaged[2])):
        kept = min(decay, (1 + count) / (10 + count))  # 2/11, 3/12, ...
        expected = kept * expected + (1 - kept) * weight
        torch.testing.assert_close(average, expected)
    torch.testing.assert_close(model.weight.data, averaged[3])  # which is what is kept


def test_the_ema_includes_the_running_statistics_of_batch_normalisation(tmp_path: Path) -> None:
    means = []

    def remember(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        value = loss(model, batch)
        means.append(model[0].running_mean.clone())
        return value

    model = nn.Sequential(nn.BatchNorm1d(4, momentum=0.5), nn.Linear(4, 1))
    model, _ = train(tmp_path, model, remember, lambda _: {"loss": 0.0}, batch_size=32, epochs=1, ema_decay=0.999)
    torch.testing.assert_close(model[0].running_mean, 2 / 11 * means[0] + 9 / 11 * means[1])


def test_the_ema_does_not_change_integer_buffers(tmp_path: Path) -> None:
    """The positions of a transformer are such a buffer, and not in its saved weights."""
    positions, validated = torch.arange(100), []

    def evaluate(model: nn.Module) -> dict[str, float]:
        validated.append(model[0].positions.clone())
        return {"loss": 0.0}

    model = nn.Sequential(nn.Linear(4, 1))
    model[0].register_buffer("positions", positions.clone(), persistent=False)
    train(tmp_path, model, evaluate=evaluate, batch_size=1, epochs=2, ema_decay=0.99)
    assert len(validated) == 2 and all(torch.equal(value, positions) for value in validated)


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


@pytest.mark.parametrize(
    "direction, patience, scores, best, epochs",
    [
        ("max", 2, [1.0, 3.0, 2.0, 2.5, 9.0, 9.0], 1, 4),
        ("min", 2, [3.0, 1.0, 2.0, 1.5, 0.0, 0.0], 1, 4),
        ("max", 2, [1.0, 0.5, 2.0, 1.5, 3.0, 0.0], 4, 6),  # a better epoch starts the count anew
        ("min", 1, [1.0, 1.0, 0.0, 0.0, 0.0, 0.0], 0, 2),  # the same again is not better
        ("max", 1, [1.0, 1.0, 2.0, 2.0, 2.0, 2.0], 0, 2),
        ("max", 0, [3.0, 2.0, 1.0, 1.0, 1.0, 1.0], 0, 6),
    ],
)
def test_early_stopping_ends_training_after_the_patience_and_keeps_the_best_weights(
    tmp_path: Path, direction: str, patience: int, scores: list[float], best: int, epochs: int
) -> None:
    seen: list[dict[str, Tensor]] = []

    def evaluate(model: nn.Module) -> dict[str, float]:
        seen.append({k: v.clone() for k, v in model.state_dict().items()})
        return {"score": scores[len(seen) - 1]}

    settings = {"epochs": 6, "monitor": "score", "direction": direction, "patience": patience}
    model, run = train(tmp_path, evaluate=evaluate, **settings)
    assert len(run.history()) == len(seen) == epochs
    assert all(torch.equal(v, seen[best][k]) for k, v in model.state_dict().items())
    assert not model.training


def test_an_unknown_monitor_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"monitor is f1, but the validation gives loss"):
        train(tmp_path, monitor="f1")


def test_components_of_the_loss_are_logged(tmp_path: Path) -> None:
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
def test_learning_rate_schedules_have_the_right_warmup_peak_and_end(schedule: str) -> None:
    config = TrainingConfig(schedule=schedule, warmup=0.1, learning_rate=1.0)
    optimizer = build_optimizer(nn.Linear(1, 1), config)
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


def test_parameter_groups_have_their_own_learning_rate_and_frozen_ones_none() -> None:
    config = TrainingConfig(learning_rate=1.0, weight_decay=0.1)
    fast, slow, frozen = nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 2).requires_grad_(False)
    model = nn.Sequential(fast, slow, frozen)
    groups = build_optimizer(model, config, [(slow, 0.1), (frozen, 1.0)]).param_groups  # the rest has factor 1
    assert [group["lr"] for group in groups] == [0.1, 0.1, 1.0, 1.0]
    assert [group["weight_decay"] for group in groups] == [0.1, 0.0, 0.1, 0.0]
    assert {p for group in groups for p in group["params"]} == {*slow.parameters(), *fast.parameters()}
    with pytest.raises(ValueError, match="nothing to train"):
        build_optimizer(frozen, config)


def test_biases_and_normalisation_weights_have_no_weight_decay() -> None:
    config = TrainingConfig(learning_rate=0.1, weight_decay=0.5)
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(2, 3), nn.LayerNorm(3))
    before = {name: p.detach().clone().add_(1) for name, p in model.named_parameters()}
    model.load_state_dict(before, strict=False)
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    build_optimizer(model, config).step()
    for name, p in model.named_parameters():
        kept = 1 - 0.1 * 0.5 if name in ("0.weight", "3.weight") else 1
        torch.testing.assert_close(p.detach(), before[name] * kept, msg=name)


# --- any dataset


POINTS = torch.arange(40.0).view(20, 2)
SMALL = Compose([RandomCrop(8), RandomHorizontalFlip(), ToTensor()])


class Noisy:
    """Map-style, and random by all three generators."""

    def __len__(self) -> int:
        return 20

    def __getitem__(self, index: int) -> tuple[Tensor, float, int]:
        return torch.rand(3), random.random() + np.random.rand(), index  # noqa: NPY002 - what augmentations use


def photos(transform: Callable | None = SMALL) -> FakeData:
    return FakeData(20, (3, 12, 12), num_classes=4, transform=transform)


def same_batches(first: list[Any], second: list[Any]) -> bool:
    return len(first) == len(second) and all(torch.equal(p, q) for a, b in zip(first, second) for p, q in zip(a, b))


MAP_STYLE = {
    "list of pairs": [(row, index) for index, row in enumerate(POINTS)],
    "TensorDataset": TensorDataset(POINTS, torch.arange(20)),
    "Subset": Subset(TensorDataset(POINTS, torch.arange(20)), range(4, 16)),
    "ConcatDataset": ConcatDataset([TensorDataset(POINTS, torch.arange(20))] * 2),
    "FakeData": photos(),
    "Subset of FakeData": Subset(photos(), range(4, 16)),
}


@pytest.mark.parametrize("kind", MAP_STYLE)
def test_any_map_style_dataset_gives_batches_of_tensors_with_every_item_once(kind: str) -> None:
    dataset: Any = MAP_STYLE[kind]
    batches = list(Batches(dataset, batch_size=4, seed=0).epoch(0))
    assert len(batches) == len(dataset) // 4
    shape = dataset[0][0].shape
    for inputs, targets in batches:
        assert inputs.dtype == torch.float32 and inputs.shape == (4, *shape)
        assert targets.dtype == torch.int64 and targets.shape == (4,)
    expected = sorted(int(dataset[index][1]) for index in range(len(dataset)))
    assert sorted(int(target) for _, targets in batches for target in targets) == expected


@pytest.mark.parametrize("dataset", [photos(), Noisy()], ids=["torchvision", "three generators"])
def test_random_transforms_are_a_function_of_seed_and_epoch(dataset: Any) -> None:
    def epoch(number: int, seed: int = 0, skip: int = 0, num_workers: int = 0) -> list[Any]:
        return list(Batches(dataset, 4, seed, num_workers).epoch(number, skip))

    first = epoch(1)
    seed_everything(999)  # nothing of the process's own state may matter
    assert same_batches(epoch(1), first)
    assert same_batches(epoch(1, skip=2), first[2:])
    assert same_batches(epoch(1, num_workers=2), first)
    assert same_batches(epoch(1, skip=2, num_workers=2), first[2:])
    assert not same_batches(epoch(2), first)
    assert not same_batches(epoch(1, seed=1), first)


def test_a_random_transform_does_not_depend_on_the_rest_of_the_batch_and_is_new_in_every_epoch() -> None:
    def by_item(batch_size: int, epoch: int) -> dict[int, Tensor]:
        return {
            int(index): noise
            for noises, _, indices in Batches(Noisy(), batch_size, seed=0).epoch(epoch)
            for noise, index in zip(noises, indices)
        }

    small, large, later = by_item(4, 0), by_item(10, 0), by_item(4, 1)
    assert all(torch.equal(small[item], large[item]) for item in range(20))
    assert not any(torch.equal(small[item], later[item]) for item in range(20))
    assert len({tuple(noise.tolist()) for noise in small.values()}) == 20


@pytest.mark.parametrize("num_workers", [0, 2])
@pytest.mark.parametrize("dataset", [photos(), Noisy(), Points(20)], ids=["torchvision", "generators", "whole batches"])
def test_loading_a_batch_does_not_change_the_random_state_of_the_process(dataset: Any, num_workers: int) -> None:
    def state() -> list[Any]:
        return [random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()]  # noqa: NPY002

    seed_everything(5)
    before = state()
    next(Batches(dataset, 4, seed=0, num_workers=num_workers).epoch(0))
    assert state() == before


def test_pil_images_are_refused_in_one_sentence_that_says_what_to_do() -> None:
    with pytest.raises(ValueError, match=r"items of \(Image, int\) cannot be made into a batch .*ToTensor") as error:
        next(Batches(photos(transform=None), 4, seed=0).epoch(0))
    assert "\n" not in str(error.value)


def test_items_of_different_sizes_are_refused_in_one_sentence() -> None:
    with pytest.raises(
        ValueError, match=r"items of \(Tensor, int\) cannot be made into a batch .*of one size"
    ) as error:
        next(Batches([(torch.ones(n + 1), n) for n in range(4)], 4, seed=0).epoch(0))
    assert "\n" not in str(error.value)


def test_a_plain_data_loader_is_refused_because_its_order_cannot_be_resumed(tmp_path: Path) -> None:
    plain: Any = DataLoader(TensorDataset(POINTS), batch_size=4)
    with pytest.raises(ValueError, match=r"^fit takes Batches\(dataset, batch_size, seed\).*, not a DataLoader$"):
        fit(linear(), loss, plain, lambda _: {"loss": 0.0}, TrainingConfig(device="cpu"), Run(tmp_path))


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_convolutions_of_any_dimension_train(tmp_path: Path, dimensions: int) -> None:
    seed_everything(0)
    convolution = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[dimensions - 1](1, 4, kernel_size=3)
    model = nn.Sequential(convolution, nn.ReLU(), nn.Flatten(), nn.Linear(4 * 2**dimensions, 2))
    data = [(torch.full((1, *[4] * dimensions), float(label)), label) for label in [0, 1] * 8]

    def cross_entropy(network: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        return F.cross_entropy(network(batch[0]), batch[1])

    config = TrainingConfig(device="cpu", precision="fp32", epochs=10, learning_rate=0.05, quiet=True)
    run = Run(tmp_path)
    fit(model, cross_entropy, Batches(data, 4, seed=0), lambda _: {"loss": 0.0}, config, run)
    losses = [row["train_loss"] for row in run.history()]
    assert losses[-1] < 0.5 * losses[0]


def test_only_the_weights_of_2d_convolutions_are_channels_last() -> None:
    model = to_channels_last(nn.ModuleList([nn.Conv2d(2, 4, 3), nn.Conv3d(2, 4, 3), nn.Linear(2, 4)]))
    assert model[0].weight.is_contiguous(memory_format=torch.channels_last) and not model[0].weight.is_contiguous()
    assert model[1].weight.is_contiguous() and model[2].weight.is_contiguous()


# --- devices and runs


def test_automatic_precision_is_bf16_only_where_the_hardware_has_it() -> None:
    device = pick_device("cpu")
    with autocast(device, "auto"):
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert (product.dtype == torch.bfloat16) == has_bfloat16(device)


def test_a_missing_device_is_one_sentence() -> None:
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match=r"^CUDA is not available here; use device auto$"):
            pick_device("cuda")
        assert device_of("cuda") == pick_device("auto")  # a predictor answers on any machine
    with pytest.raises(ValueError, match=r"^CUDA:99 is not available here; use device auto$"):
        pick_device("cuda:99")


def test_runs_started_in_the_same_second_have_different_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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
    assert Run.open("project", "unfinished", finished=False).folder == runs["unfinished"].folder
    monkeypatch.setattr("shared.runs.time.strftime", lambda _: "20990101-000000")
    second = Run.create("project", "head", Section())
    assert Run.open("project", "head").name == runs["head"].name  # a finished one is scored
    assert Run.open("project", "head", finished=False).folder == second.folder  # an unfinished one is resumed
    with pytest.raises(FileNotFoundError, match="there is no run nowhere"):
        Run.open("project", "nowhere")


def test_a_run_can_be_started_if_a_package_has_another_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.runs.metadata.distributions", list)  # OpenCV may be opencv-python-headless
    assert "machine" in environment() and "opencv-python" not in environment()


def test_a_run_can_be_started_without_git(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert environment()["commit"] == "unknown (no git here)"
