"""Assertions that must fail, run after the tests of a submission: where one passes, it has replaced them."""

import numpy as np
import pytest
import torch


def test_canary_of_assert() -> None:
    assert 1 == 2


def test_canary_of_approx() -> None:
    assert pytest.approx(1.5) == 1.0


def test_canary_of_numpy() -> None:
    np.testing.assert_allclose(np.ones(2), np.zeros(2))


def test_canary_of_torch() -> None:
    torch.testing.assert_close(torch.ones(2), torch.zeros(2))
