from __future__ import annotations

import pytest
import torch

from napari_defectseg.training.losses import exclusive_loss, multilabel_loss


def test_a_right_answer_costs_nothing_and_a_wrong_one_much() -> None:
    target = torch.zeros(1, 8, 8, dtype=torch.long)
    target[:, :4] = 1
    right = torch.stack([-20.0 * (2.0 * target - 1), 20.0 * (2.0 * target - 1)], dim=1)
    assert float(exclusive_loss(right, target, 1.0)) < 1e-3
    assert float(exclusive_loss(-right, target, 1.0)) > 5


def test_unlabelled_pixels_never_matter() -> None:
    torch.manual_seed(0)
    logits = torch.randn(2, 3, 8, 8)
    target = torch.randint(0, 3, (2, 8, 8))
    target[:, :, :4] = 255
    changed = logits.clone()
    changed[..., :4] = 99.0
    assert exclusive_loss(logits, target, 1.0) == pytest.approx(
        float(exclusive_loss(changed, target, 1.0)), rel=1e-6
    )


def test_unlabelled_pixels_never_matter_where_classes_overlap() -> None:
    torch.manual_seed(0)
    logits = torch.randn(2, 3, 8, 8)
    target = torch.randint(0, 2, (2, 3, 8, 8), dtype=torch.uint8)
    target[..., :4] = 255
    changed = logits.clone()
    changed[..., :4] = 30.0
    assert multilabel_loss(logits, target, 1.0) == pytest.approx(
        float(multilabel_loss(changed, target, 1.0)), rel=1e-6
    )


@pytest.mark.parametrize("loss", [exclusive_loss, multilabel_loss])
def test_a_patch_without_any_label_teaches_nothing(loss: object) -> None:
    logits = torch.randn(1, 2, 4, 4, requires_grad=True)
    shape = (1, 4, 4) if loss is exclusive_loss else (1, 2, 4, 4)
    value = loss(logits, torch.full(shape, 255), 1.0)  # type: ignore[operator]
    value.backward()
    assert float(value.detach()) == 0
    assert logits.grad is not None
    assert not logits.grad.any()


def test_a_class_that_is_not_in_the_batch_does_not_count_as_missed() -> None:
    target = torch.zeros(1, 8, 8, dtype=torch.long)
    target[:, :4] = 1
    right = torch.full((1, 3, 8, 8), -20.0)
    right[:, 0], right[:, 1] = -20.0 * (2.0 * target - 1), 20.0 * (2.0 * target - 1)
    right[:, 2] = -3.0
    assert float(exclusive_loss(right, target, 1.0)) < 0.01
