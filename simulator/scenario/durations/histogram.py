"""How a scenario writes a histogram of durations: as a text file that Prometheus scrapes, or as buckets."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, StringConstraints, model_serializer, model_validator

from simulator.cluster.distributions import Distribution
from simulator.cluster.histogram import Bucket, Halved, Histogram, half
from simulator.protocol import SECOND
from simulator.scenario.durations.form import Bounds, DistributionForm
from simulator.scenario.durations.prometheus import Query, read_histogram
from simulator.scenario.text.errors import FieldErrors, reject, shown
from simulator.scenario.text.fields import Duration, Flag, Integer, Model
from simulator.scenario.text.units import LONGEST, UNITS, format_duration

_MOST_BUCKETS = 1000
_UNITS = {"_nanoseconds": "ns", "_microseconds": "us", "_milliseconds": "ms", "_ms": "ms", "_seconds": "s"}

Count = Annotated[Integer, Field(ge=0, le=1 << 53)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=300)]


class HistogramParameters(Model):
    """A histogram in a text file as Prometheus scrapes it, or the buckets themselves."""

    file: str | None = Field(
        default=None, description="Its path, relative to the scenario's directory. It is not read if buckets are given."
    )
    since: str | None = Field(
        default=None, description="An earlier scrape of the same processes, which is subtracted from the file."
    )
    metric: Word | None = Field(default=None, description="The histogram's name, without `_bucket`.")
    labels: dict[str, str] = Field(
        default_factory=dict, description="Labels that a series must have. All series that have them are added up."
    )
    unit: Literal["ns", "us", "ms", "s"] | None = Field(
        default=None, description="The unit of the file's numbers; null: the one in which the metric's name ends."
    )
    buckets: tuple[tuple[Duration, Count], ...] = Field(
        default=(),
        description="Pairs of an upper bound and the number of durations up to it. Both rise from pair to pair.",
        examples=[[["1ms", 40], ["2ms", 95], ["4ms", 100]]],
    )
    count: Count | None = Field(default=None, description="The number of all durations; null: that of the last bucket.")
    sum: Duration | None = Field(default=None, description="The sum of all durations.")
    beyond: Duration | None = Field(
        default=None,
        description="The longest duration beyond the last bound, from which on those beyond it are equally likely; "
        "null: a histogram with such durations is refused.",
    )
    round_trips: Flag = Field(default=False, description="The durations are round trips. Each is halved.")

    @model_validator(mode="after")
    def _load(self) -> HistogramParameters:
        if self.buckets:
            reject(self._bucket_errors())
        else:
            reject(self._file_errors())
            self._read()
            reject(self._content_errors())
        return self

    def _file_errors(self) -> FieldErrors:
        if self.file is None:
            yield (), "gives neither a file nor buckets"
        elif self.metric is None:
            yield ("metric",), "is missing; give the histogram's name, without _bucket"
        elif self._unit() is None:
            yield ("unit",), "is missing, and the metric's name does not end in a unit; give ns, us, ms or s"

    def _unit(self) -> str | None:
        endings = (unit for ending, unit in _UNITS.items() if self.metric is not None and self.metric.endswith(ending))
        return self.unit or next(endings, None)

    def _read(self) -> None:
        """Takes the buckets from the file. The scenario does not need the file any more."""
        query = Query(str(self.metric), self.labels, str(self._unit()))
        try:
            series = read_histogram(query, str(self.file), self.since)
        except ValueError as error:
            reject([(("file",), str(error))])
        else:
            bounded = sorted((bound, count) for bound, count in series.buckets.items() if bound is not None)
            object.__setattr__(self, "buckets", tuple(bounded))
            object.__setattr__(self, "count", series.buckets[None])
            object.__setattr__(self, "sum", series.sum_ns)

    def _content_errors(self) -> FieldErrors:
        """The errors in what was read from a file. They quote none of its numbers."""
        for path, message in self._bucket_errors():
            if path in ((), ("beyond",)):
                yield path, message
            else:
                yield (
                    ("file",),
                    f"{shown(self.file)} has buckets and a _sum that do not fit together; give a whole scrape",
                )

    def _bucket_errors(self) -> FieldErrors:
        if self.since is not None and self.file is None:
            yield ("since",), "is given without a file"
        if len(self.buckets) > _MOST_BUCKETS:
            yield ("buckets",), f"are more than {_MOST_BUCKETS}; merge some"
            return
        for position, (earlier, later) in enumerate(pairwise(((0, 0), *self.buckets))):
            if not (earlier[0] < later[0] and earlier[1] <= later[1]):
                pair = f"[{format_duration(later[0])}, {later[1]}]"
                before = "the pair before it" if position else "[0s, 0]"
                yield ("buckets", position), f"{pair} does not rise from {before}"
                return
        yield from self._count_errors() if self.buckets else [((), "has no bucket with a bound")]

    def _count_errors(self) -> FieldErrors:
        last, counted = self.buckets[-1]
        total = self._total()
        if total < counted:
            yield ("count",), f"{total} is less than the last bucket's number, {counted}"
        elif total == 0:
            yield (), "holds no durations"
        elif total > counted and self.beyond is None:
            yield (), "holds durations beyond the last bound; give beyond, the longest that they can be"
        elif self.beyond is not None and self.beyond <= last:
            yield (
                ("beyond",),
                f"{format_duration(self.beyond)} is not above the last bound; durations lie between the two",
            )
        else:
            yield from self._sum_errors()

    def _sum_errors(self) -> FieldErrors:
        if self.sum is None:
            yield ("sum",), "is missing; give the sum of all durations"
            return
        least, most = (sum(bucket.number * bucket[end] for bucket in self.filled_buckets()) for end in (0, 1))
        if self.sum > LONGEST:
            yield ("sum",), f"is too long; at most {LONGEST // UNITS['h']}h"
        elif not least <= self.sum <= most:
            within = f"from {_about(least)} to {_about(most)}"
            yield ("sum",), f"{_about(self.sum)} does not fit the buckets, whose durations sum to a value {within}"

    def _total(self) -> int:
        return self.buckets[-1][1] if self.count is None else self.count

    def filled_buckets(self) -> tuple[Bucket, ...]:
        """The buckets that hold durations, with the one beyond the last bound, and each with its own number."""
        ends = [(0, 0), *self.buckets, *([(self.beyond, self._total())] if self.beyond is not None else [])]
        buckets = [Bucket(low, high, upto - below) for (low, below), (high, upto) in pairwise(ends)]
        return tuple(bucket for bucket in buckets if bucket.number)

    @model_serializer(mode="wrap")
    def _write(self, handler: SerializerFunctionWrapHandler) -> Any:
        written = handler(self)
        return {
            name: value for name, value in written.items() if value is not None and value != {} and value is not False
        }


def _about(duration_ns: int) -> str:
    """A duration in seconds, for errors: sums are long, and their last digits help nobody."""
    return f"{duration_ns / SECOND:.6g}s"


class HistogramForm(DistributionForm):
    """Measured durations, of which a histogram holds the number in each bucket and the sum. Durations within a bucket
    are equally likely, except in the lowest bucket: its durations have the mean that gives the histogram its own mean.
    """

    histogram: HistogramParameters

    def _unbounded(self) -> Distribution:
        durations = Histogram(self.histogram.filled_buckets(), self.histogram.sum or 0)
        return Halved(durations) if self.histogram.round_trips else durations

    def _range(self) -> Bounds:
        buckets = self.histogram.filled_buckets()
        least, greatest = buckets[0].low + 1, buckets[-1].high
        return (half(least), half(greatest)) if self.histogram.round_trips else (least, greatest)
