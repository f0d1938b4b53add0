"""Exercise beam_search, the tests that give points: every caption of a small recurrent network, tried one by one."""

import itertools

import pytest
import torch
from torch import Tensor

from projects.imagecaption.decode import Hypothesis, beam_search
from projects.imagecaption.vocabulary import END, PAD, START, UNKNOWN

WORDS, WIDTH, GRID = 8, 6, 3  # words 4 to 7


class Recurrent:
    """A network with random weights whose state holds all words so far, and which attends to three grid points."""

    def __init__(self, seed: int = 0) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.embedding = torch.randn(WORDS, WIDTH, generator=generator)
        self.recurrent = 1.5 * torch.randn(WIDTH, WIDTH, generator=generator) / WIDTH**0.5
        self.output = 1.5 * torch.randn(WIDTH, WORDS, generator=generator)
        self.decoder = self

    def features(self, inputs: Tensor) -> Tensor:
        return inputs

    def precompute(self, features: Tensor) -> tuple[Tensor]:
        return (features,)

    def initial_state(self, memory: tuple[Tensor], captions: int) -> tuple[Tensor]:
        return (memory[0].mean(dim=1, keepdim=True).expand(-1, captions, -1),)

    def step(self, memory: tuple[Tensor], state: tuple[Tensor], words: Tensor) -> tuple[Tensor, Tensor, tuple[Tensor]]:
        h = torch.tanh(state[0] @ self.recurrent + self.embedding[words])
        return h, (h @ memory[0].transpose(1, 2)).softmax(dim=2), (h,)

    def output_layer(self, outputs: Tensor) -> Tensor:
        return outputs @ self.output


def photos(number: int = 3, seed: int = 5) -> Tensor:
    return torch.randn(number, GRID, WIDTH, generator=torch.Generator().manual_seed(seed))


def follow(network: Recurrent, photo: Tensor, tokens: list[int]) -> tuple[float, Tensor]:
    """The log-probability of a caption, and the attention (T, L) before its words."""
    state, total, maps, word = network.initial_state((photo,), 1), 0.0, [], START
    for following in tokens:
        output, alpha, state = network.step((photo,), state, torch.tensor([[word]]))
        total += float(network.output_layer(output).log_softmax(dim=2)[0, 0, following])
        maps.append(alpha[0, 0])
        word = following
    return total, torch.stack(maps)


def all_captions(max_words: int) -> list[list[int]]:
    """Every caption of at most `max_words` tokens; only those of that length may be without END."""
    found = [[*words, END] for n in range(max_words) for words in itertools.product(range(4, WORDS), repeat=n)]
    return found + [list(words) for words in itertools.product(range(4, WORDS), repeat=max_words)]


@pytest.mark.parametrize("length_penalty", [0.0, 0.7, 1.0])
def test_a_wide_beam_ranks_all_captions(length_penalty: float) -> None:
    network, inputs = Recurrent(), photos()
    found = beam_search(network, inputs, 2000, 3, length_penalty)
    for photo, hypotheses in zip(inputs, found):
        scores = {tuple(c): follow(network, photo[None], c)[0] / len(c) ** length_penalty for c in all_captions(3)}
        expected = sorted(scores, key=lambda caption: -scores[caption])[:5]
        tokens = [tuple(h.tokens) for h in hypotheses[:5]]
        assert tokens == expected, f"length_penalty {length_penalty}: the best captions are {expected}, not {tokens}"


def test_the_log_probability_is_that_of_the_whole_caption() -> None:
    network, inputs = Recurrent(1), photos()
    for photo, hypotheses in zip(inputs, beam_search(network, inputs, 4, 6, 0.7)):
        for hypothesis in hypotheses:
            expected = follow(network, photo[None], hypothesis.tokens)[0]
            assert hypothesis.log_probability == pytest.approx(expected, abs=1e-4), (
                f"{hypothesis.tokens}: its words sum to {expected:.3f}, not {hypothesis.log_probability:.3f}"
            )


def test_the_attention_is_that_of_the_caption() -> None:
    network, inputs = Recurrent(2), photos()
    for photo, hypotheses in zip(inputs, beam_search(network, inputs, 4, 6)):
        for hypothesis in hypotheses:
            expected = follow(network, photo[None], hypothesis.tokens)[1].numpy()
            assert hypothesis.attention.shape == expected.shape, (
                f"{hypothesis.tokens} has the maps {expected.shape}, not {hypothesis.attention.shape}"
            )
            wrong = float(abs(hypothesis.attention - expected).max())
            assert wrong < 1e-4, f"{hypothesis.tokens}: maps of another beam, they differ by up to {wrong:.2f}"


def greedy(network: Recurrent, photo: Tensor, max_words: int) -> list[int]:
    state, tokens = network.initial_state((photo,), 1), [START]
    while len(tokens) <= max_words and tokens[-1] != END:
        output, _, state = network.step((photo,), state, torch.tensor([[tokens[-1]]]))
        logits = network.output_layer(output)[0, 0].clone()
        logits[[PAD, START, UNKNOWN]] = float("-inf")
        tokens.append(int(logits.argmax()))
    return tokens[1:]


@pytest.mark.parametrize("seed", [0, 3, 4])
def test_a_beam_of_one_is_greedy_decoding(seed: int) -> None:
    network, inputs = Recurrent(seed), photos(6)
    for photo, hypotheses in zip(inputs, beam_search(network, inputs, 1, 5)):
        expected, tokens = greedy(network, photo[None], 5), hypotheses[0].tokens
        assert tokens == expected, f"the most probable words one by one are {expected}, not {tokens}"


def test_photos_of_a_batch_do_not_influence_each_other() -> None:
    network, inputs = Recurrent(6), photos(4)
    together = beam_search(network, inputs, 3, 6, 0.7)
    for number in range(4):
        alone = [h.tokens for h in beam_search(network, inputs[number : number + 1], 3, 6, 0.7)[0]]
        found = [h.tokens for h in together[number]]
        assert found == alone, f"photo {number} alone has {alone}, in a batch {found}"


def test_no_ngram_is_repeated_and_no_caption_too_long() -> None:
    network, inputs = Recurrent(0), photos(6)
    hypotheses: list[Hypothesis] = [h for several in beam_search(network, inputs, 3, 7, 0.0, 2) for h in several]
    longest = max(len(h.tokens) for h in hypotheses)
    assert longest <= 7, f"at most 7 words, not {longest}"
    for tokens in (h.tokens for h in hypotheses):
        bigrams = list(itertools.pairwise(tokens))
        assert len(set(bigrams)) == len(bigrams), f"no_repeat_ngram_size 2: no two words twice, but {tokens}"
        assert PAD not in tokens and END not in tokens[:-1], f"a caption ends with END, it goes on: {tokens}"
