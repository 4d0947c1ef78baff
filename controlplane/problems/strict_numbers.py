"""Numbers that are sent are numbers: `true` and `"1"` can be read as one, and were meant as something else."""

from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationInfo, field_validator

NUMBERS = {int, float}
NO_NUMBER = (bool, str)


class StrictNumbers(BaseModel):
    """What takes no text and no truth value where a number is due."""

    @field_validator("*", mode="before")
    @classmethod
    def _numbers_are_numbers(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, NO_NUMBER) and _is_number(cls.model_fields[str(info.field_name)].annotation):
            raise ValueError("input should be a valid number, without quotes")
        return value


def _is_number(annotation: Any) -> bool:
    """Whether it is a number, whatever its limits, or none."""
    return annotation in NUMBERS or (_may_be_limited(annotation) and any(map(_is_number, get_args(annotation))))


def _may_be_limited(annotation: Any) -> bool:
    return get_origin(annotation) in (Annotated, Union, UnionType)
