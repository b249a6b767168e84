"""What a scene file may say, and the reading of it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, model_validator

from jamline.errors import JobError
from jamline.synth.options import (
    ClutterSpec,
    CrossingSpec,
    FleetSpec,
    InstantsSpec,
    LotSpec,
    PaintSpec,
    Part,
    ShadeSpec,
    Side,
    StripSpec,
    WearSpec,
)
from jamline.toml import read_toml


class Origin(Part):
    """A named place on the road from which claims may count."""

    name: str
    station_m: float


class RoadSpec(Part):
    """The true road and its surface. Right-hand traffic; the right side drives along the line."""

    name: str = "simulated road"
    line: str = ""
    """A vector file with the drawn line, relative to the scene file; empty to make a road up."""
    length_m: float = Field(2000.0, ge=100.0, le=400_000.0)
    """Length of a made-up road."""
    heading_deg: float = 70.0
    """Overall bearing of a made-up road."""
    shape: Literal["straight", "gentle", "winding", "hairpins"] = "gentle"
    oneway: bool = False
    lanes_right: int = Field(1, ge=1, le=5)
    """Lanes that drive along the line; of a one-way road, all of them."""
    lanes_left: int = Field(1, ge=0, le=5)
    lane_width_m: float = Field(3.5, ge=2.5, le=4.5)
    shoulder_m: float = Field(0.6, ge=0.0, le=4.0)
    """Paved width outside the edge line."""
    verge_m: float = Field(1.5, ge=0.0, le=6.0)
    """Gravel outside the pavement."""
    median_m: float = Field(0.0, ge=0.0, le=20.0)
    surface: Literal["asphalt", "concrete", "worn"] = "asphalt"
    brightness: float = Field(1.0, ge=0.3, le=3.0)
    """Factor on the usual reflectance of the surface."""
    markings: float = Field(0.8, ge=0.0, le=1.0)
    """How fresh the paint is; 0 for none."""
    line_m: float = Field(0.16, ge=0.08, le=0.5)
    """Width of its lines."""
    dashes_m: tuple[float, float] | None = None
    """Length and period of the dashes between lanes; the usual ones where not given."""
    kerb: bool = False
    rails: bool = False
    poles: bool = False
    bridges_m: tuple[float, ...] = ()
    """Stations at which another road crosses overhead."""
    origins: tuple[Origin, ...] = ()


class LineSpec(Part):
    """How the drawn line lies to the true road, and what it tells."""

    offset_m: float = Field(2.0, ge=-15.0, le=15.0)
    """Mean metres that the drawn line lies left of the road."""
    drift_m: float = Field(1.0, ge=0.0, le=8.0)
    """Standard deviation of the slow change of that."""
    drift_length_m: float = Field(600.0, ge=50.0)
    vertex_m: float = Field(25.0, ge=2.0)
    """Mean distance of its vertices."""
    jitter_m: float = Field(0.3, ge=0.0, le=2.0)
    """Standard deviation of each vertex across the road."""
    tags: bool = True
    """Whether lanes, width and oneway are written."""


class QueueSpec(Part):
    """Vehicles that stand one behind another on one side."""

    side: Side = "right"
    start_m: float
    end_m: float
    rows: int = Field(1, ge=1, le=5)
    extra_rows: int = Field(0, ge=0, le=3)
    """Rows more over the first ``extra_m`` metres behind the head."""
    extra_m: float = Field(0.0, ge=0.0)
    gap_car_m: float = Field(2.9, ge=0.8, le=15.0)
    """Mean net gap behind a car."""
    gap_truck_m: float = Field(5.5, ge=1.0, le=18.0)
    gap_spread: float = Field(0.45, ge=0.0, le=0.8)
    """Standard deviation of the gaps' logarithm."""
    truck_share: float = Field(0.08, ge=0.0, le=1.0)
    creeping_share: float = Field(0.0, ge=0.0, le=1.0)
    """Share of the length that creeps, with gaps three times as wide, 18 m at most."""
    gaps_per_km: float = Field(0.0, ge=0.0, le=20.0)
    gap_from_m: float = Field(20.0, ge=0.0)
    gap_to_m: float = Field(90.0, ge=0.0)


