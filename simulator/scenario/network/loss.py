"""How a scenario writes the loss of packets: a probability, or bursts."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_serializer, model_validator

from simulator.cluster.network.loss import GilbertElliott, LossModel
from simulator.scenario.text.errors import reject
from simulator.scenario.text.fields import Model, Number, Probability
from simulator.scenario.text.tagged_unions import KeyTaggedUnion


class LossForm(Model):
    """A model of packet loss."""

    def value(self) -> float | LossModel:
        """Converts this form to the probability or the `LossModel` that the cluster draws from."""
        raise NotImplementedError


class ProbabilityForm(LossForm):
    """Each packet is lost with the same probability; a plain probability means this."""

    probability: Probability

    def value(self) -> float | LossModel:
        """The probability itself."""
        return self.probability

    @model_serializer
    def _write(self) -> float:
        return self.probability


class Bursts(Model):
    """The proportion of packets that are lost, and the mean number lost in a row."""

    rate: Annotated[Number, Field(ge=0, lt=1)] = Field(description="The proportion of packets that are lost.")
    mean_length: Annotated[Number, Field(ge=1, le=1e9)] = Field(
        description="The mean number of packets that a burst loses in a row."
    )

    @model_validator(mode="after")
    def _check(self) -> Bursts:
        most = self.mean_length / (self.mean_length + 1)  # At least one packet passes after each burst.
        if self.rate > most:
            reject([(("rate",), f"{self.rate:g} needs longer bursts; of {self.mean_length:g}, at most {most:.4g}")])
        return self

    @property
    def leave(self) -> float:
        """The probability, per packet, that a burst ends."""
        return 1 / self.mean_length

    @property
    def enter(self) -> float:
        """The probability, per packet, that a burst begins. It makes enter / (enter + leave) equal to the rate."""
        # Only rounding can make the probability larger than 1.
        return min(self.rate * self.leave / (1 - self.rate), 1.0)


class BurstsForm(LossForm):
    """Bursts of loss: every packet in a burst is lost, and no packet between bursts."""

    bursts: Bursts

    def value(self) -> float | LossModel:
        """The Gilbert–Elliott model with the same rate and mean length of bursts."""
        return GilbertElliott(enter=self.bursts.enter, leave=self.bursts.leave)


class GilbertElliottParameters(Model):
    """Each link is in a good or a bad state, which may change with each packet. The state determines the loss."""

    enter: Probability = Field(
        description="The probability, per packet, that a link in the good state enters the bad state."
    )
    leave: Probability = Field(description="The probability, per packet, that a link in the bad state leaves it.")
    loss_bad: Probability = Field(default=1.0, description="The probability of loss in the bad state.")
    loss_good: Probability = Field(default=0.0, description="The probability of loss in the good state.")

    @model_validator(mode="after")
    def _check(self) -> GilbertElliottParameters:
        if not self.enter + self.leave:
            reject([((), "has enter and leave 0: the state never changes; give a plain probability instead")])
        return self


class GilbertElliottForm(LossForm):
    """The model of Gilbert (1960) and Elliott (1963), with all of its parameters."""

    gilbert_elliott: GilbertElliottParameters

    def value(self) -> float | LossModel:
        """The model in the form that the cluster uses."""
        return GilbertElliott(**{name: float(value) for name, value in self.gilbert_elliott})


LOSSES: dict[str, type[Model]] = {
    "probability": ProbabilityForm,
    "bursts": BurstsForm,
    "gilbert_elliott": GilbertElliottForm,
}
_BARE: dict[str, Any] = {"type": "number", "minimum": 0, "maximum": 1}

AnyLoss = Annotated[LossForm, KeyTaggedUnion(LOSSES, what="a loss", bare="probability", bare_schema=_BARE)]
