"""How a scenario writes the loss of packets: a probability, or bursts."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_serializer, model_validator

from simulator.cluster.network.loss import GilbertElliott, LossModel
from simulator.scenario.text.errors import reject
from simulator.scenario.text.fields import Model, Number, Probability
from simulator.scenario.text.tagged_unions import KeyTaggedUnion


class LossForm(Model):
    """What loses packets."""

    def value(self) -> float | LossModel:
        """What the cluster draws from."""
        raise NotImplementedError


class ProbabilityForm(LossForm):
    """Each packet is lost with the same probability; a plain probability means this."""

    probability: Probability

    def value(self) -> float | LossModel:
        return self.probability

    @model_serializer
    def _write(self) -> float:
        return self.probability


class Bursts(Model):
    """The share of packets that are lost, and how many in a row on average."""

    rate: Annotated[Number, Field(ge=0, lt=1)] = Field(description="The share of packets that are lost.")
    mean_length: Annotated[Number, Field(ge=1, le=1e9)] = Field(
        description="How many packets in a row a burst loses, on average."
    )

    @model_validator(mode="after")
    def _check(self) -> Bursts:
        most = self.mean_length / (self.mean_length + 1)  # One packet after each burst gets through.
        if self.rate > most:
            reject([(("rate",), f"{self.rate:g} needs longer bursts; of {self.mean_length:g}, at most {most:.4g}")])
        return self

    @property
    def leave(self) -> float:
        """The probability that a burst ends, per packet."""
        return 1 / self.mean_length

    @property
    def enter(self) -> float:
        """The probability that a burst begins, per packet: so that enter / (enter + leave) is the rate."""
        return min(self.rate * self.leave / (1 - self.rate), 1.0)  # Above 1 by rounding only.


class BurstsForm(LossForm):
    """Bursts, in which every packet is lost, and none between them."""

    bursts: Bursts

    def value(self) -> float | LossModel:
        return GilbertElliott(enter=self.bursts.enter, leave=self.bursts.leave)


class GilbertElliottParameters(Model):
    """A link is good or bad, may change with each packet, and loses packets as its state says."""

    enter: Probability = Field(description="The probability of turning bad, per packet.")
    leave: Probability = Field(description="The probability of turning good again, per packet.")
    loss_bad: Probability = Field(default=1.0, description="The probability of loss while it is bad.")
    loss_good: Probability = Field(default=0.0, description="The probability of loss while it is good.")

    @model_validator(mode="after")
    def _check(self) -> GilbertElliottParameters:
        if not self.enter + self.leave:
            reject([((), "has enter and leave 0, so that it never changes; give a plain probability instead")])
        return self


class GilbertElliottForm(LossForm):
    """The model of Gilbert (1960) and Elliott (1963), with all of its parameters."""

    gilbert_elliott: GilbertElliottParameters

    def value(self) -> float | LossModel:
        return GilbertElliott(**{name: float(value) for name, value in self.gilbert_elliott})


LOSSES: dict[str, type[Model]] = {
    "probability": ProbabilityForm,
    "bursts": BurstsForm,
    "gilbert_elliott": GilbertElliottForm,
}
_BARE: dict[str, Any] = {"type": "number", "minimum": 0, "maximum": 1}

AnyLoss = Annotated[LossForm, KeyTaggedUnion(LOSSES, what="a loss", bare="probability", bare_schema=_BARE)]
