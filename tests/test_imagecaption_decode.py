"""Decoders, decoding and metrics of imagecaption."""

import itertools
import random
import shutil

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from projects.imagecaption.config import DecodeConfig, ModelConfig
from projects.imagecaption.decode import beam_search, decode, sample, to_tensor
from projects.imagecaption.metrics import Cider, bleu, caption_metrics, meteor, rouge_l
from projects.imagecaption.model import Captioner, LstmDecoder, TransformerDecoder
from projects.imagecaption.vocabulary import (
    END,
    PAD,
    SPECIAL,
    START,
    UNKNOWN,
    Vocabulary,
    detokenize,
    spellings,
    tokenize,
)
from shared.compute.device import seed_everything

KINDS = [("lstm", "dot"), ("lstm", "additive"), ("transformer", "dot")]


class FrozenEncoder(nn.Module):
    """A stub for an encoder whose features are cached: 3 x 2 grid points with 5 channels."""

    channels, rows, columns, grid_points = 5, 3, 2, 6


def tiny(decoder: str, attention: str = "dot", vocab_size: int = 9, spread: float = 3.0) -> Captioner:
    """A random network of few words, with large weights so that captions differ."""
    seed_everything(1)
    config = ModelConfig(decoder=decoder, attention=attention, hidden_size=8, num_heads=2, num_layers=2, dropout=0)
    network = (LstmDecoder if decoder == "lstm" else TransformerDecoder)(FrozenEncoder(), vocab_size, config)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter *= 1 if parameter is network.embedding.weight else spread
        network.bias.normal_()
    return Captioner(FrozenEncoder(), network, fine_tune=False).eval()


def features(photos: int = 3) -> Tensor:
    return torch.randn(photos, 6, 5, generator=torch.Generator().manual_seed(0))


@torch.no_grad()
def log_probability(model: Captioner, feature_map: Tensor, words: list[int]) -> float:
    """Teacher-forced, without any cache."""
    logits, _ = model(feature_map[None], torch.tensor([[[START, *words]]]))
    return float(logits.log_softmax(dim=1).gather(1, torch.tensor(words)[:, None]).sum())


# --- decoding


@pytest.mark.parametrize(("decoder", "attention"), KINDS)
def test_decoding_step_by_step_equals_teacher_forcing(decoder: str, attention: str) -> None:
    model, captions = tiny(decoder, attention), torch.randint(4, 9, (3, 2, 7))
    captions[:, :, 0] = START
    logits, attention = model(features(), captions)
    memory = model.decoder.precompute(features())
    state = model.decoder.initial_state(memory, 2)
    for t in range(6):
        output, alpha, state = model.decoder.step(memory, state, captions[:, :, t])
        torch.testing.assert_close(
            model.decoder.output_layer(output), logits.view(3, 2, 6, -1)[:, :, t], atol=1e-4, rtol=1e-4
        )
        torch.testing.assert_close(alpha, attention[:, :, t], atol=1e-5, rtol=1e-4)
    assert torch.allclose(attention.sum(dim=3), torch.ones(3, 2, 6))


@pytest.mark.parametrize("decoder", ["lstm", "transformer"])
@pytest.mark.parametrize("length_penalty", [0.0, 1.0])
def test_a_wide_beam_equals_exhaustive_search(decoder: str, length_penalty: float) -> None:
    model, max_words = tiny(decoder, vocab_size=7), 4
    known = range(len(SPECIAL), 7)
    ended = [[*words, END] for n in range(max_words) for words in itertools.product(known, repeat=n)]
    cut = [list(words) for words in itertools.product(known, repeat=max_words)]
    for feature_map in features():
        scored = {tuple(w): log_probability(model, feature_map, w) for w in ended + cut}
        best = max(scored, key=lambda w: scored[w] / len(w) ** length_penalty)
        found = beam_search(model, feature_map[None], 200, max_words, length_penalty)[0]
        assert found[0].tokens == list(best)
        assert found[0].log_probability == pytest.approx(scored[best], abs=1e-4)
        assert len(found) == len(scored)
        ranks = [w.log_probability / len(w.tokens) ** length_penalty for w in found]
        assert ranks == sorted(ranks, reverse=True)


@pytest.mark.parametrize("decoder", ["lstm", "transformer"])
def test_a_beam_of_one_is_greedy_decoding(decoder: str) -> None:
    model = tiny(decoder)
    for feature_map, (found,) in zip(features(), beam_search(model, features(), 1, 5)):
        words: list[int] = []
        while len(words) < 5 and END not in words:
            logits, _ = model(feature_map[None], torch.tensor([[[START, *words, UNKNOWN]]]))
            logits[-1, [PAD, START, UNKNOWN]] = float("-inf")
            words.append(int(logits[-1].argmax()))
        assert found.tokens == words
        assert found.attention.shape == (len(words), 6)


