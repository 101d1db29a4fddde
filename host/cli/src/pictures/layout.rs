//! Where the parts of a picture lie: in layers from left to right, as `layout-rs` places them.
//!
//! The library never sees a text of anybody's: it gets sizes, and numbers for names.

use layout::core::base::Orientation;
use layout::core::format::{ClipHandle, RenderBackend};
use layout::core::geometry::{Point, Position};
use layout::core::style::StyleAttr;
use layout::std_shapes::shapes::{Arrow, Element, ShapeKind};
use layout::topo::layout::VisualGraph;

use serde::Serialize;

/// Where everything lies, from the upper left corner.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Layout {
    pub(crate) width: f64,
    pub(crate) height: f64,
    /// The middle of each box.
    pub(crate) boxes: Vec<(f64, f64)>,
    /// The way of each arrow: where it begins, then for each curve two control points and its end.
    pub(crate) arrows: Vec<Vec<(f64, f64)>>,
}

/// Room around the picture.
const MARGIN: f64 = 20.0;

/// Room between two boxes, along the layers' order and across it.
const GAP: (f64, f64) = (36.0, 18.0);

/// Places boxes of these sizes, and arrows from one to another.
pub(crate) fn place(sizes: &[(f64, f64)], arrows: &[(usize, usize)]) -> Layout {
    if sizes.is_empty() {
        return Layout::default();
    }
    let mut graph = VisualGraph::new(Orientation::LeftToRight);
    let plain = StyleAttr::simple();
    let handles: Vec<_> = (sizes.iter().enumerate())
        .map(|(number, (width, height))| {
            graph.add_node(Element {
                shape: ShapeKind::new_box(""),
                pos: Position::new(
                    Point::zero(),
                    Point::new(*width, *height),
                    Point::zero(),
                    Point::new(GAP.0, GAP.1),
                ),
                look: plain.clone(),
                orientation: Orientation::LeftToRight,
                properties: Some(number.to_string()),
            })
        })
        .collect();
    for (number, (from, to)) in arrows.iter().enumerate() {
        let arrow = Arrow::simple_with_properties("", number.to_string());
        graph.add_edge(arrow, handles[*from], handles[*to]);
    }
    let mut drawn = Drawn {
        layout: Layout {
            boxes: vec![(0.0, 0.0); sizes.len()],
            arrows: vec![Vec::new(); arrows.len()],
            ..Layout::default()
        },
    };
    graph.do_it(false, false, false, &mut drawn);
    drawn.layout.trimmed(sizes)
}

/// Notes what the library draws.
struct Drawn {
    layout: Layout,
}

/// The number of what is drawn, if it is one of ours.
fn number(properties: Option<&String>, most: usize) -> Option<usize> {
    let number: usize = properties?.parse().ok()?;
    (number < most).then_some(number)
}

impl RenderBackend for Drawn {
    fn draw_rect(
        &mut self,
        corner: Point,
        size: Point,
        _: &StyleAttr,
        properties: Option<String>,
        _: Option<ClipHandle>,
    ) {
        if let Some(number) = number(properties.as_ref(), self.layout.boxes.len()) {
            let middle = (corner.x + size.x / 2.0, corner.y + size.y / 2.0);
            self.layout.boxes[number] = middle;
        }
    }

    fn draw_line(&mut self, _: Point, _: Point, _: &StyleAttr, _: Option<String>) {}

    fn draw_circle(&mut self, _: Point, _: Point, _: &StyleAttr, _: Option<String>) {}

    fn draw_text(&mut self, _: Point, _: &str, _: &StyleAttr) {}

    fn draw_arrow(
        &mut self,
        path: &[(Point, Point)],
        _: bool,
        head: (bool, bool),
        _: &StyleAttr,
        properties: Option<String>,
        _: &str,
    ) {
        let Some(number) = number(properties.as_ref(), self.layout.arrows.len()) else {
            return;
        };
        let mut points = curves(path);
        // To place it in layers, the library turns an arrow that closes a cycle.
        if head == (true, false) {
            points.reverse();
        }
        self.layout.arrows[number] = points;
    }

    fn create_clip(&mut self, _: Point, _: Point, _: usize) -> ClipHandle {
        0
    }
}

/// The library's path as curves: its first point with the control point after it, then each point with
/// the control point before it; the one after it lies on the other side.
fn curves(path: &[(Point, Point)]) -> Vec<(f64, f64)> {
    let at = |point: &Point| (point.x, point.y);
    let Some(((start, first), rest)) = path.split_first() else {
        return Vec::new();
    };
    let mut points = vec![at(start)];
    let mut after = at(first);
    for (control, end) in rest {
        points.extend([after, at(control), at(end)]);
        after = (2.0 * end.x - control.x, 2.0 * end.y - control.y);
    }
    points
}

impl Layout {
    /// The same, with no more room around it than the margin.
    fn trimmed(mut self, sizes: &[(f64, f64)]) -> Self {
        let corners = (self.boxes.iter().zip(sizes)).flat_map(|((x, y), (width, height))| {
            [
                (x - width / 2.0, y - height / 2.0),
                (x + width / 2.0, y + height / 2.0),
            ]
        });
        let points: Vec<_> = corners
            .chain(self.arrows.iter().flatten().copied())
            .collect();
        let least = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).fold(f64::MAX, f64::min);
        let most = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).fold(f64::MIN, f64::max);
        let (left, top) = (least(|p| p.0) - MARGIN, least(|p| p.1) - MARGIN);
        self.width = most(|p| p.0) + MARGIN - left;
        self.height = most(|p| p.1) + MARGIN - top;
        let moved = self
            .boxes
            .iter_mut()
            .chain(self.arrows.iter_mut().flatten());
        for (x, y) in moved {
            *x = round(*x - left);
            *y = round(*y - top);
        }
        self.width = round(self.width);
        self.height = round(self.height);
        self
    }
}

/// To a tenth of a point, which is as fine as anybody sees.
fn round(length: f64) -> f64 {
    (length * 10.0).round() / 10.0
}
