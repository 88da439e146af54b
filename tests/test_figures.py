"""Drawing primitives: colours, tiles and places worked out by hand; markup that parses."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image
from skimage.color import rgb2lab

from harness.figures import (
    LARGEST_SIDE,
    Plot,
    Region,
    Series,
    bars,
    category_legend,
    category_picture,
    choices_picture,
    difference_picture,
    filter_grid,
    heatmap_picture,
    image_picture,
    jpeg,
    numbers_of,
    outlines,
    overlay,
    plot_svg,
    rgb,
    tiled,
    unit,
)
from harness.figures.pictures import CATEGORIES, DIVERGING, VIRIDIS

VIOLET, YELLOW = (68, 1, 84), (253, 231, 37)


def decoded(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGBA"))


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter("text")]


def test_unit_scales_and_clips():
    assert unit(np.array([0.0, 1.0, 2.0, 4.0]), 1.0, 3.0).tolist() == [0, 0, 0.5, 1]
    assert unit(np.array([3.0, 5.0]), 2.0, 2.0).tolist() == [0, 0]


def test_unit_does_not_overflow():
    largest = np.finfo("float64").max
    assert unit(np.array([-largest, 0.0, largest]), -largest, largest).tolist() == [0, 0.5, 1]


def colours_of(picture) -> np.ndarray:
    return decoded(picture.data)[..., :3]


def test_heatmap_goes_from_violet_to_yellow():
    drawn = heatmap_picture(np.array([[0.0, 1.0], [0.5, 2.0]]), "a map")
    colours = colours_of(drawn)
    assert tuple(colours[0, 0]) == VIOLET
    assert tuple(colours[1, 1]) == YELLOW
    # The middle of viridis; a hundred colours have none exactly there.
    assert np.abs(colours[0, 1].astype(int) - (33, 145, 140)).max() <= 3
    assert (drawn.width, drawn.height, drawn.alt) == (240, 240, "a map")


@pytest.mark.parametrize("colours", [DIVERGING[:50], DIVERGING[50:]], ids=["below 0", "above 0"])
def test_differences_have_even_steps_to_either_side(colours):
    """Of CIELAB, by an independent implementation; of seven colours, for rounding is noise."""
    lab = rgb2lab(colours[None] / 255)[0]
    steps = np.linalg.norm(np.diff(lab[::7], axis=0), axis=1)
    assert np.abs(steps / steps.mean() - 1).max() < 0.1


def test_lightness_of_maps_has_even_steps():
    lightness = np.diff(rgb2lab(VIRIDIS[None] / 255)[0, ::11, 0])
    assert np.abs(lightness / lightness.mean() - 1).max() < 0.15


def test_lightness_tells_the_order_without_colours():
    lightness = rgb2lab(VIRIDIS[None] / 255)[0, :, 0]
    assert (np.diff(lightness) > 0).all()
    lightness = rgb2lab(DIVERGING[None] / 255)[0, :, 0]
    assert (np.diff(lightness[:50]) > 0).all()
    assert (np.diff(lightness[50:]) < 0).all()
    assert np.abs(lightness - lightness[::-1]).max() < 1.5


def test_heatmap_of_equal_positive_values_is_yellow_and_of_zeros_violet():
    assert tuple(colours_of(heatmap_picture(np.full((2, 2), 3.0), ""))[0, 0]) == YELLOW
    assert tuple(colours_of(heatmap_picture(np.zeros((2, 2)), ""))[0, 0]) == VIOLET


def test_negative_values_are_drawn_from_the_lowest():
    colours = colours_of(heatmap_picture(np.array([[-1.0, 0.0, 1.0]]), ""))
    assert tuple(colours[0, 0]) == VIOLET
    assert np.abs(colours[0, 1].astype(int) - (33, 145, 140)).max() <= 3


def test_a_difference_is_orange_above_zero_and_blue_below():
    colours = colours_of(difference_picture(np.array([[-2.0, 0.0, 1.0]]), 1.0, "")).astype(int)
    assert colours[0, 0].tolist() == [0x0E, 0x5F, 0xAD]
    assert np.ptp(colours[0, 1]) <= 4
    assert colours[0, 1].min() > 235
    assert colours[0, 2].tolist() == [0xA1, 0x40, 0x09]


def test_category_colours_differ_and_strangers_are_grey():
    assert len({tuple(colour) for colour in CATEGORIES}) == 16
    drawn = decoded(category_picture(np.array([[[3.0, -1.0, 16.0, 0.5]]]), "").data)
    assert drawn[0, 0, :3].tolist() == CATEGORIES[3].tolist()
    assert drawn[0, 1:, :3].tolist() == [[128] * 3] * 3


def test_choices_have_the_colours_given():
    drawn = decoded(
        choices_picture([[[0, 1]], [[1, 1]], [[0, 0]]], [(1, 2, 3), (4, 5, 6)], "").data
    )
    # Two tiles of two pixels in a row, a line between; the fourth place is transparent.
    assert drawn[0].tolist() == [
        *([1, 2, 3, 255], [4, 5, 6, 255], [160, 160, 160, 255], [4, 5, 6, 255], [4, 5, 6, 255]),
    ]
    assert drawn[2, 2:, 3].tolist() == [0, 0, 0]


def test_grey_and_alpha_images_become_rgb():
    assert rgb(np.full((2, 2, 1), 7, "uint8")).tolist() == [[[7] * 3] * 2] * 2
    assert rgb(np.zeros((2, 2, 4), "uint8")).shape == (2, 2, 3)


def test_small_images_keep_their_pixels_and_are_shown_by_a_whole_factor():
    image = np.arange(12, dtype="uint8").reshape(2, 2, 3)
    drawn = image_picture(image, "", side=7)
    assert (drawn.width, drawn.height) == (6, 6)
    assert np.array_equal(colours_of(drawn), image)
    grey = image_picture(image[..., :1], "")
    assert np.array_equal(colours_of(grey), rgb(image[..., :1]))


@pytest.mark.parametrize("shape", [(1, 5000, 3), (3000, 2, 3), (1000, 900, 1)])
def test_large_photographs_are_reduced(shape):
    data, width, height = jpeg(np.zeros(shape, "uint8"))
    assert max(height, width) == LARGEST_SIDE
    assert min(height, width) >= 1
    assert decoded(data).shape[:2] == (height, width)
    assert data.startswith(b"\xff\xd8")


def test_overlay_covers_more_where_the_map_is_strong():
    laid = decoded(overlay(np.array([[0.0, 1.0], [2.0, 0.0]])))
    assert laid[0, 0].tolist() == [*VIOLET, 64]
    assert laid[1, 0].tolist() == [*YELLOW, 191]
    assert 64 < laid[0, 1, 3] < 191


def test_overlay_takes_maps_of_any_shape():
    for heatmap in (np.ones((28, 28)), np.zeros((1, 9)), -np.eye(3), np.eye(300)):
        assert decoded(overlay(heatmap)).shape[:2] == heatmap.shape


def test_tiles_stand_in_rows_with_lines_between():
    tiles = np.stack([np.full((2, 2), number, "uint8") for number in (1, 2, 3)])
    # Two columns of 2 pixels, with a line of 1 between; no tile is left for the fourth place.
    assert tiled(tiles, between=8, left=9).tolist() == [
        [1, 1, 8, 2, 2],
        [1, 1, 8, 2, 2],
        [8, 8, 8, 8, 8],
        [3, 3, 9, 9, 9],
        [3, 3, 9, 9, 9],
    ]


def test_tiles_that_fill_their_rows_leave_no_place():
    assert 9 not in tiled(np.zeros((4, 3, 3), "uint8"), between=8, left=9)


def test_filter_grid_colours_all_filters_on_one_scale():
    activations = np.stack([np.full((3, 3), 0.0), np.full((3, 3), 4.0)], axis=-1)
    grid = colours_of(filter_grid(activations, 0.0, 4.0, "", columns=2))
    assert grid.shape == (3, 7, 3)
    assert tuple(grid[0, 0]) == VIOLET
    assert tuple(grid[0, -1]) == YELLOW


def test_pictures_know_their_kind():
    assert heatmap_picture(np.zeros((8, 4)), "").uri.startswith("data:image/png;base64,")


def test_outlines_go_through_the_middle_between_pixels():
    """One pixel of four: the line closes around it, half way to its neighbours."""
    line = outlines(np.array([[0.0, 0.0], [0.0, 1.0]]), 0.5, "student")
    assert line.owner == "student"
    places = {tuple(map(int, place.split())) for place in line.path.strip("MZ").split("L")}
    # The pixel's centre is at (750, 750); half a pixel is 250; the rim closes it at the border.
    assert places == {(750, 500), (500, 750), (750, 1000), (1000, 750)}


def test_outlines_of_nothing_are_empty():
    assert outlines(np.zeros((4, 4)), 0.5, "student").path == ""


def test_fewer_corners_stay_near_the_line():
    disc = (np.hypot(*np.mgrid[-20:21, -20:21]) < 15).astype(float)
    exact, rough = (outlines(disc, 0.5, "object", tolerance=t).path for t in (0, 10))
    assert len(rough) < len(exact) / 2
    for place in rough.strip("MZ").split("L"):
        x, y = map(float, place.split())
        assert abs(np.hypot(x - 500, y - 500) - 15 / 41 * 1000) < 25


def test_line_plot_has_its_points_in_order_and_in_place():
    svg = plot_svg(Plot((Series("Yours", [1.0, 2.0, 0.0], [8, 0.5, 2]),), "T", "x", "y"))
    root = ET.fromstring(svg)
    points = [
        tuple(map(float, p.split(","))) for p in root.find(".//polyline").get("points").split()
    ]
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    # 2 at 0.5 is at the top, 0 at 2 at the bottom, 1 at 8 half way.
    assert [y for _, y in points] == [34.0, 222.0, 128.0]
    assert {"0.5", "2", "8"} <= set(texts(svg))


def test_numbers_behind_a_plot_have_a_row_per_place():
    lines = [Series("Yours", [1.0, 2.0], [8, 0.5]), Series("Expected", [3.0], [8])]
    table = numbers_of(lines, (), "weight")
    assert table.head == ("weight", "Yours", "Expected")
    assert table.rows == (("0.5", "2", ""), ("8", "1", "3"))
    table = numbers_of([Series("Yours", [1.0, 0.25])], ("a", "b"), "output")
    assert table.rows == (("a", "1"), ("b", "0.25"))


@pytest.mark.parametrize(
    ("region", "threshold", "top", "bottom", "words"),
    [
        # The axis goes from 0 at 222 to 1 at 34.
        (Region("iou"), 0.5, 34.0, 128.0, "passes above 0.5"),
        (Region("rough", below=True), 0.25, 175.0, 222.0, "passes below 0.25"),
        (Region("score", low=0.5, high=1.0), 0.5, 34.0, 81.0, "passes above 0.75"),
    ],
)
def test_a_region_reaches_to_the_threshold(region, threshold, top, bottom, words):
    plot = Plot((Series("a", [1.0], [1]),), "T", "x", "y", region=region)
    root = ET.fromstring(plot_svg(plot, region.limit(threshold)))
    drawn = root.find(".//rect[@class='region']")
    assert float(drawn.get("y")) == pytest.approx(top)
    assert float(drawn.get("y")) + float(drawn.get("height")) == pytest.approx(bottom)
    assert words in texts(plot_svg(plot, region.limit(threshold)))
    assert ET.fromstring(plot_svg(plot)).find(".//rect[@class='region']") is None


@pytest.mark.parametrize(("ends", "anchor"), [((0.1, 0.55), "start"), ((0.55, 0.1), "end")])
def test_a_region_is_named_where_no_point_is_near(ends, anchor):
    line = Series("a", [ends[0], 0.1, 0.1, 0.1, 0.1, ends[1]], [1, 2, 3, 4, 5, 6])
    svg = plot_svg(Plot((line,), "T", "x", "y", region=Region("iou")), 0.5)
    [named] = [one for one in ET.fromstring(svg).iter("text") if one.text == "passes above 0.5"]
    assert named.get("text-anchor") == anchor


def test_counts_of_a_large_cohort_are_written_out():
    series = [Series("a", (12345, 0))]
    svg = bars(series, ["p", "q"], title="T", x_label="x", y_label="y")
    assert {"5000", "10000", "15000"} <= set(texts(svg))
    assert numbers_of(series, ("p", "q"), "x").rows == (("p", "12345"), ("q", "0"))


def test_bars_stand_on_zero():
    svg = bars([Series("a", [2.0, -2.0])], ["p", "q"], title="T", x_label="x", y_label="y")
    up, down = ET.fromstring(svg).findall(".//rect[@class='bar series-0']")
    assert float(up.get("y")) + float(up.get("height")) == pytest.approx(float(down.get("y")))
    assert float(up.get("height")) == pytest.approx(float(down.get("height")))


@pytest.mark.parametrize(
    ("high", "expected"),
    [
        (10, ["0", "2", "4", "6", "8", "10"]),
        (0.97, ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        (7e6, ["0", "2e+06", "4e+06", "6e+06", "8e+06"]),
    ],
)
def test_axes_have_round_numbers_to_above_the_highest_value(high, expected):
    svg = bars([Series("a", [high])], ["only"], title="T", x_label="x", y_label="y")
    assert texts(svg)[: len(expected)] == expected


@pytest.mark.parametrize("values", [[], [0.0], [0.0, 0.0], [1e-300], [-5.0], [1e300]])
def test_odd_values_still_give_a_plot(values):
    weights = list(range(len(values)))
    lines = plot_svg(Plot((Series("a", values, weights),), "T", "x", "y"))
    columns = bars(
        [Series("a", values)], [str(w) for w in weights], title="T", x_label="x", y_label="y"
    )
    for svg in (lines, columns):
        assert "nan" not in svg
        assert ET.fromstring(svg).get("role") == "img"


def test_labels_are_escaped():
    hostile = "<script>\"'&</script>"
    plots = [
        plot_svg(Plot((Series(hostile, [1.0], [1]),), hostile, hostile, hostile)),
        bars(
            [Series(hostile, [1.0]), Series(hostile, [2.0])],
            [hostile],
            title=hostile,
            x_label=hostile,
            y_label=hostile,
        ),
        category_legend([hostile], hostile),
    ]
    for svg in plots:
        root = ET.fromstring(svg)
        assert root.get("aria-label") == hostile
        assert not list(root.iter("script"))
        assert hostile in texts(svg)


def test_legend_has_eight_in_a_row():
    root = ET.fromstring(category_legend([str(n) for n in range(9)], "Filters"))
    assert [rect.get("y") for rect in root.iter("rect")] == ["3"] * 8 + ["27"]
    assert root.get("viewBox").endswith(" 48")
