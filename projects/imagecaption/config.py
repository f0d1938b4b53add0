"""Every knob of the project, with what it does."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from shared.config import OF_ONE_SOURCE, RunOptions, Section
from shared.training.config import TrainingConfig


class DataConfig(Section):
    """Which photos with captions, and how they are divided."""

    source: Literal["sample", "flickr8k", "coco", "folder"] = "sample"
    """sample: scenes drawn by code. flickr8k: the official layout. coco: photos and COCO's caption JSON. folder: photos
    and a captions.csv with the columns image and caption."""
    root: Annotated[Path | None, OF_ONE_SOURCE] = None
    """The folder of the photos and captions; for the sample, where to keep what is drawn (default: data/)."""
    split: Literal["auto", "official", "random", "train", "dev", "test", "all"] = "auto"
    """official: the lists that come with the data. random: photo by photo. auto: official where there are lists. For
    evaluation only: train, dev or test (the photos of that list) and all (every photo)."""
    validation: float = Field(0.1, gt=0, lt=0.5)
    """Part of the photos that decides which weights are kept, where no list says which."""
    test: float = Field(0.15, gt=0, lt=0.5)
    """Random split: part of the photos that is looked at once, at the end."""
    size: int = Field(224, ge=32, le=640)
    """Side in pixels that every photo is squashed to; nothing of it is cut off."""
    sample_size: int = Field(2000, ge=100)
    """How many scenes the sample has."""
    cache: Path = Path("data/cache")
    """Where frozen features are kept."""
    seed: int = Field(0, ge=0)
    """Decides the split and the sample."""


class ModelConfig(Section):
    """Encoder and decoder."""

    encoder: str = "efficientnet_lite0"
    """efficientnet_lite0, small (a few convolutions, for the sample), or the name of a network of convolutions of
    torchvision or timm."""
    weights: str = "imagenet"
    """imagenet (of the extra `captions`, torchvision or timm), none (random), or a .safetensors or .pt file."""
    fine_tune: bool = False
    """Train the encoder too; otherwise what it makes of every photo is computed once."""
    decoder: Literal["lstm", "transformer"] = "lstm"
    """lstm: Show, Attend and Tell. transformer: small, causal, with cross attention."""
    attention: Literal["dot", "additive"] = "dot"
    """lstm: scaled dot products, or the small network of the paper (several times slower)."""
    hidden_size: int = Field(512, ge=8)
    """Width of the decoder and of its word vectors."""
    num_heads: int = Field(8, ge=1)
    """Attentions side by side (dot attention and transformer)."""
    num_layers: int = Field(3, ge=1)
    """transformer: blocks on top of each other."""
    dropout: float = Field(0.5, ge=0, lt=1)
    """Dropout of grid, words and states."""
    min_count: int = Field(4, ge=1)
    """Words that occur more rarely in the training captions are not known."""
    max_words: int = Field(20, ge=3)
    """Longer training captions are cut, and no longer ones are written."""

    @model_validator(mode="after")
    def _possible(self) -> "ModelConfig":
        if self.hidden_size % self.num_heads:
            raise ValueError(f"hidden_size {self.hidden_size} must be a multiple of num_heads {self.num_heads}")
        if self.weights == "none" and not self.fine_tune:
            raise ValueError("weights is none and fine_tune is off: a random frozen encoder sees nothing")
        return self


class CaptionTraining(TrainingConfig):
    """How the captions are learned, word by word (cross entropy)."""

    init_from: Path | None = None
    """A finished run (its model.safetensors) whose words and weights training goes on from."""
    epochs: int = Field(20, ge=0)
    """Passes over the training photos; 0 leaves this stage out, where `start` says what to go on from."""
    batch_size: int = Field(64, ge=1)
    """Photos in one forward pass, each with up to five captions, over all processes."""
    label_smoothing: float = Field(0.1, ge=0, lt=1)
    """Part of the target spread over all words (Szegedy et al. 2016)."""
    attention_regularisation: float = Field(0.5, ge=0)
    """Weight of the doubly stochastic term: each place should be looked at about equally in a caption."""
    horizontal_flip: bool = True
    """Show half of the training photos mirrored; wrong where captions tell left from right."""
    encoder_lr_factor: float = Field(0.1, gt=0)
    """With model.fine_tune: learning rate of the encoder as a part of the decoder's."""
    monitor: Literal["cider", "bleu1", "bleu2", "bleu3", "bleu4", "rouge_l"] = "cider"
    """The number of the validation that decides which weights are kept."""
    direction: Literal["min", "max"] = "max"
    """Whether a better `monitor` is smaller or larger."""


