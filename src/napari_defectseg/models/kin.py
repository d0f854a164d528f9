"""Widespread models that are known by the names in their weights, and what to do with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

LABELS = "Run it in its own program, and open the labels that it gives there with the image."
TRAIN = (
    "Train a network of this program on the same data, export the model to ONNX, or add the "
    "network as a plug-in (entry point group napari_defectseg.architectures)."
)
TORCH_HUB = "Export it to ONNX where it was made: model.export(format='onnx'), and open that file."
FASTAI = (
    "Where it was made, save the network's weights alone: "
    "torch.save(learn.model.state_dict(), 'weights.pth'), or export it to ONNX."
)
MM = "Export it to ONNX with the tools of its package (tools/deployment, export_model)."
FOREST = (
    "It works on filtered images, not on pixels alone: run it in the program that made it, and "
    "open the labels that it gives there."
)


@dataclass(frozen=True)
class Kin:
    """A family of models.

    Parameters
    ----------
    words : str
        What it is, after "those of": ``"Cellpose"``.
    starts : tuple of str
        How names of tensors begin, all of them, without what all share.
    classes : tuple of str
        How the classes of objects in its files begin; one is enough.
    advice : str
        What to do, a sentence.
    """

    words: str
    starts: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    advice: str = TRAIN


KINDS: tuple[Kin, ...] = (
    Kin("a U-Net like that of milesial/Pytorch-UNet", ("inc.double_conv.0.", "outc.conv.")),
    Kin("the U-Net of mateuszbuda/brain-segmentation-pytorch", ("encoder1.enc1conv1.",)),
    Kin("a network of pytorch-3dunet", ("encoders.0.basic_module.", "final_conv.")),
    Kin(
        "SAM 2, which segments what a person points at",
        ("image_encoder.trunk.", "memory_attention."),
        ("sam2.",),
        LABELS,
    ),
    Kin(
        "SAM, which segments what a person points at",
        ("image_encoder.blocks.", "mask_decoder."),
        ("segment_anything.",),
        LABELS,
    ),
    Kin(
        "SAM in the form of transformers",
        ("vision_encoder.", "mask_decoder.", "prompt_encoder."),
        advice=LABELS,
    ),
    Kin(
        "Cellpose, which finds single cells by flows",
        ("downsample.down.res_down_0.", "upsample.up."),
        ("cellpose.",),
        LABELS,
    ),
    Kin("Cellpose-SAM, which finds single cells by flows", ("encoder.", "out.", "W2"), (), LABELS),
    Kin("Mask2Former of transformers", ("model.pixel_level_module.", "class_predictor.")),
    Kin("SegFormer of transformers", ("segformer.encoder.", "decode_head.")),
    Kin("UperNet of transformers", ("backbone.", "decode_head.classifier.")),
    Kin("a network of MMSegmentation", ("backbone.", "decode_head.conv_seg."), ("mmseg.",), MM),
    Kin(
        "a network of Detectron2",
        ("backbone.bottom_up.",),
        ("detectron2.", "fvcore."),
        "Export it to ONNX with tools/deploy/export_model.py of Detectron2.",
    ),
    Kin("a network of torchvision", ("backbone.layer1.", "classifier.")),
    Kin("a network of segmentation_models_pytorch", ("encoder.", "segmentation_head.0.")),
    Kin("a U-Net of MONAI", ("0.conv.", "1.submodule.")),  # without their common "model."
    Kin("a network of nnU-Net", ("encoder.stages.0.", "decoder.seg_layers.")),
    Kin("a network of nnU-Net version 1", ("conv_blocks_context.", "seg_outputs.")),
    Kin("a network of Ultralytics (YOLO)", ("22.", "0.conv."), ("ultralytics.",), TORCH_HUB),
    Kin("YOLO version 5", classes=("models.yolo.",), advice=TORCH_HUB),
    Kin("a learner of fastai", classes=("fastai.", "fastai2."), advice=FASTAI),
    Kin("scikit-learn", classes=("sklearn.", "xgboost.", "lightgbm."), advice=FOREST),
)


def kin_of(names: Iterable[str], classes: Iterable[str] = ()) -> Kin | None:
    """Return the family that the names of tensors, or the classes of objects, belong to.

    Parameters
    ----------
    names : iterable of str
        Of tensors, without what all share.
    classes : iterable of str
        Full names of classes in the file.
    """
    by_class = of_classes(classes)
    if by_class is not None:
        return by_class
    known = tuple(names)
    for kin in KINDS:
        if kin.starts and all(any(n.startswith(start) for n in known) for start in kin.starts):
            return kin
    return None


def of_classes(classes: Iterable[str]) -> Kin | None:
    """Return the family that classes of objects in a file belong to, None if none."""
    held = tuple(classes)
    return next(
        (kin for kin in KINDS if kin.classes and any(n.startswith(kin.classes) for n in held)), None
    )


def names_of(classes: Mapping[str, object] | Iterable[str], most: int = 6) -> str:
    """Return names as a person reads them, a few of them."""
    every = [str(name) for name in classes]
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(every[:most]) + more
