"""Sentences about how a picture looks. Templates, and nothing that was not measured."""

from datetime import datetime

from infra_cdk.local.offline_ai.looking import Look

_LIGHT = {
    "dark": "in deep shade",
    "dim": "in low light",
    "balanced": "in even light",
    "bright": "in bright light",
}
_FORMAT = {
    "panorama": "A wide panorama",
    "landscape": "A landscape-format picture",
    "square": "A square picture",
    "portrait": "A portrait-format picture",
}


def tell(look: Look, taken_at: datetime | None) -> dict[str, object]:
    """Return caption, alt_text, hashtags and description of a look; the date only where one was given."""
    colours = _listed(look.colours)
    date = f"{taken_at:%B} {taken_at.year}" if taken_at else ""
    caption = f"{colours.capitalize()} {_LIGHT[look.light]}."
    if look.contrast == "strong":
        caption += " Strong contrasts."
    if date:
        caption += f" {date}."
    alt_text = f"{_FORMAT[look.format]}, mostly {colours}, {_LIGHT[look.light]}."
    half = f" The {look.lighter_half} half is the lighter one." if look.lighter_half else ""
    taken = f" It was taken in {date}." if date else ""
    description = (
        f"{alt_text} The contrast is {look.contrast}.{half}{taken}"
        " This is a basic offline description of colours and light; what is to be seen was not recognised."
    )
    return {
        "caption": caption,
        "alt_text": alt_text + half,
        "hashtags": [*dict.fromkeys(colour.replace(" ", "") for colour in look.colours), look.format, "photo"],
        "description": description,
    }


def _listed(names: tuple[str, ...]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
