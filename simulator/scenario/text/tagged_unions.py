"""Fields that hold one of several models, which a tag in the data tells apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from simulator.scenario.text.errors import alternatives, reject, shown
from simulator.scenario.text.fields import Model


@dataclass(frozen=True, slots=True, eq=False)
class TaggedUnion:
    """Annotates a field that holds one of several models. A tag in the data says which.

    The tag is checked before pydantic reads the data, so that the path in an error is the path in the file.
    """

    forms: Mapping[str, type[Model]]
    keywords: tuple[str, ...] = ()  # The tags that are written alone, without a value.

    def read(self, data: Any) -> Any:
        """The data in its full form. Raises ValueError or ValidationError if it fits none of the forms."""
        raise NotImplementedError

    def tag(self, data: Any) -> str:
        """The tag in data that `read` returned: the key of its form in `forms`."""
        raise NotImplementedError

    def short_forms(self) -> list[dict[str, Any]]:
        """The JSON Schemas of the values that may stand in place of a form."""
        return []

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        # Pydantic puts the tag into the location of an error. A negative number is the only tag that is never a key.
        numbers = {tag: -number for number, tag in enumerate(self.forms, start=1)}
        forms = {numbers[tag]: handler.generate_schema(form) for tag, form in self.forms.items()}
        return core_schema.no_info_before_validator_function(
            self.read,
            core_schema.tagged_union_schema(forms, discriminator=lambda data: numbers[self.tag(data)]),
            serialization=core_schema.plain_serializer_function_ser_schema(lambda form: form.model_dump()),
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        union: Any = schema["schema"]
        choices = zip(self.forms, union["choices"].values(), strict=True)
        forms = [handler(choice) for tag, choice in choices if tag not in self.keywords]
        return {"anyOf": [*self.short_forms(), *forms]}


@dataclass(frozen=True, slots=True, eq=False)
class KeyTaggedUnion(TaggedUnion):
    """One of the mapping's keys is the tag: `{uniform: [5ms, 15ms]}`, `{at: 2s, crash: leader}`.

    A value that is neither a mapping nor a keyword is the value of the form `bare`, if there is one.
    """

    what: str = ""
    bare: str | None = None
    bare_schema: Mapping[str, Any] | None = None

    def read(self, data: Any) -> Any:
        """The data as a mapping with one tag. Raises ValueError or ValidationError if it has none or several."""
        if isinstance(data, Model):
            return data
        if isinstance(data, dict):
            return self._with_one_form(data)
        if isinstance(data, str) and data in self.keywords:
            return {data: None}
        is_word = isinstance(data, str) and data[:1].isalpha()
        if self.bare is None or is_word or data is None or isinstance(data, list):
            raise ValueError(f"{shown(data)} is not {self.what}; {alternatives(data, tuple(self.forms))}")
        return {self.bare: data}

    def _with_one_form(self, data: dict[str, Any]) -> dict[str, Any]:
        tags = [key for key in data if key in self.forms and key not in self.keywords]
        if len(tags) > 1:
            raise ValueError(f"{' and '.join(tags)} cannot stand together; give one of them")
        if not tags:
            common = frozenset.intersection(*(frozenset(form.model_fields) for form in self.forms.values()))
            unknown = [((key,), self._unknown_key(key)) for key in data if key not in common]
            reject(unknown or [((), f"{shown(data)} is not {self.what}; give one of {', '.join(self.forms)}")])
        return data

    def _unknown_key(self, key: str) -> str:
        return f"is not {self.what}; {alternatives(key, tuple(self.forms))}"

    def tag(self, data: Any) -> str:
        """The key that is a tag."""
        keys = type(data).model_fields if isinstance(data, Model) else data
        return next(key for key in keys if key in self.forms)

    def short_forms(self) -> list[dict[str, Any]]:
        """The JSON Schemas of the keywords, and of a value without a tag."""
        keywords = [{"enum": list(self.keywords)}] if self.keywords else []
        return [*keywords, dict(self.bare_schema)] if self.bare_schema is not None else keywords
