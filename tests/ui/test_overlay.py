"""Frames around selected objects: constant width, two colours, no layer."""

import numpy as np

from napari_defectseg.ui import overlay


def test_white_frame_lies_inside_the_black_one():
    lower, upper = np.array([[10.0, 20.0]]), np.array([[30.0, 25.0]])
    vertices, faces, colours = overlay.frame_mesh(lower, upper, pixel=0.5)
    inside = vertices[np.unique(faces[colours[:, 0] == 1])]
    outside = vertices[np.unique(faces[colours[:, 0] == 0])]
    gap = overlay.GAP * 0.5
    np.testing.assert_allclose(inside.min(axis=0), [10 - gap - 1, 20 - gap - 1])
    np.testing.assert_allclose(outside.max(axis=0), [30 + gap + 2, 25 + gap + 2])
    assert faces.shape == (16, 3)


def test_width_on_the_screen_does_not_depend_on_the_zoom():
    lower, upper = np.zeros((1, 2)), np.ones((1, 2))
    widths = []
    for pixel in (0.1, 10.0):
        vertices, _, _ = overlay.frame_mesh(lower, upper, pixel)
        widths.append((vertices.max() - 1) / pixel)
    np.testing.assert_allclose(*widths)


def test_a_box_has_twelve_edges():
    edges = overlay.box_edges(np.zeros((1, 3)), np.ones((1, 3))).reshape(-1, 2, 3)
    assert len(edges) == 12
    assert np.all(np.abs(edges[:, 0] - edges[:, 1]).sum(axis=1) == 1)


def test_frames_are_no_layer_and_go_with_the_viewer(make_napari_viewer):
    viewer = make_napari_viewer()
    viewer.add_image(np.zeros((32, 32)))
    frames = overlay.SelectionFrames(viewer)
    frames.show([(np.array([2.0, 2.0]), np.array([9.0, 9.0]))])
    assert frames.count == 1
    assert len(viewer.layers) == 1
    viewer.dims.ndisplay = 3
    assert frames.count == 0
    frames.close()