def test_a_photo_gets_the_same_caption_alone_and_in_a_batch() -> None:
    model = tiny("lstm")
    together = beam_search(model, features(), 3, 6, 0.7)
    for feature_map, captions in zip(features(), together):
        (alone,) = beam_search(model, feature_map[None], 3, 6, 0.7)
        assert [w.tokens for w in alone] == [w.tokens for w in captions]


def test_no_repeat_ngram_size_prevents_repetition() -> None:
    model = tiny("lstm", vocab_size=6, spread=5.0)
    for n in (1, 2):
        for best, *_ in beam_search(model, features(), 2, 8, 0.0, no_repeat_ngram_size=n):
            runs = list(zip(*(best.tokens[i:] for i in range(n))))
            assert len(runs) == len(set(runs))


def test_nucleus_sampling_draws_only_the_most_probable_words() -> None:
    model = tiny("lstm")
    seed_everything(0)
    narrow = sample(model, features(), 20, 5, top_p=1e-6)
    greedy = beam_search(model, features(), 1, 5)
    assert all(w.tokens == best[0].tokens for drawn, best in zip(narrow, greedy) for w in drawn)
    wide = sample(model, features(), 20, 5)
    assert len({tuple(w.tokens) for w in wide[0]}) > 3
    for w in wide[0][:4]:
        assert w.log_probability == pytest.approx(log_probability(model, features()[0], w.tokens), abs=1e-4)
    assert len(decode(model, features(), DecodeConfig(top_p=0.9), 5)) == 3


