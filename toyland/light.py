"""Times of day and weather: what they do to colours, to the sky and to shadows."""

from dataclasses import dataclass
from enum import StrEnum

from toyland.paint import Colour, Rng, Tint, blend, vary


class Condition(StrEnum):
    """When a picture is taken, or in what weather."""

    DAY = "day"
    CLOUDY = "cloudy"
    SUNSET = "sunset"
    NIGHT = "night"
    RAIN = "rain"
    SNOW = "snow"
    EVENING = "evening"  # by a lamp, indoors


@dataclass(frozen=True)
class Light:
    """One condition seen from one side.

    tint: factors of red, green and blue for the scene; things keep more of their own colours (`thing_tint`)
    sky: colours at the top of the sky and at the horizon
    side: -1..1, where shadows lean to
    shadow: 0..1, how dark they are
    """

    condition: Condition
    tint: Tint
    sky: tuple[Colour, Colour]
    side: float
    shadow: float

    @property
    def thing_tint(self) -> Tint:
        """The tint of things: half way to none, so that a red car is red at night."""
        red, green, blue = ((1 + channel) / 2 for channel in self.tint)
        return red, green, blue


_TINTS: dict[Condition, Tint] = {
    Condition.DAY: (1.0, 1.0, 1.0),
    Condition.CLOUDY: (0.88, 0.91, 0.95),
    Condition.SUNSET: (1.0, 0.82, 0.70),
    Condition.NIGHT: (0.50, 0.56, 0.80),
    Condition.RAIN: (0.76, 0.81, 0.88),
    Condition.SNOW: (0.90, 0.92, 0.97),
    Condition.EVENING: (0.93, 0.80, 0.64),
}
_SKIES: dict[Condition, tuple[Colour, Colour]] = {
    Condition.DAY: ((92, 166, 236), (206, 232, 248)),
    Condition.CLOUDY: ((150, 170, 190), (214, 222, 228)),
    Condition.SUNSET: ((118, 104, 176), (255, 190, 120)),
    Condition.NIGHT: ((22, 30, 72), (66, 82, 136)),
    Condition.RAIN: ((118, 134, 154), (176, 188, 200)),
    Condition.SNOW: ((172, 188, 208), (222, 230, 238)),
    Condition.EVENING: ((40, 48, 96), (226, 150, 110)),
}
_SHADOWS = {Condition.CLOUDY: 0.30, Condition.RAIN: 0.28, Condition.SNOW: 0.25, Condition.NIGHT: 0.45}


def draw_light(shares: dict[Condition, float], rng: Rng) -> Light:
    """The light of a condition drawn by its share."""
    conditions = list(shares)
    condition = conditions[int(rng.choice(len(conditions), p=list(shares.values())))]
    upper, lower = (vary(colour, rng, 8) for colour in _SKIES[condition])
    side = float(rng.uniform(-1, 1))
    return Light(condition, _TINTS[condition], (upper, lower), side, _SHADOWS.get(condition, 0.5))


def moonlit(colour: Colour, light: Light) -> Colour:
    """Sand takes the blue of the night, which a tint alone would turn to grey."""
    return blend(colour, (150, 160, 226), 0.45) if light.condition is Condition.NIGHT else colour