class ScstConfig(TrainingConfig):
    """Second stage: self-critical sequence training on CIDEr itself (Rennie et al. 2017); off with 0 epochs."""

    epochs: int = Field(0, ge=0)
    """Passes over the training photos; 0 leaves this stage out."""
    batch_size: int = Field(64, ge=1)
    """Photos in one forward pass, over all processes."""
    num_samples: int = Field(5, ge=2)
    """Captions drawn for each photo; what counts is how much better one is than the others."""
    top_p: float = Field(0.9, gt=0, le=1)
    """They are drawn from the likeliest words that together have this probability: label smoothing has left a little
    to every word, and one that nobody would say teaches nothing."""
    interpolation: float = Field(0.5, gt=0, le=1)
    """How far the weights go from the first stage's to this one's (Wortsman et al. 2022): all the way, captions become
    short and alike."""
    learning_rate: float = Field(5e-5, gt=0)
    """Peak learning rate."""
    monitor: Literal["cider", "bleu1", "bleu2", "bleu3", "bleu4", "rouge_l"] = "cider"
    """The number of the validation that decides which weights are kept."""
    direction: Literal["min", "max"] = "max"
    """Whether a better `monitor` is smaller or larger."""


class DecodeConfig(Section):
    """How a caption is written, once the network is trained."""

    beam_size: int = Field(5, ge=1)
    """Captions that are followed at the same time; 1 takes the likeliest word each time."""
    length_penalty: float = Field(0.7, ge=0)
    """The log-probability is divided by length ** this; 0 prefers short captions."""
    no_repeat_ngram_size: int = Field(3, ge=0)
    """No sequence of so many words twice in a caption; 0 allows all."""
    top_p: float = Field(0.0, ge=0, le=1)
    """Draw from the likeliest words that together have this probability (Holtzman et al. 2020); 0 searches instead."""


class EvaluationConfig(Section):
    """What the evaluation measures."""

    meteor: bool = True
    """Also METEOR, where Java and pycocoevalcap are installed."""
    bootstrap: int = Field(1000, ge=100)
    """Resamples of the 95 % interval."""


class Config(Section):
    """Captions for photos, with attention that can be seen."""

    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    training: CaptionTraining = CaptionTraining()
    scst: ScstConfig = ScstConfig()
    decode: DecodeConfig = DecodeConfig()
    evaluation: EvaluationConfig = EvaluationConfig()

    @model_validator(mode="after")
    def _possible(self) -> "Config":
        if self.data.source != "sample" and self.data.root is None:
            raise ValueError(f"data.source is {self.data.source}: say where it is with --data.root DIR")
        if self.data.split in ("train", "dev", "test", "all"):
            raise ValueError(f"data.split {self.data.split} leaves nothing to train on; it is for evaluate")
        if self.training.epochs == 0 and self.training.init_from is None:
            raise ValueError("training.epochs is 0: say what to go on from with --training.init_from MODEL")
        if self.training.epochs == self.scst.epochs == 0:
            raise ValueError("training.epochs and scst.epochs are both 0: there is nothing to do")
        return self


class EvaluateOptions(RunOptions):
    """Score a finished run, on its own test photos or on any others with captions."""

    data: DataConfig = DataConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    beam: int | None = Field(None, ge=1)
    """Another `decode.beam_size` than the run's own."""


class PredictOptions(RunOptions):
    """Write a caption for a photo, for every photo of a folder, or for those that a text file lists."""

    input: list[str] = Field(min_length=1)
    """Photos, folders, addresses (https://...), or .txt files with one of these a line."""
    beam: int | None = Field(None, ge=1)
    """Another `decode.beam_size` than the run's own."""
    overlay: Path | None = None
    """Folder for pictures of where each word looked; default: `predictions/` in the run."""


class AppOptions(RunOptions):
    """Show a finished run on a web page of this machine."""

    port: int = Field(7860, ge=1024, le=65535)
    """The page is http://127.0.0.1:<port>."""
