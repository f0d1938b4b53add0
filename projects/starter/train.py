"""Train a small CNN: python -m projects.starter.train --config configs/starter/sample.yaml"""

if __name__ == "__main__":  # before torch is imported: --help and mistakes answer at once
    from shared.command import main

    main(__file__)

from torch import Tensor, nn

from projects.starter.config import Config
from projects.starter.data import check, load_data, to_dataset
from projects.starter.model import build_model
from projects.starter.predictor import Predictor
from shared.data.loader import Batches
from shared.data.provenance import file_fingerprints
from shared.evaluation.inference import predict
from shared.evaluation.metrics import classification_metrics
from shared.runs import Run
from shared.training.loop import fit


def train(config: Config, run: Run) -> Predictor:
    """Data, network, loss, training, and the predictor."""
    run.describe(check(config))
    data, classes = load_data(config.data)
    run.record(file_fingerprints(path for path, _ in data["train"] + data["validation"]))
    training, validation = (to_dataset(data[name], config.model.image_size) for name in ("train", "validation"))
    model = build_model(len(classes))

    def loss(network: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        images, targets = batch  # (B, 3, S, S), (B,)
        return nn.functional.cross_entropy(network(images), targets)

    def validate(network: nn.Module) -> dict[str, float]:
        return classification_metrics(predict(network, validation), [label for _, label in validation])

    batches = Batches(training, config.training.batch_size, config.training.seed, config.training.num_workers)
    fit(model, loss, batches, validate, config.training, run)
    return Predictor(model, classes, config)
