"""Training curves grow point by point."""

import numpy as np
from qtpy.QtCore import Qt

from napari_defectseg.ui import theme
from napari_defectseg.ui.plots.curve import Curve


def test_lines_grow_and_differ_by_style(qtbot):
    curve = Curve(bottom="minutes", left="score")
    qtbot.addWidget(curve)
    curve.set_theme(theme.colours("light"))
    for minute, (void, loop) in enumerate([(0.2, np.nan), (0.5, 0.1), (0.7, 0.4)]):
        curve.append("void", minute, void)
        curve.append("loop", minute, loop)
    curve.mark_best(2, 0.55)
    assert curve.names == ("void", "loop")
    np.testing.assert_array_equal(curve.points("void")[1], [0.2, 0.5, 0.7])
    assert curve.line_style("void") == Qt.PenStyle.SolidLine
    assert curve.line_style("loop") == Qt.PenStyle.DashLine
    assert "void 0.700, loop 0.400; best 0.550 at 2.00" in curve.accessibleDescription()
    curve.clear_lines()
    assert curve.names == ()
    assert "nothing yet" in curve.accessibleDescription()
