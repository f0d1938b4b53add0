"""Every setting of the project, with what it does."""

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from shared.config import EvaluateOptions as SharedEvaluateOptions
from shared.config import RunOptions, Section
from shared.data.config import PhotoConfig, TableFormat
from shared.training.config import TrainingConfig

Metric = Literal["cider", "bleu1", "bleu2", "bleu3", "bleu4", "rouge_l"]


class DataConfig(PhotoConfig, TableFormat):
    """Which photos with captions, and how they are split."""

    renamed = {"size": "model.image_size", "scenes": "sample_size"}

    source: Literal["sample", "flickr8k", "coco", "folder"] = "sample"
    """sample: synthetic scenes. flickr8k: the official layout. coco: photos and COCO's or Karpathy's caption JSON.
    folder: photos with captions in any layout, such as a captions.csv with the columns image and caption."""
    root: Path | None = None
    """The folder of the photos and captions, or one file of captions; for the sample, where to keep what is drawn
    (default: data/)."""
    image_column: str | None = None
    """The column of a table with the names of the photos; usual names are recognised."""
    caption_column: str | None = None
    """The column of a table with the captions; usual names are recognised."""
    split: Literal["auto", "official", "random", "train", "dev", "test", "all"] = "auto"
    """official: the lists that come with the data. random: random by photo. auto: official where there are lists. For
    evaluation only: train, dev or test (the photos of that list are the test set) and all (every photo is)."""
    validation: float = Field(0.1, gt=0, lt=0.5)
    """Fraction of the photos in the validation set, which decides which weights are kept, where no list names them."""
    test: float = Field(0.15, gt=0, lt=0.5)
    """Random split: fraction of the photos in the test set, which is used once, at the end."""
    sample_size: int = Field(2000, ge=100)
    """Number of scenes in the sample."""
    seed: int = Field(0, ge=0)
    """Seed of the split and of the sample."""

    @model_validator(mode="after")
    def _has_a_place(self) -> "DataConfig":
        if self.source != "sample" and self.root is None:
            raise ValueError(f"data.source {self.source} needs a folder: --data.root DIR")
        return self


class ModelConfig(Section):
    """Encoder and decoder."""

    renamed = {"hidden": "hidden_size", "heads": "num_heads", "layers": "num_layers"}

    image_size: int = Field(224, ge=32, le=640)
    """Side in pixels of the encoder's input. Photos are resized to a square without cropping."""
    encoder: str = "efficientnet_lite0"
    """efficientnet_lite0, small (six convolutions, for the sample), or a convolutional network of torchvision or timm
    by name."""
    weights: str = "imagenet"
    """imagenet (from the extra `captions`, torchvision or timm), none (random), or a .safetensors or .pt file."""
    fine_tune: bool = False
    """Fine-tune the encoder, too. Otherwise it stays frozen and its features are computed once."""
    decoder: Literal["lstm", "transformer"] = "lstm"
    """lstm: Show, Attend and Tell (Xu et al. 2015). transformer: a small causal decoder with cross-attention."""
    attention: Literal["dot", "additive"] = "dot"
    """lstm: multi-head scaled dot products, or the additive attention of the paper (several times slower)."""
    hidden_size: int = Field(512, ge=8)
    """Width of the decoder and of its word embeddings."""
    num_heads: int = Field(8, ge=1)
    """Attention heads (dot attention and transformer)."""
    num_layers: int = Field(3, ge=1)
    """transformer: number of decoder blocks."""
    dropout: float = Field(0.5, ge=0, lt=1)
    """Dropout of features, word embeddings and hidden states."""
    min_count: int = Field(4, ge=1)
    """Words that occur less often than this in the training captions are out of vocabulary."""
    max_words: int = Field(20, ge=3)
    """Longer training captions are truncated, and decoding stops after this many words."""

    @model_validator(mode="after")
    def _possible(self) -> "ModelConfig":
        if self.hidden_size % self.num_heads:
            raise ValueError(f"hidden_size {self.hidden_size} must be a multiple of num_heads {self.num_heads}")
        if self.weights == "none" and not self.fine_tune:
            raise ValueError("weights is none and fine_tune is off: a random frozen encoder has no useful features")
        return self