def test_padding_does_not_change_logits_and_attention() -> None:
    for decoder, attention in KINDS:
        model = tiny(decoder, attention)
        captions = torch.tensor([[[START, 5, 6, END, PAD], [START, 7, END, PAD, PAD]]])
        wider = torch.nn.functional.pad(captions, (0, 3, 0, 1))  # longer, and a third caption that is empty
        logits, attention = model(features(1), captions)
        same, wider_attention = model(features(1), wider)
        torch.testing.assert_close(logits, same, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(attention.sum(dim=2), wider_attention[:, :2].sum(dim=2), atol=1e-5, rtol=1e-5)
        assert wider_attention[:, 2].abs().sum() == 0


def test_sampled_captions_survive_padding() -> None:
    drawn = sample(tiny("lstm"), features(), 3, 5)
    captions = to_tensor(drawn)
    assert captions.shape[:2] == (3, 3)
    assert bool((captions[:, :, 0] == START).all())
    assert [int(n) for n in captions[1, 2] if n != PAD][1:] == drawn[1][2].tokens


# --- words and metrics


def test_captions_are_tokenised_as_in_coco_evaluation() -> None:
    assert tokenize("The man's dog doesn't like a tri-colored T-shirt , \"really\" .") == [
        "the", "man", "'s", "dog", "does", "n't", "like", "a", "tri-colored", "t-shirt", "really",
    ]  # fmt: skip
    assert tokenize("Ein Mädchen läuft über die Straße") == ["ein", "mädchen", "läuft", "über", "die", "straße"]
    assert tokenize(" . , ! ") == []
    assert detokenize(["a", "man", "'s", "dog", "does", "n't", "run"]) == "A man's dog doesn't run."


@pytest.mark.parametrize(
    ("caption", "tokens", "sentence"),
    [
        ("C'est l’été, aujourd'hui !", ["c'est", "l'été", "aujourd'hui"], "C'est l'été aujourd'hui."),
        ("एक कुत्ता पानी में है।", ["एक", "कुत्ता", "पानी", "में", "है"], "एक कुत्ता पानी में है।"),
        ("একটি কুকুর", ["একটি", "কুকুর"], "একটি কুকুর।"),
        ("ஒரு நாய்", ["ஒரு", "நாய்"], "ஒரு நாய்."),
        ("كَلْبٌ يَرْكُضُ", ["كَلْبٌ", "يَرْكُضُ"], "كَلْبٌ يَرْكُضُ."),
        ("او می‌رود", ["او", "می‌رود"], "او می‌رود."),
        ("İki IŞIK yandı", ["iki", "ışık", "yandı"], "İki ışık yandı."),
        ("IŞIK, İki", ["ışık", "iki"], "Işık iki."),
        ("М’яч летить", ["м'яч", "летить"], "М'яч летить."),
        ("צה״ל רץ", ["צה״ל", "רץ"], "צה״ל רץ."),
        ("一只狗，3个T恤。", list("一只狗3个t恤"), "一只狗3个t恤。"),
        ("犬が走る", list("犬が走る"), "犬が走る。"),
        ("เด็ก ๒๕ คน", ["เ", "ด็", "ก", "๒๕", "ค", "น"], "เด็ก๒๕คน"),
        ("개가 달린다", ["개가", "달린다"], "개가 달린다."),
        ("été", ["été"], "Été."),
        ("five o'clock 1️⃣ ❤️", ["five", "o", "clock", "1"], "Five o clock 1."),
    ],
)
def test_words_of_many_languages_stay_whole(caption: str, tokens: list[str], sentence: str) -> None:
    assert tokenize(caption) == tokens
    assert detokenize(tokens) == sentence


def test_words_are_shown_as_they_are_mostly_spelt() -> None:
    captions = ["Ein Hund läuft .", "Der hund schläft .", "Kleine Hunde und der Hund .", "EIN GROSSER BALL"]
    vocabulary = Vocabulary.build([tokenize(caption) for caption in captions], 1, spellings(captions))
    assert vocabulary.spellings == {"hund": "Hund", "hunde": "Hunde"}
    assert vocabulary.sentence(["der", "kleine", "hund"]) == "Der kleine Hund."
    assert Vocabulary.build([["der"]], 1, spellings(captions)).spellings == {}


def test_tokens_equal_those_of_the_java_tokenizer() -> None:
    ptb = pytest.importorskip("pycocoevalcap.tokenizer.ptbtokenizer")
    if not shutil.which("java"):
        pytest.skip("the tokenizer of COCO needs Java")
    captions = ["A man's hat isn't red, or is it?", "Two dogs - one black; one white -- cannot run!", "A \"T-shirt\" .",
                "The 2-year-old's toys, they're in 1,000 pieces .", "MEN ARE PLAYING ; they've won"]  # fmt: skip
    theirs = ptb.PTBTokenizer().tokenize({n: [{"caption": caption}] for n, caption in enumerate(captions)})
    assert [" ".join(tokenize(caption)) for caption in captions] == [theirs[n][0] for n in range(len(captions))]


def test_a_vocabulary_holds_frequent_words_only() -> None:
    vocabulary = Vocabulary.build([["a", "dog"], ["a", "cat"], ["a", "dog", "runs"]], 2)
    assert vocabulary.words == [*SPECIAL, "a", "dog"]
    assert vocabulary.encode(["a", "cat"], 5) == [START, 4, UNKNOWN, END]
    assert vocabulary.encode(["a", "dog", "runs"], 2) == [START, 4, 5]
    assert vocabulary.decode([4, 5, END]) == ["a", "dog"]
    with pytest.raises(ValueError, match=r"lower model\.min_count"):
        Vocabulary.build([["a"]], 2)


def corpus(photos: int = 60) -> tuple[list[list[str]], list[list[list[str]]]]:
    """Random captions of few words, one of them empty."""
    chance = random.Random(0)
    words = "a the man dog runs on in red ball grass two small".split()
    references = [
        [[chance.choice(words) for _ in range(chance.randint(3, 12))] for _ in range(chance.randint(2, 5))]
        for _ in range(photos)
    ]
    captions = [
        chance.choice(several)
        if chance.random() < 0.5
        else [chance.choice(words) for _ in range(chance.randint(1, 12))]
        for several in references
    ]
    captions[7] = []
    return captions, references


def test_metrics_equal_those_of_coco() -> None:
    pytest.importorskip("pycocoevalcap")
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider as CocoCider
    from pycocoevalcap.rouge.rouge import Rouge

    for scale in (1, 20):  # the second: all captions shorter than the references
        captions, references = corpus()
        if scale > 1:
            captions = [words[:2] for words in captions]
        truth = {n: [" ".join(words) for words in several] for n, several in enumerate(references)}
        answers = {n: [" ".join(words)] for n, words in enumerate(captions)}
        theirs = Bleu(4).compute_score(truth, answers, verbose=0)[0]
        assert list(bleu(captions, references).values()) == pytest.approx([100 * v for v in theirs], abs=1e-6)
        score, each = Rouge().compute_score(truth, answers)
        assert rouge_l(captions, references) == pytest.approx(100 * np.asarray(each), abs=1e-6)
        assert rouge_l(captions, references).mean() == pytest.approx(100 * score, abs=1e-6)
        score, each = CocoCider().compute_score(truth, answers)
        assert Cider(references)(captions) == pytest.approx(np.asarray(each), abs=1e-6)
        assert caption_metrics(captions, references)["cider"] == pytest.approx(score, abs=1e-6)


def test_rewards_are_scored_against_the_right_photo() -> None:
    captions, references = corpus()
    scorer = Cider(references)
    whole = scorer(captions)
    assert scorer([captions[5], captions[3]], [5, 3]) == pytest.approx(whole[[5, 3]])


@pytest.mark.slow
def test_meteor_is_computed_where_java_is_installed() -> None:
    pytest.importorskip("pycocoevalcap")
    captions, references = corpus(10)
    value = meteor(captions, references)
    assert (value is None) == (shutil.which("java") is None)
    assert value is None or 0 < value < 100
