"""What paths and times may be."""

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator

SECONDS = [MinValueValidator(0), MaxValueValidator(86_400)]

PATH_VALIDATOR = RegexValidator(r"^/[!-~]*$", "Start with `/` and use no spaces, like `/chat`.")
