"""The base of the language's models: a mapping in, everything that is wrong with its keys out."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationInfo, model_validator

from graphbuild.errors import Finding, Span, closest
from graphbuild.source import MAX_FINDINGS, Map, Text
from graphbuild.spec.error import ELSEWHERE, unknown
from graphbuild.spec.kinds import wrong

Fields = dict[Any, Any]


class TooMany(Exception):
    """More of something than any spec has; ends the reading."""

    def __init__(self, what: str, span: Span, hint: str | None = None) -> None:
        super().__init__(what)
        self.finding = Finding("E004", f"more than {what}", span, suggestion=hint)


class Findings(list[Finding]):
    """What has been found, how many models could not be built, and which files nodes name."""

    failed = 0
    nodes = 0

    def __init__(self) -> None:
        super().__init__()
        self.files: list[Text] = []


class _Fields(Fields):
    """The fields of a model, ready for validation."""

    span: Span | None = None


class Model(BaseModel):
    """A mapping of the language; `span` is where it is written."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)
    what: ClassVar[str]  # how findings call its keys
    form: ClassVar[str]  # what is expected where one stands
    keys: ClassVar[tuple[str, ...]] = ()
    _span: Span = PrivateAttr()

    @property
    def span(self) -> Span:
        # What `self._span` reads, but without a failed look-up in front: it is read very often.
        return self.__pydantic_private__["_span"]  # type: ignore[index, no-any-return]

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        cls.keys = tuple(field.alias or name for name, field in cls.model_fields.items())

    @model_validator(mode="wrap")
    @classmethod
    def _read(cls, data: Any, handler: Callable[[Any], Any], info: ValidationInfo) -> Any:
        # pydantic may wrap models that contain each other twice
        findings: Any = info.context
        try:
            fields = data if isinstance(data, _Fields) else _Fields(cls._fields(data, findings))
            fields.span = fields.span or data.span
            self = handler(fields)
        except ValueError:
            findings.failed += 1
            if findings.failed <= MAX_FINDINGS or not cls.is_leaf(data):
                raise
            return _blank(cls)  # pydantic takes quadratic time to collect more
        self._span = fields.span
        return self

    @classmethod
    def is_leaf(cls, data: Any) -> bool:
        """Whether there are no models in it, and may be a great many like it."""
        return False

    @classmethod
    def _fields(cls, data: Any, findings: Findings) -> Fields:
        """The values of the model's fields; what is wrong with the keys is added to `findings`."""
        if not isinstance(data, Map):
            raise wrong(cls.form, data)
        fields: Fields = {key: value for key, value in data.items() if key in cls.keys}
        for key in data:
            if key not in cls.keys and len(findings) < MAX_FINDINGS:
                findings.append(unknown(key, cls.what, cls.keys))
                # read on as if the name were right, for what else there is to find
                near = ELSEWHERE.get(key) or closest(key, cls.keys) or ""
                fields.setdefault(near if near in cls.keys else "", data[key])
        fields.pop("", None)
        return fields


@cache
def _blank(model: type[Model]) -> Model:
    return model.model_construct()
