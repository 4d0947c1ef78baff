"""What keys, paths and times may be."""

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator

KEY_VALIDATOR = RegexValidator(
    r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", "Use lower-case letters, digits and inner hyphens, like `chat-v2`."
)

SECONDS = [MinValueValidator(0), MaxValueValidator(86_400)]

PATH_VALIDATOR = RegexValidator(r"^/[!-~]*$", "Start with `/` and use no spaces, like `/chat`.")