class FlowSpec(Part):
    """Free traffic on one side."""

    side: Side = "left"
    start_m: float = 0.0
    end_m: float = 1e9
    per_km_lane: float = Field(6.0, ge=0.0, le=18.0)
    min_gap_m: float = Field(24.0, ge=10.0)
    truck_share: float = Field(0.12, ge=0.0, le=1.0)


class ParkedSpec(Part):
    """A row of parked vehicles beside the running lanes."""

    side: Side = "right"
    start_m: float
    end_m: float
    where: Literal["bay", "verge", "kerb"] = "bay"
    """In a paved bay, on the verge, or at the kerb of a street that is as wide as that all along."""
    fill: float = Field(0.8, ge=0.0, le=1.0)
    truck_share: float = Field(0.0, ge=0.0, le=1.0)
    pitch_m: float = Field(0.0, ge=0.0, le=9.0)
    """Length of a bay; 0 where they stand as close as each likes."""
    marked: bool = False
    """Whether the bays are painted."""


class TerrainSpec(Part):
    """The land beside the road."""

    kind: Literal["desert", "steppe", "fields", "grass", "forest", "rock", "town"] = "grass"
    trees: float = Field(0.3, ge=0.0, le=1.0)
    """Share of the land under crowns."""
    tree_line: float = Field(0.0, ge=0.0, le=1.0)
    """Density of a row of trees at the kerb, whose crowns reach over the outer lane."""
    tree_radius_m: float = Field(3.2, ge=1.0, le=8.0)
    buildings_per_km: float = Field(0.0, ge=0.0, le=80.0)
    relief: float = Field(0.2, ge=0.0, le=1.0)
    """How strongly slopes are shaded."""
    season: float = Field(0.6, ge=0.0, le=1.0)
    """0 for dry and brown, 1 for lush and green."""


class LightSpec(Part):
    """Sun, air and what stands between them and the road."""

    sun_elevation_deg: float = Field(48.0, ge=8.0, le=88.0)
    sun_azimuth_deg: float = 150.0
    sky: float = Field(0.16, ge=0.03, le=2.0)
    """Light of the sky as a share of the sun's; above 1 the sun is behind cloud."""
    haze: float = Field(0.02, ge=0.0, le=0.3)
    """Path radiance in units of reflectance."""
    valley_shadow: float = Field(0.0, ge=0.0, le=1.0)
    """Share of the land in the shadow of its mountains."""
    clouds: float = Field(0.0, ge=0.0, le=1.0)
    """Share of the land under cloud."""


class SensorSpec(Part):
    """From radiance to numbers in a file."""

    gsd_m: float = Field(0.5, ge=0.1, le=12.0)
    """Ground resolution; of the file's metadata."""
    pixel_m: float = Field(0.0, ge=0.0)
    """Pixel size of the file; 0 for the same as ``gsd_m``."""
    bands: Literal["rgb", "pan"] = "rgb"
    bits: Literal[8, 11] = 8
    mtf_nyquist: float = Field(0.18, ge=0.02, le=0.6)
    sharpen: float = Field(0.4, ge=0.0, le=2.0)
    """Weight of the vendor's unsharp mask."""
    pansharpened: bool = True
    """Colour seen four times coarser than brightness."""
    snr: float = Field(90.0, ge=8.0)
    """Signal to noise at a reflectance of 0.2."""
    black: float = Field(0.0, ge=-0.05, le=0.1)
    white: float = Field(0.45, ge=0.05, le=2.0)
    """Reflectance under this sun at which a pixel is full."""
    gamma: float = Field(1.8, ge=1.0, le=3.0)
    jpeg_quality: int = Field(0, ge=0, le=100)
    """0 for lossless."""
    view_east: float = Field(0.0, ge=-0.7, le=0.7)
    """Metres east by which the top of something 1 m high leans, seen aslant; rich vehicles show it."""
    view_north: float = Field(0.0, ge=-0.7, le=0.7)
    halo: float = Field(0.0, ge=0.0, le=3.0)
    """Weight of a second, wider unsharp mask that leaves halos."""
    fringe_px: float = Field(0.0, ge=0.0, le=3.0)
    """How far red and blue lie apart from each other."""
    smear_px: float = Field(0.0, ge=0.0, le=4.0)
    """Length of the blur along the flight."""
    cast: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Gain of red, green and blue."""


class ImagerySpec(Part):
    """The files: which part of the road they show, and in which coordinates."""

    start_m: float = -1e9
    """Station at which the imagery begins; before the road for all of it."""
    end_m: float = 1e9
    half_width_m: float = Field(90.0, ge=20.0, le=600.0)
    """What lies farther from the road is nodata."""
    fill_tiles: bool = False
    """Fill the tiles to their corners instead."""
    crs: str = "utm"
    """``utm`` or anything that pyproj reads, such as ``EPSG:3857``."""
    rotation_deg: float = 0.0
    """Turn of the pixel grid against the map's north."""
    south_up: bool = False
    tile_px: int = Field(2048, ge=128, le=8192)
    overlap_px: int = Field(64, ge=0, le=512)
    acquired: str = "2022-09-25T08:03:00Z"


