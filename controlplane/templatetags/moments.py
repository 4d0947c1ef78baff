"""Moments as pages show them."""

from datetime import UTC, datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def moment(at: datetime) -> SafeString:
    """A moment in UTC, as a `time` element; a page may have hundreds."""
    told = at.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        told.isoformat(),
        f"{told:%Y-%m-%d %H:%M:%S}",
        f"{told.day} {told:%b %Y, %H:%M:%S}",
    )
