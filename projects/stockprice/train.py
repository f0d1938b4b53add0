"""Train LSTMs on daily prices, walking forward: each refit sees only the days before it.

python -m projects.stockprice.train --config configs/stockprice/sample.yaml    # offline, about 2 minutes
python -m projects.stockprice.train --config configs/stockprice/volatility.yaml --data.source csv --data.root FILE
torchrun --nproc-per-node 2 -m projects.stockprice.train ...
"""

if __name__ == "__main__":  # the command line first: --help and mistakes answer before torch is loaded
    from projects.stockprice.config import Config
    from shared.command import train as run_training

    run_training("projects.stockprice.train", Config)

import numpy as np
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from projects.stockprice.config import Config
from projects.stockprice.data import PriceData, Refit, target_of
from projects.stockprice.model import Forecasters
from projects.stockprice.predictor import Fitted, Predictor
from projects.stockprice.tutorial import WINDOW, Levels, Tutorial
from shared.compute import distributed
from shared.compute.device import seed_everything
from shared.data.loader import Batches
from shared.evaluation.inference import predict
from shared.runs import Run
from shared.training.loop import fit


def train(config: Config, run: Run) -> None:
    """Data, then for every refit the networks that see only the days before it; the finished model into the run."""
    data = PriceData(config.data, config.model.window, config.evaluation.refit, one=config.task == "price")
    distributed.print_once(data.summary())
    walk = tqdm(data.refits, desc="walking forward", unit="refit", disable=not distributed.is_first())
    fitted = [train_end(refit, data, config, run.stage(f"{refit.since}")) for refit in walk]
    tutorial = train_tutorial(data, config, run.stage("tutorial")) if config.tutorial else None
    if distributed.is_first():
        Predictor(config, fitted, tutorial).save(run.model_file)


def train_end(refit: Refit, data: PriceData, config: Config, run: Run) -> Fitted:
    """The networks that forecast from a refit on, trained on the days before it."""
    settings = config.training
    seed_everything(settings.seed)  # a refit starts as if it were the only one
    model = Forecasters(config.model)
    training, validation = (
        data.windows(target_of(config), refit, part, settings.validation) for part in ("train", "validation")
    )

    def loss(networks: nn.Module, batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        windows, targets, levels = batch  # (B, W, F), (B,), (B,)
        return day_loss(networks(windows), targets, levels, config)

    def validate(networks: nn.Module) -> dict[str, float]:
        outputs = predict(networks, validation, lambda batch: batch[0], 4096, settings.precision)  # (N, S)
        return {"loss": day_loss(outputs, targets, levels, config).item()}

    _, targets, levels = validation.everything()
    batches = Batches(training, settings.batch_size, settings.seed, settings.num_workers)
    fit(model, loss, batches, validate, settings, run)
    return Fitted(refit.since, model)


def day_loss(outputs: Tensor, targets: Tensor, levels: Tensor, config: Config) -> Tensor:
    """Mean loss of the networks' outputs (B, S) on what realised (B,), measured relative to the levels (B,)."""
    if config.task == "price":
        return F.mse_loss(outputs, targets.unsqueeze(1).expand_as(outputs))
    difference = (targets - levels).unsqueeze(1) - outputs  # log(v / f), (B, S)
    if config.loss == "mse":
        return (difference**2).mean()
    return (difference.exp() - difference - 1).mean()  # QLIKE


def train_tutorial(data: PriceData, config: Config, run: Run) -> Tutorial:
    """The popular settings, on the first series: see tutorial.py for what is wrong with it."""
    series, settings = (
        data.series[0],
        config.training.model_copy(update={"epochs": 20, "patience": 0, "batch_size": 32}),
    )
    seed_everything(settings.seed)
    tutorial = Tutorial()
    tutorial.fit_scaler(series)
    first_test = int(data.test_origins(series)[0])
    levels = Levels(tutorial.scaled(series.close), np.arange(WINDOW - 1, first_test))

    def loss(network: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        prices, targets = batch  # (B, 60), (B,)
        return F.mse_loss(network(prices)[:, 0], targets)

    def validate(network: nn.Module) -> dict[str, float]:
        forecasts = predict(network, levels, lambda batch: batch[0], 512, settings.precision)[:, 0]
        return {"loss": float(((forecasts.numpy() - levels.prices[levels.origins + 1]) ** 2).mean())}

    fit(tutorial.network, loss, Batches(levels, settings.batch_size, settings.seed), validate, settings, run)
    return tutorial
