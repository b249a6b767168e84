"""Parts of a scene file for what makes roads hard to read; without them nothing changes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Side = Literal["left", "right", "all"]


class Part(BaseModel):
    """A part of a scene file: nothing unknown, nothing changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class WearSpec(Part):
    """What years, weather and road works did to the surface."""

    patched: float = Field(0.0, ge=0.0, le=1.0)
    """Share of the length in another mix, edge to edge."""
    resurfaced: float = Field(0.0, ge=0.0, le=1.0)
    """Share of the length on which one lane is newer or older than the others."""
    mixed: bool = False
    """Whether patches may be of concrete on asphalt, or the other way round."""
    seams: float = Field(0.0, ge=0.0, le=1.0)
    """How much of the cracks and joints is sealed with tar."""
    tracks: float = Field(0.0, ge=-1.0, le=1.0)
    """Contrast of the tyre tracks beyond the usual: over 0 brighter, below 0 darker."""
    oil: float = Field(0.0, ge=0.0, le=1.0)
    """Darkness of the streak along the middle of each lane."""
    gloss: float = Field(0.0, ge=0.0, le=1.0)
    """How wet the road is: darker, with the sky in it."""
    edge: Literal["none", "sand", "snow"] = "none"
    """What lies over the edges of the pavement."""
    drift_m: float = Field(0.6, ge=0.0, le=4.0)
    """How far that reaches in from the edge."""


class PaintSpec(Part):
    """Road paint besides the lines."""

    arrows_per_km: float = Field(0.0, ge=0.0, le=60.0)
    stops_per_km: float = Field(0.0, ge=0.0, le=20.0)
    zebras_per_km: float = Field(0.0, ge=0.0, le=20.0)
    hatched_per_km: float = Field(0.0, ge=0.0, le=20.0)
    words_per_km: float = Field(0.0, ge=0.0, le=40.0)
    blocks_per_km: float = Field(0.0, ge=0.0, le=20.0)
    """Stretches of broad dashes, as beside exits, bus lanes and turning lanes."""
    worn: float = Field(0.2, ge=0.0, le=1.0)
    """Share of it that is gone."""


class ClutterSpec(Part):
    """Things on and beside the road that are no vehicles in the truth."""

    people_per_km: float = Field(0.0, ge=0.0, le=400.0)
    cycles_per_km: float = Field(0.0, ge=0.0, le=100.0)
    """Bicycles and motorcycles, ridden and parked."""
    manholes_per_km: float = Field(0.0, ge=0.0, le=200.0)
    puddles_per_km: float = Field(0.0, ge=0.0, le=200.0)
    junk_per_km: float = Field(0.0, ge=0.0, le=400.0)
    """Bins, crates, cabinets, benches, shelters and containers beside the pavement."""
    signs_per_km: float = Field(0.0, ge=0.0, le=100.0)
    gantries_per_km: float = Field(0.0, ge=0.0, le=10.0)
    rail_shadow: bool = False
    """Whether the rails cast a shadow."""


class ShadeSpec(Part):
    """Shadows on the road."""

    dapple: float = Field(0.0, ge=0.0, le=1.0)
    """How much light the trees' crowns let through in flecks."""
    towers_per_km: float = Field(0.0, ge=0.0, le=40.0)
    """High houses close enough to shade the road."""
    soft_m: float = Field(0.06, ge=0.02, le=0.6)
    """Softness of the vehicles' shadows."""
    depth: float = Field(1.0, ge=0.3, le=1.0)
    """Share of the sun that the vehicles' shadows take."""


class FleetSpec(Part):
    """How vehicles look."""

    looks: Literal["plain", "rich"] = "plain"
    """Rich ones have all bodies and equipment, and show a flank where the view is oblique."""
    dull: float = Field(0.0, ge=0.0, le=1.0)
    """How dusty they are."""
    dark: float = Field(0.0, ge=0.0, le=1.0)
    """Share of the cars that are dark, whatever is usual."""


class LotSpec(Part):
    """A car park beside the road, in rows across or aslant."""

    side: Literal["left", "right"] = "right"
    start_m: float
    end_m: float
    near_m: float = Field(8.0, ge=1.0, le=60.0)
    """From the pavement's edge to the first row."""
    rows: int = Field(2, ge=1, le=4)
    angle_deg: float = Field(90.0, ge=40.0, le=90.0)
    """Between the cars and the road."""
    pitch_m: float = Field(2.6, ge=2.2, le=3.6)
    """Width of a bay."""
    fill: float = Field(0.7, ge=0.0, le=1.0)
    paint: float = Field(0.7, ge=0.0, le=1.0)
    """How fresh the bays' lines are; 0 for none."""
    surface: Literal["asphalt", "concrete", "gravel"] = "asphalt"
    stains: float = Field(0.0, ge=0.0, le=1.0)
    """Darkness of what dripped in the bays, beyond the usual."""
    hatched: float = Field(0.0, ge=0.0, le=0.5)
    """Share of the bays that are hatched."""


class StripSpec(Part):
    """A planted strip along the road, with a footpath behind it."""

    side: Literal["left", "right"] = "right"
    start_m: float
    end_m: float
    near_m: float = Field(0.2, ge=0.0, le=12.0)
    """From the pavement's edge to the strip."""
    wide_m: float = Field(1.8, ge=0.5, le=8.0)
    cover: Literal["grass", "bark", "gravel"] = "grass"
    shrubs: float = Field(0.0, ge=0.0, le=1.0)
    """Share of its length under shrubs."""
    hedge_m: float = Field(0.0, ge=0.0, le=3.0)
    """Height of a clipped hedge along it; 0 for none."""
    young_m: float = Field(0.0, ge=0.0, le=60.0)
    """Distance of young trees with thin crowns; 0 for none."""
    path_m: float = Field(0.0, ge=0.0, le=6.0)
    """Width of the footpath."""
    beds_m: float = Field(0.0, ge=0.0, le=60.0)
    """Distance of trees that stand in round beds of bare earth, seen beside their crowns; 0 for none."""


class CrossingSpec(Part):
    """A road that meets this one on the level. Its vehicles are flowing: no queue of this road holds them."""

    station_m: float
    skew_deg: float = Field(0.0, ge=-35.0, le=35.0)
    lanes: int = Field(2, ge=1, le=6)
    lane_width_m: float = Field(3.3, ge=2.5, le=4.5)
    arms: Literal["left", "right", "both"] = "both"
    reach_m: float = Field(70.0, ge=10.0, le=200.0)
    waiting: int = Field(0, ge=0, le=30)
    """Vehicles that wait in each lane towards this road."""
    per_km_lane: float = Field(12.0, ge=0.0, le=80.0)
    """Vehicles farther off."""
    truck_share: float = Field(0.06, ge=0.0, le=1.0)


Speed = Annotated[float, Field(ge=0.0, le=200.0)]
"""In km/h."""


class InstantsSpec(Part):
    """When the bands were taken, and how fast vehicles drive meanwhile; without it all are taken at once."""

    lag_s: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Seconds at which red, green and blue are taken; vehicles are in their true places at 0."""
    queue_kmh: tuple[Speed, Speed] = (0.0, 0.0)
    """Slowest and fastest of the queued vehicles."""
    flow_kmh: tuple[Speed, Speed] = (0.0, 0.0)
    """Slowest and fastest of the flowing ones."""
