"""Train LSTMs on daily prices with walk-forward validation: each refit uses only the days before it.

python -m projects.stockprice.train --config configs/stockprice/sample.yaml    # offline, half a minute
python -m projects.stockprice.train --config configs/stockprice/volatility.yaml --data.source csv --data.root FILE
torchrun --nproc-per-node 2 -m projects.stockprice.train ...
"""

if __name__ == "__main__":  # before torch is imported: --help and mistakes answer at once
    from shared.command import main

    main(__file__)

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from projects.stockprice.config import Config
from projects.stockprice.data import PriceData, Refit, Windows, target_of
from projects.stockprice.model import Ensemble, Forecaster
from projects.stockprice.predictor import FittedEnsemble, Predictor, ensembles
from projects.stockprice.tutorial import WINDOW, PriceWindows, Tutorial
from shared.compute import distributed
from shared.compute.device import seed_everything, threads
from shared.data.loader import Batches, Item
from shared.evaluation.inference import predict
from shared.runs import Run
from shared.training.loop import fit

SAMPLE = 100_000  # windows for the least squares


def train(config: Config, run: Run) -> Predictor:
    """For every refit, train an ensemble on the days before it; return the predictor."""
    data = PriceData(config.data, config.model, config.training, one_ticker=config.task == "price")
    run.describe(data.summary())
    run.record(data.fingerprints())
    refits = tqdm(data.refits, desc="walk-forward", unit="refit", disable=not distributed.is_first())
    fitted = [train_refit(refit, data, config, run.stage(f"{refit.since}")) for refit in refits]
    tutorial = train_tutorial(data, config, run.stage("tutorial")) if config.tutorial else None
    return Predictor(config.model_copy(update={"data": data.config}), fitted, tutorial)


def train_refit(refit: Refit, data: PriceData, config: Config, run: Run) -> FittedEnsemble:
    """The ensemble that forecasts from a refit on, trained on the days before it."""
    settings = config.training
    seed_everything(settings.seed)  # the result of a refit does not depend on the others
    training, validation = (data.windows(target_of(config), refit, part) for part in ("train", "validation"))
    ensemble, linear = initial_networks(training, config)

    def loss(networks: nn.Module, batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        windows, targets, levels = batch  # (B, D, F), (B, K), (B,)
        return forecast_loss(networks(windows), targets, levels, config)

    def validate(networks: nn.Module) -> dict[str, float]:
        outputs = predict(networks, validation, batch_size=4096, precision=settings.precision)  # (N, E, K)
        return {"loss": forecast_loss(outputs, targets, levels, config).item()}

    _, targets, levels = validation.everything()
    batches = Batches(training, settings.batch_size, settings.seed, settings.num_workers)
    with threads(1):  # small networks
        fit(ensemble, loss, batches, validate, settings, run)
        if linear is not None:
            fit(linear, loss, batches, validate, settings, run.stage(f"{refit.since}-linear"))
    return FittedEnsemble(refit.since, ensemble, linear)


def initial_networks(training: Windows, config: Config) -> tuple[Ensemble, Ensemble | None]:
    """The untrained ensemble, and for `training.ablation` its linear part alone (see `model.head_init`)."""
    ensemble, linear = ensembles(config)
    if config.model.head_init == "least-squares":
        some = np.random.default_rng(config.training.seed).permutation(len(training))[:SAMPLE]
        windows, targets, levels = training.__getitems__([Item(int(index)) for index in some])
        windows[:, :, list(training.dropped)] = 0  # a start with the market is worse for other markets (RESULTS.md)
        relative = targets if config.task == "price" else targets - levels.unsqueeze(1)
        members = [m for part in (ensemble, linear) if part for m in part.modules() if isinstance(m, Forecaster)]
        weights = members[0].least_squares(windows, relative)
        for member in members:
            member.linear.load_state_dict(weights)
    return ensemble, linear


def forecast_loss(outputs: Tensor, targets: Tensor, levels: Tensor, config: Config) -> Tensor:
    """Mean loss of all networks and horizons. outputs (B, E, K), relative to the levels of volatility (B,); targets
    (B, K), NaN where they are not known."""
    relative = targets if config.task == "price" else targets - levels.unsqueeze(1)
    known = ~relative.isnan()
    difference = torch.where(known, relative, 0).unsqueeze(1) - outputs * known.unsqueeze(1)  # log(v / f), (B, E, K)
    squared = config.task == "price" or config.loss == "mse"
    losses = difference**2 if squared else difference.exp() - difference - 1  # QLIKE: v / f - log(v / f) - 1
    return losses.sum() / (known.sum() * outputs.shape[1])


def train_tutorial(data: PriceData, config: Config, run: Run) -> Tutorial:
    """The LSTM of the popular tutorials on the first ticker; tutorial.py explains its errors."""
    series = data.series[0]
    settings = config.training.model_copy(update={"epochs": 20, "patience": 0, "batch_size": 32})
    seed_everything(settings.seed)
    tutorial = Tutorial()
    tutorial.fit_scaler(series)
    first_test = int(data.test_origins(series)[0])
    windows = PriceWindows(tutorial.scaled(series.close), np.arange(WINDOW - 1, first_test))

    def loss(network: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        prices, targets = batch  # (B, 60), (B,)
        return F.mse_loss(network(prices)[:, 0], targets)

    def validate(network: nn.Module) -> dict[str, float]:  # on the training set: the tutorials have no validation set
        forecasts = predict(network, windows, batch_size=512, precision=settings.precision)[:, 0]
        return {"loss": float(((forecasts.numpy() - windows.prices[windows.origins + 1]) ** 2).mean())}

    fit(tutorial.network, loss, Batches(windows, settings.batch_size, settings.seed), validate, settings, run)
    return tutorial
