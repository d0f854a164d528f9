"""`Model`: a card and what it can do; `TorchModel`: one whose network is a torch module."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.architecture import ARCHITECTURES, learnt
from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.kind import SENSELESS

if TYPE_CHECKING:
    import torch

T = TypeVar("T")
StateDict: TypeAlias = "Mapping[str, torch.Tensor]"


class Model(Protocol):
    """What every opened model has."""

    @property
    def card(self) -> ModelCard:
        """What it expects and means."""

    @property
    def path(self) -> str:
        """Where it was opened from, empty for one that is not on disk."""

    @property
    def format(self) -> str:
        """Name of the format it was opened by."""

    @property
    def files(self) -> tuple[str, ...]:
        """The files it consists of."""

    @property
    def sha256(self) -> str:
        """Hash of its weights."""

    @property
    def trust(self) -> str:
        """``"data"``, or ``"program"`` where its file holds code, run or not."""

    def with_card(self, card: ModelCard) -> Model:
        """Return the same model under another card."""

    def close(self) -> None:
        """Let go of memory and files; it can be used again afterwards."""


class TorchModel:
    """A model whose network is built when first asked for.

    Parameters
    ----------
    card : ModelCard
    load : callable
        Returns the tensors; called when the network is first needed, and after `close`.
    path : str
        Where it was opened from.
    format : str
        Name of the format it was opened by.
    sha256 : str
        Hash of the weights; empty: computed from the tensors when asked for.
    files : tuple of str
        The files it consists of.
    trust : str
        ``"data"``, or ``"program"``: the file is one, and only its weights were read.
    """

    def __init__(
        self,
        card: ModelCard,
        load: Callable[[], StateDict],
        *,
        path: str = "",
        format: str = "",  # noqa: A002 - the word of the command line
        sha256: str = "",
        files: tuple[str, ...] = (),
        trust: str = "data",
    ) -> None:
        self.card = card
        self.path = path
        self.format = format
        self.files = files
        self.trust = trust
        self._load = load
        self._sha256 = sha256
        self._network: torch.nn.Module | None = None
        self._forms: dict[str, Any] = {}

    @classmethod
    def new(cls, card: ModelCard, *, seed: int = 0) -> TorchModel:
        """Return an untrained model with seeded weights, to be trained."""
        import torch

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = ARCHITECTURES.get(card.architecture).build(card.architecture_settings)
        return cls.from_network(card, network)

    @classmethod
    def from_network(cls, card: ModelCard, network: torch.nn.Module) -> TorchModel:
        """Return the model of a network in memory; its weights are copied now."""
        state = {name: t.detach().cpu().clone() for name, t in network.state_dict().items()}
        return cls(card, lambda: state)

    @property
    def sha256(self) -> str:
        """Hash of its weights: of the file, or of the tensors as a safetensors file."""
        if not self._sha256:
            from napari_defectseg.models.weights import sha256_of_state

            self._sha256 = sha256_of_state(self.state_dict())
        return self._sha256

    def with_card(self, card: ModelCard) -> TorchModel:
        """Return the same network under another card."""
        return TorchModel(
            card,
            self._load,
            path=self.path,
            format=self.format,
            sha256=self._sha256,
            files=self.files,
            trust=self.trust,
        )

    def state_dict(self) -> StateDict:
        """Return the tensors as they are stored."""
        return self._load()

    def network(self) -> torch.nn.Module:
        """Return the network in evaluation mode on the processor, ending at its logits.

        It is built once and kept until `close`; callers must not change it.

        Raises
        ------
        ModelError
            If the tensors do not fit the network that the card names.
        """
        if self._network is None:
            self._network = self._build()
        return self._network

    def _build(self) -> torch.nn.Module:
        state = self.state_dict()
        where = self.path or self.card.name
        # Without numbers first: a card may ask for more of them than there is memory.
        _check_fit(learnt(_empty(self.card, where).state_dict()), learnt(state), where, self.card)
        _check_finite(state, where)
        architecture = ARCHITECTURES.get(self.card.architecture)
        network = architecture.build(self.card.architecture_settings)
        own = network.state_dict()
        # Counters that are missing or misshapen stay as they are; no prediction depends on them.
        fitting = {n: t for n, t in state.items() if n in own and own[n].shape == t.shape}
        network.load_state_dict(fitting, strict=False)
        network = network.float().eval().requires_grad_(False)
        if self.card.batch_norm == "image":
            from napari_defectseg.models.statistics import measure_images

            return measure_images(network)
        return network

    def form(self, name: str, make: Callable[[], T]) -> T:
        """Return another form of the network: made when first asked for, kept until `close`.

        Parameters
        ----------
        name : str
            Of the form: ``"openvino"``.
        make : callable
            Makes it; may take seconds.
        """
        if name not in self._forms:
            self._forms[name] = make()
        made: T = self._forms[name]
        return made

    def has_form(self, name: str) -> bool:
        """Whether a form of the network is made already."""
        return name in self._forms

    def close(self) -> None:
        """Let go of the network; it is built again when asked for."""
        self._network = None
        self._forms = {}


def torch_model(model: Model, what: str = "used as weights") -> TorchModel:
    """Return the model, whose weights can be read and trained.

    Parameters
    ----------
    model : Model
    what : str
        What is to be done with it: ``"trained on"``.

    Raises
    ------
    ModelError
        If its weights cannot be had, or it is several models.
    """
    if not isinstance(model, TorchModel):
        raise ModelError(
            f"{model.card.name} is no single network whose weights can be read "
            f"({model.format or 'of another kind'}), so it cannot be {what}.",
            hint="Choose one network that this program builds; a file of its weights opens so.",
        )
    return model


def design(
    name: str, architecture: str = "unet", settings: Mapping[str, Any] | None = None, **fields: Any
) -> ModelCard:
    """Return the card of a new model; what follows from the network is filled in.

    Parameters
    ----------
    name : str
    architecture : str
        Name in the registry of networks.
    settings : mapping
        What the network is built from (for ``"unet"``: dims, in_channels, widths, norm).
        `out_channels` follows from task and classes.
    **fields
        Any other fields of the card; `classes` is needed.

    Raises
    ------
    ModelError
        If a field or setting is wrong.
    """
    network = ARCHITECTURES.get(architecture)
    stated = dict(settings or {})
    sizes = {"dims": stated.get("dims", 2), "in_channels": stated.get("in_channels", 1)}
    first = ModelCard.of({"name": name, "architecture": architecture, **sizes, **fields})
    stated["out_channels"] = first.out_channels
    known = network.facts(stated)
    return first.replaced(
        source="card",
        architecture_settings=known["settings"],
        parameters=known["parameters"],
        dims=known["dims"],
        in_channels=known["in_channels"],
        grid=known["grid"],
        halo=known["halo"],
    )


def _empty(card: ModelCard, where: str) -> torch.nn.Module:
    """Return the network of a card, its tensors without numbers and memory.

    Raises
    ------
    ModelError
        If no network can be built from the settings of the card.
    """
    import torch

    try:
        with torch.device("meta"):
            return ARCHITECTURES.get(card.architecture).build(card.architecture_settings)
    except ModelError:
        raise
    except SENSELESS as error:
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise ModelError(
            f"The card of {where} has settings from which no network {card.architecture!r} can be "
            f"built: {reason}.",
            hint="Open the weights without the card, or write the card again.",
        ) from error


def _check_fit(expected: StateDict, found: StateDict, where: str, card: ModelCard) -> None:
    lacking = [name for name in expected if name not in found]
    extra = [name for name in found if name not in expected]
    differing = [
        f"{name} is {_shape(found[name])} instead of {_shape(tensor)}"
        for name, tensor in expected.items()
        if name in found and found[name].shape != tensor.shape
    ]
    if not (lacking or extra or differing):
        return
    parts = [f"missing {_few(lacking)}"] if lacking else []
    parts += [f"unknown {_few(extra)}"] if extra else []
    parts += [_few(differing)] if differing else []
    raise ModelError(
        f"The weights of {where} do not fit the network {card.architecture!r} that its card "
        f"names: {'; '.join(parts)}.",
        hint="The card and the weights may come from two different models.",
    )


def _check_finite(state: StateDict, where: str) -> None:
    bad = [name for name, t in state.items() if t.is_floating_point() and not t.isfinite().all()]
    if bad:
        raise ModelError(
            f"The weights of {where} are not numbers in {len(bad)} of {len(state)} tensors: "
            f"{_few(bad)}.",
            hint="The training diverged or the file is damaged; use an earlier checkpoint.",
        )


def _shape(tensor: torch.Tensor) -> str:
    return "×".join(str(n) for n in tensor.shape)


def _few(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
