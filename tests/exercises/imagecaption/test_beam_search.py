"""Exercise beam_search: the best captions of a language of five words."""

from types import SimpleNamespace

import torch
from torch import Tensor

from projects.imagecaption.decode import beam_search
from projects.imagecaption.vocabulary import END, START

WORDS = 9  # 4 to 8 are words, below are PAD, START, END and UNKNOWN


def chain(after: dict[int, dict[int, float]]) -> SimpleNamespace:
    """A network in which the probabilities of the next word depend on the last word alone."""
    table = torch.full((WORDS, WORDS), 1e-9)
    for word, following in after.items():
        for following_word, p in following.items():
            table[word, following_word] = p

    def step(memory: tuple, state: tuple, words: Tensor) -> tuple[Tensor, Tensor, tuple]:
        return table[words].log(), torch.full((*words.shape, 1), 1.0), state

    decoder = SimpleNamespace(
        precompute=lambda features: (features,),
        initial_state=lambda memory, captions: (torch.zeros(len(memory[0]), captions, 1),),
        step=step,
        output_layer=lambda outputs: outputs,
    )
    return SimpleNamespace(features=lambda inputs: inputs, decoder=decoder)


GARDEN_PATH = {START: {4: 0.6, 5: 0.4}, 4: {6: 0.5, 7: 0.5}, 5: {8: 1.0}, 6: {END: 1.0}, 7: {END: 1.0}, 8: {END: 1.0}}


def test_a_beam_of_one_takes_the_most_probable_word() -> None:
    found = beam_search(chain(GARDEN_PATH), torch.zeros(1, 1, 1), 1, 6)[0]
    assert len(found) == 1 and found[0].tokens[0] == 4, f"one caption that begins with word 4, not {found}"


def test_two_beams_find_the_better_caption() -> None:
    best = beam_search(chain(GARDEN_PATH), torch.zeros(1, 1, 1), 2, 6)[0][0]
    assert best.tokens == [5, 8, END], f"5 8 END has .4, 4 6 END and 4 7 END .3 each: [5, 8, 2], not {best.tokens}"
    p = float(torch.tensor(best.log_probability).exp())
    assert abs(p - 0.4) < 1e-3, f"its probability is .4, not {p:.3f}"
