"""Orbits, stations and what they see of each other."""

import gzip
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sgp4.api import WGS72, Satrec
from skybound.instances.errors import InputError
from skybound.instances.orbits import Catalogue, Stations, Walker, elevation_deg, read_stations, windows
from skybound.instances.orbits.link_budget import free_space_gain, rician, thermal_noise_w
from skyfield.api import EarthSatellite, load, wgs84

ISS = """ISS (ZARYA)
1 25544U 98067A   19343.69339541  .00001764  00000-0  38792-4 0  9991
2 25544  51.6439 211.2001 0007417  17.6667  85.6398 15.50103472202482
"""
ISS_FIELDS = {
    "OBJECT_NAME": "ISS (ZARYA)",
    "OBJECT_ID": "1998-067A",
    "EPOCH": "2019-12-09T16:38:29.363424",
    "MEAN_MOTION": "15.50103472",
    "ECCENTRICITY": "0.0007417",
    "INCLINATION": "51.6439",
    "RA_OF_ASC_NODE": "211.2001",
    "ARG_OF_PERICENTER": "17.6667",
    "MEAN_ANOMALY": "85.6398",
    "NORAD_CAT_ID": "25544",
    "BSTAR": "0.38792E-4",
}
PLACES = Stations(["Beijing", "pole", "equator"], np.array([39.9, 89.0, 0.0]), np.array([116.4, 10.0, -60.0]))


@pytest.fixture
def iss(tmp_path) -> Path:
    (tmp_path / "iss.tle").write_text(ISS)
    return tmp_path / "iss.tle"


def test_elevations_are_skyfields(iss):
    """Over a day, within 0.01 degrees."""
    catalogue = Catalogue.read(iss)
    assert catalogue.names == ("ISS (ZARYA)",)
    time_s = np.arange(0, 86_400, 600.0)
    ours = elevation_deg(catalogue.positions_m(time_s), PLACES)[:, 0]
    scale = load.timescale(builtin=True)
    times = scale.from_datetimes([datetime.fromtimestamp(catalogue.start.timestamp() + s, UTC) for s in time_s])
    satellite = EarthSatellite(*ISS.splitlines()[1:], "ISS", scale)
    for j in range(len(PLACES)):
        place = wgs84.latlon(PLACES.latitude_deg[j], PLACES.longitude_deg[j])
        altitude, _, _ = (satellite - place).at(times).altaz()
        assert np.abs(ours[j] - altitude.degrees).max() < 0.01


def test_messages_say_the_same_as_two_lines(iss, tmp_path):
    """An epoch counted from a wrong day would be thousands of kilometres away."""
    csv = tmp_path / "iss.csv"
    csv.write_text(",".join(ISS_FIELDS) + "\n" + ",".join(ISS_FIELDS.values()) + "\n")
    xml = tmp_path / "iss.xml"
    fields = "".join(f"<{key}>{value}</{key}>" for key, value in ISS_FIELDS.items())
    xml.write_text(f"<ndm><omm><body><segment><data>{fields}</data></segment></body></omm></ndm>")
    time_s = np.array([0.0, 5_000.0, 80_000.0])
    start = datetime(2019, 12, 10, tzinfo=UTC)
    known = Catalogue.read(iss, start).positions_m(time_s)
    for path in (csv, xml):
        found = Catalogue.read(path, start)
        assert found.names == ("ISS (ZARYA)",)
        assert np.linalg.norm(found.positions_m(time_s) - known, axis=-1).max() < 10.0


def test_decayed_satellites_are_dropped(iss):
    """One that falls has no position after some weeks."""
    falling = Satrec()
    falling.sgp4init(WGS72, "i", 5, 25_545.69, 0.5, 0.0, 0.0, 0.001, 0.3, 0.9, 1.5, 0.0722, 3.7)
    catalogue = Catalogue.read(iss)
    both = Catalogue([*catalogue.names, "falling"], [*catalogue.elements, falling], catalogue.start)
    later = np.array([0.0, 60 * 86_400.0])
    assert np.isnan(both.positions_m(later)[1]).any()
    assert list(both.usable(later).names) == ["ISS (ZARYA)"]


def test_a_walker_constellation_repeats():
    """Satellites lie evenly on their planes, ahead from plane to plane, at one height and latitude limit."""
    walker = Walker(12, 3, 1, 45.0, 550e3)
    at = walker.positions_m(np.array([0.0, 900.0]))
    assert at.shape == (12, 2, 3)
    assert np.allclose(np.linalg.norm(at, axis=-1), 6_378_137.0 + 550e3)
    assert np.allclose(at[0, 0], [6_378_137.0 + 550e3, 0, 0])
    assert (np.abs(at[..., 2]) <= (6_378_137.0 + 550e3) * np.sin(np.pi / 4) * (1 + 1e-12)).all()
    within = at[:4, 0] @ at[0, 0] / (at[0, 0] @ at[0, 0])
    assert np.allclose(np.degrees(np.arccos(np.clip(within, -1, 1))), [0, 90, 180, 90])
    assert at[4, 0, 2] == pytest.approx((6_378_137.0 + 550e3) * np.sin(np.pi / 4) * np.sin(2 * np.pi / 12))


