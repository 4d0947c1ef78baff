"""What must not be done without saying why."""

from controlplane.problems.errors import FieldProblem, InvalidInput


def stated(reason: str, deed: str) -> str:
    """The reason without the space around it. Raises `InvalidInput` when there is none; `deed` is like `A switch`."""
    text = reason.strip()
    if not text:
        raise InvalidInput(
            "reason-missing",
            f"{deed} needs a reason.",
            next_step="Say why in `reason`; it stays in the audit trail.",
            problems=(FieldProblem("reason", "Say why."),),
        )
    return text