class SceneSpec(Part):
    """A whole scene. Two equal ones give equal files, pixel for pixel."""

    name: str = "scene"
    seed: int = Field(0, ge=0)
    longitude_deg: float = Field(44.63, ge=-180.0, le=180.0)
    """Where a made-up road starts."""
    latitude_deg: float = Field(42.85, ge=-79.0, le=79.0)
    road: RoadSpec = RoadSpec()
    line: LineSpec = LineSpec()
    queues: tuple[QueueSpec, ...] = ()
    flows: tuple[FlowSpec, ...] = ()
    parked: tuple[ParkedSpec, ...] = ()
    lots: tuple[LotSpec, ...] = ()
    strips: tuple[StripSpec, ...] = ()
    crossings: tuple[CrossingSpec, ...] = ()
    fleet: FleetSpec = FleetSpec()
    wear: WearSpec = WearSpec()
    paint: PaintSpec = PaintSpec()
    clutter: ClutterSpec = ClutterSpec()
    shade: ShadeSpec = ShadeSpec()
    terrain: TerrainSpec = TerrainSpec()
    light: LightSpec = LightSpec()
    sensor: SensorSpec = SensorSpec()
    imagery: ImagerySpec = ImagerySpec()
    instants: InstantsSpec = InstantsSpec()

    @model_validator(mode="after")
    def _sides_exist(self) -> SceneSpec:
        known = {"all"} if self.road.oneway else {"right", "left"} if self.road.lanes_left else {"right"}
        parts: list[QueueSpec | FlowSpec | ParkedSpec] = [*self.queues, *self.flows, *self.parked]
        for part in parts:
            beside = isinstance(part, ParkedSpec) and part.side != "all"
            if part.side not in known and not beside:
                raise ValueError(f"side '{part.side}' must be one of {sorted(known)}")
        for queue in self.queues:
            if queue.end_m <= queue.start_m:
                raise ValueError("end_m of a queue must be over its start_m")
        return self


def read_scene(path: str | Path) -> SceneSpec:
    """Read a scene file.

    Parameters
    ----------
    path : str or Path
        TOML; a road's ``line`` in it is relative to the file.

    Returns
    -------
    SceneSpec
        Checked, every default filled in.

    Raises
    ------
    JobError
        If the file is missing, is not TOML, or holds an unknown key or a value out of range.
    """
    data = read_toml(path, thing="scene")
    try:
        spec = SceneSpec.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "scene"
        rule = "be a key that scenes have" if first["type"] == "extra_forbidden" else first["msg"]
        raise JobError(f"Invalid key '{key}' in scene '{path}'. Must {rule[0].lower()}{rule[1:]}.") from error
    if spec.road.line and not Path(spec.road.line).is_absolute():
        line = str((Path(path).parent / spec.road.line).resolve())
        spec = spec.model_copy(update={"road": spec.road.model_copy(update={"line": line})})
    return spec