def test_windows_are_what_elevations_say():
    """Against a look at every moment."""
    walker = Walker(120, 12, 1, 45.0, 550e3)
    found = windows(walker, PLACES, start_s=500.0, slots=7, slot_s=210.0, samples=21, least_elevation_deg=10.0)
    time_s = 500.0 + 10.0 * (np.arange(7 * 21) + 0.5)
    position_m = walker.positions_m(time_s)
    visible = (elevation_deg(position_m, PLACES) >= 10.0).reshape(3, 120, 7, 21)
    far_m = np.linalg.norm(position_m - PLACES.position_m[:, None, None], axis=-1).reshape(visible.shape)
    there = np.argwhere(visible.any(3).transpose(2, 1, 0))
    assert np.array_equal(there, np.stack([found.slot, found.satellite, found.station], 1))
    for (slot, satellite, station), valid_s, distance_m in zip(there, found.valid_s, found.distance_m, strict=True):
        seen = visible[station, satellite, slot]
        assert valid_s == 10.0 * seen.sum()
        assert distance_m == pytest.approx(far_m[station, satellite, slot][seen].mean())


def test_stations_are_read_from_geojson_and_lines(tmp_path):
    (tmp_path / "a.geojson").write_text(
        '{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"name": "Oslo"},'
        '"geometry": {"type": "Point", "coordinates": [10.75, 59.9, 23.0]}}]}'
    )
    (tmp_path / "b.txt").write_text("0,Oslo,59.9,10.75,23\n")
    for name in ("a.geojson", "b.txt"):
        found = read_stations(tmp_path / name)
        assert found.names == ["Oslo"]
        assert (found.latitude_deg[0], found.longitude_deg[0], found.altitude_m[0]) == (59.9, 10.75, 23.0)
        assert np.linalg.norm(found.position_m[0]) == pytest.approx(6_362_000, abs=1_000)


BROKEN = {
    "x.tle": [
        ("", "has no element sets"),
        ("ISS\n", "line 1: must be followed by the lines 1 and 2"),
        (ISS.replace("9991", "9992"), "line 2: must have 69 characters, the last being the check sum"),
        ("\n".join(ISS.splitlines()[:2]), "line 2: must be followed by line 2 of the same satellite"),
    ],
    "x.csv": [("OBJECT_NAME\nISS\n", "message 0: is missing ARG_OF_PERICENTER, BSTAR")],
    "x.xml": [("<ndm>", "is not XML"), ("<!DOCTYPE a><ndm/>", "must not declare a document type")],
}


@pytest.mark.parametrize(("name", "text", "message"), [(n, t, m) for n, cases in BROKEN.items() for t, m in cases])
def test_broken_element_sets_are_named(name, text, message, tmp_path):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=message):
        Catalogue.read(tmp_path / name)
    with pytest.raises(InputError, match="cannot be read"):
        Catalogue.read(tmp_path / "none.tle")
    (tmp_path / name).write_bytes(gzip.compress(b"x"))
    with pytest.raises(InputError, match="is not UTF-8"):
        Catalogue.read(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.txt", "0,Oslo,59.9\n", "line 1: must be id,name,latitude,longitude,altitude"),
        ("x.txt", "0,Oslo,99.9,0,0\n", "line 1: is at latitude 99.9"),
        ("x.txt", "", "has no stations"),
        ("x.geojson", "{}", "must be a GeoJSON FeatureCollection"),
        ("x.geojson", '{"features": [{}]}', r"features\[0\]: must have a geometry"),
        (
            "x.geojson",
            '{"features": [{"properties": {}, "geometry": {"type": "Point", "coordinates": ["a", 1]}}]}',
            r"features\[0\].geometry.coordinates: must be a number",
        ),
    ],
)
def test_broken_stations_are_named(name, text, message, tmp_path):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=message):
        read_stations(tmp_path / name)


def test_the_link_budget():
    """550 km at 20 GHz lose 173.3 dB; k T B of 20 MHz at 290 K is -131 dBW; fading has unit mean."""
    assert 10 * np.log10(free_space_gain(np.array(550e3), 20e9, 0.0)) == pytest.approx(-173.27, abs=0.01)
    assert 10 * np.log10(thermal_noise_w(20e6, 290.0)) == pytest.approx(-130.96, abs=0.01)
    power = rician(6.0, (200_000,), np.random.default_rng(0))
    assert power.mean() == pytest.approx(1.0, abs=0.01)
    assert power.var() == pytest.approx((1 + 2 * 6) / (1 + 6) ** 2, abs=0.01)
