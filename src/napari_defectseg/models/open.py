"""Open a model: a path, or the name of one that comes with the program."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from napari_defectseg.core.errors import DefectSegError, ModelError, ModelMissing
from napari_defectseg.models.beside import card_beside
from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.format import FORMATS, Format, Match
from napari_defectseg.models.graphs.code import check_code
from napari_defectseg.models.guess import with_architecture
from napari_defectseg.models.model import Model, TorchModel, torch_model
from napari_defectseg.models.recognise import recognise
from napari_defectseg.models.save import CARD, WEIGHTS
from napari_defectseg.models.settings import with_settings
from napari_defectseg.models.several import members_of
from napari_defectseg.models.sniff import what_is


def open_model(path_or_name: str | Path, *, settings: Mapping[str, str] | None = None) -> Model:
    """Return a model; nothing that a file may contain is run.

    Parameters
    ----------
    path_or_name : str or Path
        A model folder, a weight file, or the name of a shipped model.
    settings : mapping of str to str, optional
        Fields of the card to set, as the command line's ``--set field=value``: those of
        `with_settings`, and ``architecture``, where several networks have exactly its tensors.

    Raises
    ------
    ModelMissing
        If there is nothing at that path and no shipped model of that name.
    HoldsCode
        If a layer of it is code, and `settings` do not say what that does.
    ModelError
        If it is not a model, is damaged, or fits no network; says what was seen.
    """
    path = _find(path_or_name)
    try:
        model = _open(path)
    except DefectSegError:
        raise
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}.") from error
    if settings:
        model = _with_settings(model, settings)
    for one in members_of(model):
        if isinstance(one, TorchModel):
            check_code(one.card.architecture_settings, str(path), one.sha256)
    return model


def _with_settings(model: Model, settings: Mapping[str, str]) -> Model:
    fields = dict(settings)
    if "architecture" in fields:  # the one field that the tensors themselves decide about
        shapes = _shapes(torch_model(model, "given another network"))
        model = model.with_card(with_architecture(model.card, fields.pop("architecture"), shapes))
    return model.with_card(with_settings(model.card, fields))


def with_other_network(model: TorchModel) -> TorchModel:
    """Return the model with the next network that has exactly its tensors.

    Raises
    ------
    ModelError
        If no other has.
    """
    shapes = _shapes(model)
    known = recognise(shapes)
    names = (known.architecture, *known.others) if known else ()
    here = names.index(model.card.architecture) if model.card.architecture in names else -1
    if len(names) < 2:
        raise ModelError(f"No other network has the tensors of {model.card.name}.")
    other = names[(here + 1) % len(names)]
    return model.with_card(with_architecture(model.card, other, shapes))


def _shapes(model: TorchModel) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}


def shipped_models() -> tuple[str, ...]:
    """Return the names of the models that come with the program."""
    folder = _shipped_folder()
    if not folder.is_dir():
        return ()
    return tuple(sorted(item.name for item in folder.iterdir() if (item / "card.json").is_file()))


def lasting_path(model: Model) -> str:
    """Return the name of a shipped model, which is the same on every computer, or the path.

    Empty for a model that was never a file.
    """
    path = Path(model.path)
    if path.name in shipped_models() and path.parent == _shipped_folder():
        return path.name
    return str(path.resolve()) if model.path else ""


def _find(path_or_name: str | Path) -> Path:
    path = Path(path_or_name).expanduser()
    if path.exists():
        return path
    names = shipped_models()
    if str(path_or_name) in names:
        return _shipped_folder() / str(path_or_name)
    known = f"Models that come with the program: {', '.join(names)}." if names else ""
    raise ModelMissing(f"There is no model at {path}.", hint=known)


def _shipped_folder() -> Path:
    return Path(__file__).resolve().parents[1] / "shipped"


def _open(path: Path) -> Model:
    if not path.is_dir() and not path.is_file():  # a pipe or a device would block for ever
        raise ModelError(f"{path} is neither a file nor a folder.")
    matches: list[tuple[str, Match]] = []
    for name, format_ in FORMATS.items():
        match = format_.recognise(path)
        if match.fits:
            return _with_card(format_, path)
        matches.append((name, match))
    seen = what_is(path)
    reasons = "; ".join(f"{name}: {match.reason}" for name, match in matches)
    advice = [match.advice for _, match in matches if match.advice]
    raise ModelError(
        f"{path} is not a model this program knows: {seen.words} ({reasons}).",
        hint=advice[0] if advice else seen.advice,
    )


def _with_card(format_: Format, path: Path) -> Model:
    """Open with the card of the folder that a weight file was picked from, or one beside it.

    A card beside a file that was written for other weights is not used, which is said.
    """
    inside = path.with_name(CARD)
    if path.name == WEIGHTS and inside.is_file():
        return format_.open(path, ModelCard.read(inside))
    beside = None if (path / CARD).is_file() else card_beside(path)
    if beside is None:
        return format_.open(path, None)
    model = format_.open(path, beside.card)
    if not beside.sha256 or beside.sha256 == model.sha256:
        return model
    model = format_.open(path, None)
    note = f"{beside.path.name} beside it was written for other weights and was not used."
    return model.with_card(model.card.model_copy(update={"quirks": (*model.card.quirks, note)}))
