"""Write a finished network as ONNX, checked against PyTorch.

python -m projects.plantdisease.export --run RUN
"""

if __name__ == "__main__":  # before torch is imported: --help and mistakes answer at once
    from shared.command import main

    main(__file__)

from typing import Any

import torch

from projects.plantdisease.config import ExportOptions
from projects.plantdisease.predictor import Predictor
from shared.files import atomic, size_in_words, write_json
from shared.names import require_utf8
from shared.runs import Run

TOLERANCE = 1e-4


def export(options: ExportOptions, run: Run) -> dict[str, Any]:
    """images (batch, 3, size, size), normalised as in `shared.data.images.normalise` -> logits (batch, classes)."""
    try:
        import onnxruntime
        import onnxscript  # noqa: F401 - torch.onnx needs it
    except ImportError:
        raise ValueError("ONNX export needs the extra packages: pip install -e '.[export]'") from None
    predictor = Predictor.load(run.model_file)
    size = predictor.config.model.image_size
    path = require_utf8(options.output or run.output / "model.onnx")
    example = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(0))
    with atomic(path) as temporary:
        torch.onnx.export(
            predictor.views,
            (example,),
            temporary,
            dynamo=True,
            external_data=False,
            input_names=["images"],
            output_names=["logits"],
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            verbose=False,
        )
        session = onnxruntime.InferenceSession(temporary, providers=["CPUExecutionProvider"])
        gap = 0.0
        for batch in (example, example[:1]):
            (logits,) = session.run(None, {"images": batch.numpy()})
            with torch.inference_mode():
                gap = max(gap, float((predictor.views(batch) - torch.from_numpy(logits)).abs().max()))
        if gap > TOLERANCE:
            raise ValueError(f"the exported network differs from PyTorch by {gap:.1e}; nothing was written")
    about = {"classes": predictor.classes, "temperature": predictor.temperature, "size": size}
    write_json(path.with_suffix(".json"), about)
    print(f"onnx: {path} ({size_in_words(path.stat().st_size)}), within {gap:.1e} of PyTorch")
    return {"onnx": str(path), **about, "largest_difference": gap}
