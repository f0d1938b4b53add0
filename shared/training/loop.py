"""`fit`: the one training loop of all projects.

A project owns two functions, `loss(model, batch)` and `evaluate(model)`; everything else happens here, in the order
it is read: an epoch is a sequence of steps, a step is a forward pass, a backward pass and an update, and after every
epoch the validation decides whether these are the best weights so far.

Resume is exact. The order of the data is a function of (seed, epoch), and the saved state holds everything else that
decides the next step, so a run that was killed and resumed ends with the same weights, bit for bit.
"""

import math
import signal
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm

from shared.compute import distributed
from shared.compute.device import (
    autocast,
    pick_device,
    random_state,
    restore_random_state,
    seed_everything,
    to_channels_last,
    to_device,
)
from shared.data.loader import Batches
from shared.runs import Run
from shared.training.checkpoint import load_state, save_state
from shared.training.config import TrainingConfig
from shared.training.optim import Groups, build_optimizer, build_schedule, is_better, monitored, moving_average

Loss = Callable[[nn.Module, Any], Tensor | dict[str, Tensor]]
Evaluate = Callable[[nn.Module], Mapping[str, float]]


class Interrupted(Exception):
    """Ctrl-C or SIGTERM arrived and the training state is saved."""


def fit(
    model: nn.Module,
    loss: Loss,
    train_loader: Batches,
    evaluate: Evaluate,
    config: TrainingConfig,
    run: Run,
    groups: Groups = (),
) -> None:
    """Train `model` in place and leave it with its best weights, on the CPU and in evaluation mode.

    loss(model, batch) -> a scalar tensor, or a dict with "loss" and more scalar tensors to log.
    evaluate(model) -> metrics on the validation set; `config.monitor` names the one that decides.
    groups: (module, factor) pairs to train parts of the model with another learning rate; that of the rest is 1.

    If `run` holds a training state, training goes on from there. Raises ValueError when loss or gradient is not
    finite, and Interrupted after Ctrl-C or SIGTERM; in both cases the last good state is on disk.
    """
    if not isinstance(train_loader, Batches):
        raise ValueError(
            "fit takes Batches(dataset, batch_size, seed), whose order can be resumed, not a "
            f"{type(train_loader).__name__}"
        )
    device = pick_device(config.device)
    to_channels_last(model.to(device))
    optimizer = build_optimizer(model, config, groups)
    steps_per_epoch = math.ceil(len(train_loader) / config.gradient_accumulation)
    schedule = build_schedule(optimizer, config, config.epochs * steps_per_epoch)
    average = (
        AveragedModel(model, multi_avg_fn=moving_average(config.ema_decay), use_buffers=True)
        if config.ema_decay
        else None
    )
    network = distributed.wrap(model)
    seed_everything(config.seed + distributed.rank())  # ranks draw different dropout masks

    history: list[dict[str, float]] = []
    best: float | None = None
    since_best, epoch, step, sums, seconds = 0, 0, 0, {}, 0.0

    def save() -> None:
        everyones_random_state = distributed.collect(random_state())
        state = {
            "model": model.state_dict(),
            "average": average.state_dict() if average else {},
            "optimizer": optimizer.state_dict(),
            "schedule": schedule.state_dict(),
            "random": everyones_random_state,
            "progress": {"epoch": epoch, "step": step, "best": best, "since_best": since_best},
            "history": history,
            "epoch_so_far": {"sums": distributed.mean(sums), "seconds": seconds + time.monotonic() - started},
        }
        if distributed.is_first():
            save_state(run.checkpoints / "last.pt", state)

    if saved := load_state(run.checkpoints / "last.pt"):
        try:
            model.load_state_dict(saved["model"])
            if average:
                average.load_state_dict(saved["average"])
            if saved["optimizer"]["param_groups"][0].keys() != optimizer.param_groups[0].keys():
                raise ValueError("another optimizer")
            optimizer.load_state_dict(saved["optimizer"])
            schedule.load_state_dict(saved["schedule"])
        except (KeyError, RuntimeError, ValueError) as error:
            raise ValueError(
                f"the settings have changed since the state in {run.checkpoints} was saved ({error})"
            ) from None
        restore_random_state(saved["random"][distributed.rank() % len(saved["random"])])
        epoch, step, best, since_best = (saved["progress"][k] for k in ("epoch", "step", "best", "since_best"))
        history, sums, seconds = saved["history"], saved["epoch_so_far"]["sums"], saved["epoch_so_far"]["seconds"]
        del saved

    started = saved_at = time.monotonic()
    with (
        stop_signals() as stop,
        tqdm(
            total=config.epochs * steps_per_epoch, initial=epoch * steps_per_epoch + step, unit="step", smoothing=0,
            leave=False, disable=config.quiet or not distributed.is_first(),
        ) as bar,
    ):  # fmt: skip
        while epoch < config.epochs and not (config.patience and since_best >= config.patience):
            model.train()
            batches = train_loader.epoch(epoch, skip=step * config.gradient_accumulation)
            bar.set_description(f"epoch {epoch + 1}/{config.epochs}")
            while micro_batches := list(islice(batches, config.gradient_accumulation)):
                step_loss = 0.0
                for batch in micro_batches:
                    with autocast(device, config.precision):
                        output = loss(network, to_device(batch, device))
                    values = output if isinstance(output, dict) else {"loss": output}
                    if values["loss"].numel() != 1:
                        raise ValueError(f"loss() must return one number, not a tensor {tuple(values['loss'].shape)}")
                    (values["loss"] / len(micro_batches)).backward()
                    numbers = {name: value.item() for name, value in values.items()}
                    step_loss += numbers["loss"] / len(micro_batches)
                    for name, number in numbers.items():
                        sums[name] = sums.get(name, 0.0) + number
                norm = nn.utils.clip_grad_norm_(model.parameters(), config.gradient_clip or math.inf).item()
                due = time.monotonic() - saved_at > 60 * config.checkpoint_minutes
                broken, stopped, due = distributed.any_process(not math.isfinite(step_loss + norm), bool(stop), due)
                if broken:
                    kept = f"; the last saved state is kept in {run.folder}" if run.checkpoints.exists() else ""
                    raise ValueError(
                        f"the loss is {step_loss:.4g} and its gradient's norm {norm:.4g} in epoch {epoch + 1}, "
                        f"batch {step * config.gradient_accumulation + 1}; try a smaller learning_rate{kept}"
                    )
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
                schedule.step()
                if average:
                    average.update_parameters(model)
                step += 1
                bar.update()
                bar.set_postfix(loss=f"{step_loss:.3f}", refresh=False)

                if stopped or due:
                    save()
                    saved_at = time.monotonic()
                if stopped:
                    raise Interrupted(f"stopped and saved in epoch {epoch + 1}, step {step} of {steps_per_epoch}")

            candidate = average.module if average else model
            candidate.eval()
            distributed.share_buffers(candidate)
            with torch.inference_mode():
                metrics = distributed.collect(evaluate(candidate))[0]  # all decide by the same numbers
            value = monitored(metrics, config)
            row = {"epoch": epoch + 1, "learning_rate": optimizer.param_groups[0]["lr"]}
            row |= {f"train_{name}": total / len(train_loader) for name, total in distributed.mean(sums).items()}
            row |= {"seconds": seconds + time.monotonic() - started, **{k: float(v) for k, v in metrics.items()}}
            history.append(row)
            improved = is_better(value, best, config)
            best, since_best = (value, 0) if improved else (best, since_best + 1)
            epoch, step, sums, seconds = epoch + 1, 0, {}, row["seconds"]
            started = saved_at = time.monotonic()
            if distributed.is_first():
                if improved:
                    save_state(run.checkpoints / "best.pt", candidate.state_dict())
                run.write_history(history)
                run.write_tensorboard(row, epoch)
                if not config.quiet:
                    said = "  ".join(f"{k} {v:.4g}" for k, v in row.items() if k not in ("epoch", "learning_rate"))
                    bar.write(f"epoch {epoch}/{config.epochs}  {said}{'  *' if improved else ''}")
            save()
            if any(distributed.any_process(bool(stop))):
                raise Interrupted(f"stopped and saved after epoch {epoch}")

    distributed.collect(None)  # wait until the first process has written the best weights
    model.load_state_dict(load_state(run.checkpoints / "best.pt") or {})
    model.cpu().eval()


@contextmanager
def stop_signals() -> Generator[list[int]]:
    """A list that fills when Ctrl-C or SIGTERM arrives, so that a step can finish before the run stops.

    A second Ctrl-C stops at once.
    """
    received: list[int] = []

    def remember(number: int, _frame: object) -> None:
        if received:
            raise KeyboardInterrupt
        received.append(number)

    before = {number: signal.signal(number, remember) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