class CaptionTraining(TrainingConfig):
    """First stage: cross entropy with teacher forcing."""

    minimised = frozenset()
    renamed = {
        **TrainingConfig.renamed,
        "start": "init_from",
        "look_everywhere": "attention_regularisation",
        "mirror": "horizontal_flip",
        "encoder_factor": "encoder_lr_factor",
    }

    init_from: Path | None = None
    """The model.safetensors of a finished run, whose vocabulary and weights training starts from."""
    epochs: int = Field(20, ge=0)
    """Passes over the training photos; 0 skips this stage, if `init_from` names initial weights."""
    batch_size: int = Field(64, ge=1)
    """Photos in one forward pass, each with up to five captions, over all processes."""
    label_smoothing: float = Field(0.1, ge=0, lt=1)
    """Fraction of the target spread over all words (Szegedy et al. 2016)."""
    attention_regularisation: float = Field(0.5, ge=0)
    """Weight of the doubly stochastic term (Xu et al. 2015): over a caption, every grid point should receive about the
    same attention."""
    horizontal_flip: bool = True
    """Mirror half of the training photos; turn it off if captions mention left and right."""
    encoder_lr_factor: float = Field(0.1, gt=0)
    """With model.fine_tune: learning rate of the encoder relative to that of the decoder."""
    monitor: Metric = "cider"
    """The validation metric that decides which weights are kept."""
    direction: Literal["min", "max"] = "max"
    """Whether `monitor` is minimised or maximised."""


class ScstConfig(TrainingConfig):
    """Second stage: self-critical sequence training on CIDEr itself (SCST; Rennie et al. 2017); off with 0 epochs."""

    minimised = frozenset()
    renamed = {**TrainingConfig.renamed, "samples": "num_samples", "nucleus": "top_p", "share": "interpolation"}

    epochs: int = Field(0, ge=0)
    """Passes over the training photos; 0 skips this stage."""
    batch_size: int = Field(64, ge=1)
    """Photos in one forward pass, over all processes."""
    num_samples: int = Field(5, ge=2)
    """Captions sampled for each photo; the mean reward of the other samples is a sample's baseline."""
    top_p: float = Field(0.9, gt=0, le=1)
    """Nucleus sampling: words are drawn from the most probable ones that together reach this probability. After label
    smoothing every word has some probability, and sampling improbable ones makes training diverge."""
    interpolation: float = Field(0.5, gt=0, le=1)
    """Final weights = first stage + interpolation * (second stage - first stage) (Wortsman et al. 2022). With 1,
    captions become short and repetitive."""
    learning_rate: float = Field(5e-5, gt=0)
    """Peak learning rate."""
    monitor: Metric = "cider"
    """The validation metric that decides which weights are kept."""
    direction: Literal["min", "max"] = "max"
    """Whether `monitor` is minimised or maximised."""


class DecodeConfig(Section):
    """How captions are decoded."""

    renamed = {"beam": "beam_size", "block_ngram": "no_repeat_ngram_size", "nucleus": "top_p"}

    beam_size: int = Field(5, ge=1)
    """Width of the beam search; 1 is greedy decoding."""
    length_penalty: float = Field(0.7, ge=0)
    """Beams are ranked by log-probability / length ** length_penalty; 0 prefers short captions."""
    no_repeat_ngram_size: int = Field(3, ge=0)
    """No n-gram of this length occurs twice in a caption; 0 allows repetition."""
    top_p: float = Field(0.0, ge=0, le=1)
    """Nucleus sampling with this probability (Holtzman et al. 2020) instead of beam search; 0 turns it off."""


class EvaluationConfig(Section):
    """What the evaluation measures."""

    meteor: bool = True
    """Compute METEOR, too, where Java and pycocoevalcap are installed."""
    bootstrap: int = Field(1000, ge=100)
    """Resamples of the 95 % confidence interval."""


class Config(Section):
    """Image captioning with attention."""

    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    training: CaptionTraining = CaptionTraining()
    scst: ScstConfig = ScstConfig()
    decode: DecodeConfig = DecodeConfig()
    evaluation: EvaluationConfig = EvaluationConfig()

    @model_validator(mode="after")
    def _possible(self) -> "Config":
        if self.data.split in ("train", "dev", "test", "all"):
            raise ValueError(f"data.split {self.data.split} leaves nothing to train on; it is for evaluate")
        if self.training.epochs == 0 and self.training.init_from is None:
            raise ValueError("training.epochs is 0: name initial weights with --training.init_from MODEL")
        if self.training.epochs == self.scst.epochs == 0:
            raise ValueError("training.epochs and scst.epochs are both 0: there is nothing to train")
        return self


class EvaluateOptions(SharedEvaluateOptions):
    """Score a finished run on its own test photos, or on any others with captions."""

    renamed = {"beam": "decode.beam_size"}

    data: DataConfig = DataConfig()
    decode: DecodeConfig = DecodeConfig()
    evaluation: EvaluationConfig = EvaluationConfig()


class PredictOptions(RunOptions):
    """Caption one photo, every photo of a folder, or those that a text file lists."""

    renamed = {"beam": "beam_size"}

    input: list[str] = Field(min_length=1)
    """Photos, folders, addresses (https://...), or .txt files with one of these per line."""
    beam_size: int | None = Field(None, ge=1)
    """Width of the beam search (default: that of the run, `decode.beam_size`)."""
    overlay: Path | None = None
    """Folder for the pictures of the attention; default: `predictions/` in the run."""
    allow_private: bool = False
    """Also fetch photos from addresses of this machine and of private networks."""
