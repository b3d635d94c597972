"""The words of the offline captioner, by language. A phrase inflects nothing, so that any colour fits into it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """All that is said in one language; `leads` by tone, `frames` are as many ways to say the same."""

    colours: Mapping[str, str]
    listed: str
    light: Mapping[str, str]
    formats: Mapping[str, str]
    contrast: Mapping[str, str]
    halves: Mapping[str, str]
    months: tuple[str, ...]
    month: str
    taken: str
    frames: tuple[str, str, str, str]
    leads: Mapping[str, str]
    alt: str
    tags: Mapping[str, str]
    basic: str


_SHADES = ("red", "orange", "yellow", "green", "turquoise", "blue", "purple", "pink", "brown")
_GREYS = ("black", "white", "grey", "light grey")
_LIGHT = ("dark", "dim", "balanced", "bright")
_FORMATS = ("panorama", "landscape", "square", "portrait")
_CONTRAST = ("soft", "moderate", "strong")
_TONES = ("friendly", "playful", "professional", "inspiring")


def _colours(names: str, dark: str, pale: str) -> dict[str, str]:
    """Name every colour that is told of, from the plain ones in their order."""
    given = names.split(", ")
    shades = dict(zip(_SHADES, given, strict=False))
    mixed = {
        f"{english} {shade}": template.format(name)
        for english, template in (("dark", dark), ("pale", pale))
        for shade, name in shades.items()
    }
    return shades | mixed | dict(zip(_GREYS, given[len(_SHADES) :], strict=True))


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _each(keys: tuple[str, ...], *said: str) -> dict[str, str]:
    return dict(zip(keys, said, strict=True))


ENGLISH = Words(
    colours=_colours(
        "red, orange, yellow, green, turquoise, blue, purple, pink, brown, black, white, grey, light grey",
        "dark {}",
        "pale {}",
    ),
    listed=" and ",
    light=_each(_LIGHT, "in deep shade", "in low light", "in even light", "in bright light"),
    formats=_each(
        _FORMATS, "A wide panorama", "A landscape-format picture", "A square picture", "A portrait-format picture"
    ),
    contrast=_each(_CONTRAST, "Soft contrasts.", "Moderate contrasts.", "Strong contrasts."),
    halves=_each(("upper", "lower"), "The upper half is the lighter one.", "The lower half is the lighter one."),
    months=_split("January February March April May June July August September October November December"),
    month="{month} {year}",
    taken="It was taken in {month} {year}.",
    frames=(
        "{colours} {light}.",
        "{light}: {colours}.",
        "mostly {colours}, {light}.",
        "the colours of this picture, {light}: {colours}.",
    ),
    leads=_each(_TONES, "Have a look: ", "Colours out to play: ", "At a glance: ", "Let the colours speak: "),
    alt="{format}, mostly {colours}, {light}.",
    tags=_each((*_FORMATS, "photo"), "panorama", "landscape", "square", "portrait", "photo"),
    basic="This is a basic offline description of colours and light; what is to be seen was not recognised.",
)
GERMAN = Words(
    colours=_colours(
        "Rot, Orange, Gelb, Grün, Türkis, Blau, Violett, Rosa, Braun, Schwarz, Weiß, Grau, Hellgrau",
        "dunkles {}",
        "blasses {}",
    ),
    listed=" und ",
    light=_each(_LIGHT, "in tiefem Schatten", "bei wenig Licht", "in gleichmäßigem Licht", "in hellem Licht"),
    formats=_each(
        _FORMATS, "Ein weites Panorama", "Ein Bild im Querformat", "Ein quadratisches Bild", "Ein Bild im Hochformat"
    ),
    contrast=_each(_CONTRAST, "Weiche Kontraste.", "Mittlere Kontraste.", "Starke Kontraste."),
    halves=_each(("upper", "lower"), "Die obere Hälfte ist die hellere.", "Die untere Hälfte ist die hellere."),
    months=_split("Januar Februar März April Mai Juni Juli August September Oktober November Dezember"),
    month="{month} {year}",
    taken="Aufgenommen im {month} {year}.",
    frames=(
        "{colours} {light}.",
        "{light}: {colours}.",
        "vor allem {colours}, {light}.",
        "die Farben dieses Bildes, {light}: {colours}.",
    ),
    leads=_each(_TONES, "Schaut mal: ", "Farben, die spielen wollen: ", "Auf einen Blick: ", "Lasst Farben sprechen: "),
    alt="{format}, vor allem {colours}, {light}.",
    tags=_each((*_FORMATS, "photo"), "Panorama", "Querformat", "Quadrat", "Hochformat", "Foto"),
    basic="Eine einfache Beschreibung von Farben und Licht, ohne Netz; was zu sehen ist, wurde nicht erkannt.",
)
FRENCH = Words(
    colours=_colours(
        "rouge, orange, jaune, vert, turquoise, bleu, violet, rose, brun, noir, blanc, gris, gris clair",
        "{} foncé",
        "{} pâle",
    ),
    listed=" et ",
    light=_each(
        _LIGHT, "dans une ombre profonde", "sous une faible lumière", "sous une lumière égale", "en pleine lumière"
    ),
    formats=_each(
        _FORMATS, "Un large panorama", "Une image au format paysage", "Une image carrée", "Une image au format portrait"
    ),
    contrast=_each(_CONTRAST, "Contrastes doux.", "Contrastes moyens.", "Contrastes forts."),
    halves=_each(("upper", "lower"), "La moitié du haut est la plus claire.", "La moitié du bas est la plus claire."),
    months=_split("janvier février mars avril mai juin juillet août septembre octobre novembre décembre"),
    month="{month} {year}",
    taken="Prise en {month} {year}.",
    frames=(
        "{colours} {light}.",
        "{light} : {colours}.",
        "surtout {colours}, {light}.",
        "les couleurs de cette image, {light} : {colours}.",
    ),
    leads=_each(
        _TONES, "Regardez : ", "Des couleurs qui s'amusent : ", "En un coup d'œil : ", "Laissons parler les couleurs : "
    ),
    alt="{format}, surtout {colours}, {light}.",
    tags=_each((*_FORMATS, "photo"), "panorama", "paysage", "carré", "portrait", "photo"),
    basic="Une simple description hors ligne des couleurs et de la lumière ; ce que l'on voit n'a pas été reconnu.",
)
SPANISH = Words(
    colours=_colours(
        "rojo, naranja, amarillo, verde, turquesa, azul, morado, rosa, marrón, negro, blanco, gris, gris claro",
        "{} oscuro",
        "{} pálido",
    ),
    listed=" y ",
    light=_each(_LIGHT, "en sombra profunda", "con poca luz", "con luz uniforme", "con mucha luz"),
    formats=_each(
        _FORMATS,
        "Una panorámica amplia",
        "Una imagen en formato horizontal",
        "Una imagen cuadrada",
        "Una imagen en formato vertical",
    ),
    contrast=_each(_CONTRAST, "Contrastes suaves.", "Contrastes moderados.", "Contrastes fuertes."),
    halves=_each(("upper", "lower"), "La mitad superior es la más clara.", "La mitad inferior es la más clara."),
    months=_split("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"),
    month="{month} de {year}",
    taken="Tomada en {month} de {year}.",
    frames=(
        "{colours} {light}.",
        "{light}: {colours}.",
        "sobre todo {colours}, {light}.",
        "los colores de esta imagen, {light}: {colours}.",
    ),
    leads=_each(_TONES, "Mirad: ", "Colores con ganas de jugar: ", "De un vistazo: ", "Que hablen los colores: "),
    alt="{format}, sobre todo {colours}, {light}.",
    tags=_each((*_FORMATS, "photo"), "panorámica", "horizontal", "cuadrada", "vertical", "foto"),
    basic="Una descripción básica, sin red, de colores y luz; lo que se ve no se ha reconocido.",
)
LANGUAGES: Mapping[str, Words] = {"en": ENGLISH, "de": GERMAN, "fr": FRENCH, "es": SPANISH}
