"""What paths and times may be."""

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator

LONGEST_SECONDS = 3_600
"""What takes longer is known to fail too late: no brake hears of a request before its time is over."""

SECONDS = [MinValueValidator(0), MaxValueValidator(LONGEST_SECONDS)]

PATH_VALIDATOR = RegexValidator(r"^/[!-~]*$", "Start with `/` and use no spaces, like `/chat`.")
