"""Drawing primitives: colours, tiles and places worked out by hand; markup that parses."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from harness.figures import (
    LARGEST_SIDE,
    Series,
    bars,
    category_legend,
    category_rgb,
    filter_grid,
    fitted,
    heatmap_rgb,
    line_plot,
    overlay,
    photograph,
    picture,
    png,
    rgb,
    tiled,
    unit,
)

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


def test_heatmap_goes_from_violet_to_yellow():
    colours = heatmap_rgb(np.array([[0.0, 1.0], [0.5, 2.0]]))
    assert colours.shape == (2, 2, 3)
    assert tuple(colours[0, 0]) == VIOLET
    assert tuple(colours[1, 1]) == YELLOW
    assert tuple(colours[0, 1]) == (33, 145, 140)  # the middle of viridis


def test_heatmap_gets_lighter_all_the_way():
    colours = heatmap_rgb(np.linspace(0, 1, 101)).astype("float64")
    lightness = colours @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(lightness) > 0).all()


def test_heatmap_of_equal_positive_values_is_yellow_and_of_zeros_violet():
    assert tuple(heatmap_rgb(np.full((2, 2), 3.0))[0, 0]) == YELLOW
    assert tuple(heatmap_rgb(np.zeros((2, 2)))[0, 0]) == VIOLET


def test_negative_values_are_drawn_from_the_lowest():
    colours = heatmap_rgb(np.array([-1.0, 0.0, 1.0]))
    assert tuple(colours[0]) == VIOLET
    assert tuple(colours[1]) == (33, 145, 140)


def test_category_colours_differ_and_strangers_are_grey():
    colours = category_rgb(np.arange(16))
    assert len({tuple(colour) for colour in colours}) == 16
    assert category_rgb(np.array([-1.0, 16.0, 0.5])).tolist() == [[128] * 3] * 3


def test_grey_and_alpha_images_become_rgb():
    assert rgb(np.full((2, 2, 1), 7, "uint8")).tolist() == [[[7] * 3] * 2] * 2
    assert rgb(np.zeros((2, 2, 4), "uint8")).shape == (2, 2, 3)


def test_small_images_are_enlarged_by_a_whole_factor():
    image = np.arange(4, dtype="uint8").reshape(2, 2, 1).repeat(3, axis=2)
    large = fitted(image, 7)
    assert large.shape == (6, 6, 3)
    assert np.ptp(large[:3, :3]) == 0
    assert large[::3, ::3].tolist() == image.tolist()


@pytest.mark.parametrize("shape", [(1, 5000, 3), (3000, 2, 3), (1000, 900, 3)])
def test_large_images_are_reduced(shape):
    height, width, _ = fitted(np.zeros(shape, "uint8")).shape
    assert max(height, width) == LARGEST_SIDE
    assert min(height, width) >= 1


def test_overlay_is_grey_where_the_map_is_weak_and_coloured_where_it_is_strong():
    photo = np.zeros((40, 40, 3), "uint8")
    photo[..., 0] = 200
    heatmap = np.zeros((4, 4))
    heatmap[0, 0] = 1.0
    laid = overlay(photo, heatmap).astype(int)
    assert laid.shape == (240, 240, 3)
    red, green, blue = laid[5, 5]
    assert red > 150
    assert green > 150
    assert blue < 80
    assert laid[-5, -5].max() < 90


def test_overlay_takes_maps_of_any_shape_and_grey_photographs():
    photo = np.zeros((28, 28, 1), "uint8")
    for heatmap in (np.ones((28, 28)), np.zeros((1, 9)), -np.eye(3), np.eye(300)):
        assert overlay(photo, heatmap).shape == (224, 224, 3)


def test_tiles_stand_in_rows_with_lines_between():
    tiles = np.stack([np.full((2, 2, 3), shade, "uint8") for shade in (10, 20, 30)])
    grid = tiled(tiles, side=4)
    # two columns of 2 pixels, with a line of 2 between; the fourth place is transparent
    assert grid.shape == (6, 6, 4)
    assert grid[0, 0].tolist() == [10, 10, 10, 255]
    assert grid[0, 2].tolist() == [160, 160, 160, 255]
    assert grid[0, 4].tolist() == [20, 20, 20, 255]
    assert grid[4, 0].tolist() == [30, 30, 30, 255]
    assert grid[4:, 2:].max() == 0


def test_tiles_that_fill_their_rows_leave_nothing_transparent():
    grid = tiled(np.zeros((4, 3, 3, 3), "uint8"))
    assert grid[..., 3].min() == 255


def test_filter_grid_colours_all_filters_on_one_scale():
    activations = np.stack([np.full((3, 3), 0.0), np.full((3, 3), 4.0)], axis=-1)
    grid = filter_grid(activations, 0.0, 4.0, columns=2)
    assert tuple(grid[0, 0, :3]) == VIOLET
    assert tuple(grid[0, -1, :3]) == YELLOW


@pytest.mark.parametrize(("shades", "channels"), [(3, 3), (200, 3), (2, 4)])
def test_png_keeps_every_pixel(shades, channels):
    image = np.random.default_rng(0).integers(0, shades, (40, 30, channels), "uint8")
    read = decoded(png(image))
    assert np.array_equal(read[..., :channels], image)
    assert channels == 4 or read[..., 3].min() == 255


def test_png_numbers_few_colours():
    map_of_viridis = heatmap_rgb(np.random.default_rng(0).random((100, 100)))
    assert len(png(map_of_viridis)) < 100 * 100 * 1.2


def test_pictures_know_their_size_and_kind():
    drawn = picture(np.zeros((8, 4, 3), "uint8"), "black")
    assert (drawn.width, drawn.height) == (120, 240)
    assert decoded(drawn.data).shape == (240, 120, 4)
    assert drawn.uri.startswith("data:image/png;base64,")
    taken = photograph(np.zeros((300, 150, 3), "uint8"), "black")
    assert (taken.width, taken.height) == (120, 240)
    assert taken.uri.startswith("data:image/jpeg;base64,")


def test_line_plot_has_its_points_in_order_and_in_place():
    svg = line_plot(
        [Series("Yours", [1.0, 2.0, 0.0], [8, 0.5, 2])], title="T", x_label="x", y_label="y"
    )
    root = ET.fromstring(svg)
    points = [
        tuple(map(float, p.split(","))) for p in root.find(".//polyline").get("points").split()
    ]
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    # 2 at 0.5 is at the top, 0 at 2 at the bottom, 1 at 8 half way.
    assert [y for _, y in points] == [34.0, 222.0, 128.0]
    assert {"0.5", "2", "8"} <= set(texts(svg))
    assert "Yours, 0.5: 2; Yours, 2: 0; Yours, 8: 1" in root.find("desc").text


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
    lines = line_plot([Series("a", values, weights)], title="T", x_label="x", y_label="y")
    columns = bars(
        [Series("a", values)], [str(w) for w in weights], title="T", x_label="x", y_label="y"
    )
    for svg in (lines, columns):
        assert "nan" not in svg
        assert ET.fromstring(svg).get("role") == "img"


def test_labels_are_escaped():
    hostile = "<script>\"'&</script>"
    plots = [
        line_plot([Series(hostile, [1.0], [1])], title=hostile, x_label=hostile, y_label=hostile),
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
        assert root.find("title").text == hostile
        assert not list(root.iter("script"))
        assert hostile in texts(svg)


def test_legend_has_eight_in_a_row():
    root = ET.fromstring(category_legend([str(n) for n in range(9)], "Filters"))
    assert [rect.get("y") for rect in root.iter("rect")] == ["3"] * 8 + ["27"]
    assert root.get("viewBox").endswith(" 48")
