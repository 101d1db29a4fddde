//! A running network as a picture: who is drawn, and where. What changes from look to look, such as
//! colours and rates, is the page's.
//!
//! Few processes get a box each; many get one for each component. A picture is made anew when the wiring
//! has changed, and shared by all looks until then.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use serde::Serialize;

use super::view::{Channel, Look};
use crate::pictures::layout;

/// Up to so many processes get a box each; with so many more it can be asked for.
const FEW: usize = 40;
const MANY: usize = 200;

/// No picture has more arrows.
const ARROWS: usize = 800;

/// The most characters of a box's name.
const NAME: usize = 24;

/// The pictures that go with a look, as JSON.
#[derive(Clone, Debug, Default)]
pub(super) struct Pictures {
    /// What is shown unless somebody asks for more.
    usual: Option<Arc<str>>,
    /// A box for each process.
    each: Option<Arc<str>>,
}

impl Pictures {
    pub(super) fn json(&self, each: bool) -> Arc<str> {
        let wanted = self.each.as_ref().filter(|_| each).or(self.usual.as_ref());
        wanted
            .cloned()
            .unwrap_or_else(|| Arc::from("{\"revision\":0,\"boxes\":[],\"arrows\":[]}"))
    }
}

/// Makes pictures, where those it has made do not fit any more.
#[derive(Debug, Default)]
pub(super) struct Painter {
    usual: Painted,
    each: Painted,
    revision: u64,
}

#[derive(Debug, Default)]
struct Painted {
    wiring: Wiring,
    json: Option<Arc<str>>,
}

/// Who is drawn, and who is joined with whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Wiring {
    boxes: Vec<Boxed>,
    /// From a box to a box, with the numbers of the channels.
    arrows: BTreeMap<(usize, usize), Vec<u64>>,
    /// Whether there could be a box for each process instead.
    choice: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Boxed {
    outside: bool,
    name: String,
    processes: Vec<u64>,
}

#[derive(Serialize)]
struct Picture<'w> {
    revision: u64,
    width: f64,
    height: f64,
    choice: bool,
    note: &'static str,
    boxes: Vec<PlacedBox<'w>>,
    arrows: Vec<PlacedArrow<'w>>,
}

#[derive(Serialize)]
struct PlacedBox<'w> {
    kind: &'static str,
    name: &'w str,
    detail: &'static str,
    processes: &'w [u64],
    x: f64,
    y: f64,
    w: f64,
    h: f64,
}

#[derive(Serialize)]
struct PlacedArrow<'w> {
    channels: &'w [u64],
    paths: Vec<String>,
    x: f64,
    y: f64,
}

impl Painter {
    /// The pictures that go with this look, with one for each process if somebody wants that.
    pub(super) fn paint(&mut self, look: &Look, each: bool) -> Pictures {
        let few = look.processes.len() <= FEW;
        let can_choose = !few && look.processes.len() <= MANY;
        let wiring = Wiring::of(look, few, can_choose);
        let usual = self.painted(wiring, false);
        let each = (each && can_choose).then(|| {
            let wiring = Wiring::of(look, true, true);
            self.painted(wiring, true)
        });
        Pictures {
            usual: Some(usual),
            each,
        }
    }

    fn painted(&mut self, wiring: Wiring, each: bool) -> Arc<str> {
        let painted = match each {
            true => &mut self.each,
            false => &mut self.usual,
        };
        if let Some(json) = painted.json.as_ref().filter(|_| painted.wiring == wiring) {
            return json.clone();
        }
        self.revision += 1;
        let json: Arc<str> = wiring.painted(self.revision).into();
        painted.wiring = wiring;
        painted.json = Some(json.clone());
        json
    }
}

impl Wiring {
    fn of(look: &Look, each: bool, choice: bool) -> Self {
        let mut wiring = Wiring {
            choice,
            ..Wiring::default()
        };
        let mut boxes: BTreeMap<u64, usize> = BTreeMap::new();
        if each {
            for process in &look.processes {
                boxes.insert(
                    process.id,
                    wiring.add(false, &process.name, vec![process.id]),
                );
            }
        } else {
            wiring.by_component(look, &mut boxes);
        }
        for channel in &look.channels {
            wiring.join(channel, &boxes);
        }
        wiring
    }

    fn add(&mut self, outside: bool, name: &str, processes: Vec<u64>) -> usize {
        let name = match name.char_indices().nth(NAME) {
            Some((end, _)) => format!("{}…", &name[..end]),
            None => name.to_owned(),
        };
        self.boxes.push(Boxed {
            outside,
            name,
            processes,
        });
        self.boxes.len() - 1
    }

    fn by_component(&mut self, look: &Look, boxes: &mut BTreeMap<u64, usize>) {
        let mut components: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, process) in look.processes.iter().enumerate() {
            components
                .entry(&process.component)
                .or_default()
                .push(index);
        }
        for (component, members) in components {
            let numbers: Vec<u64> = members
                .iter()
                .map(|index| look.processes[*index].id)
                .collect();
            let name = match *members.as_slice() {
                [only] => look.processes[only].name.clone(),
                _ => format!("{} × {component}", numbers.len()),
            };
            let number = self.add(false, &name, numbers.clone());
            boxes.extend(numbers.into_iter().map(|id| (id, number)));
        }
    }

    fn join(&mut self, channel: &Channel, boxes: &BTreeMap<u64, usize>) {
        let mut at = |holders: &[Option<u64>], sends: bool| -> BTreeSet<usize> {
            let holders = holders.iter().filter_map(|holder| match holder {
                Some(process) => boxes.get(process).copied(),
                None => Some(self.outside(channel, sends)),
            });
            holders.collect()
        };
        let from = at(&channel.from, true);
        let to = at(&channel.to, false);
        for (from, to) in from
            .iter()
            .flat_map(|from| to.iter().map(move |to| (*from, *to)))
        {
            if self.arrows.len() < ARROWS || self.arrows.contains_key(&(from, to)) {
                self.arrows.entry((from, to)).or_default().push(channel.id);
            }
        }
    }

    /// The box of what is outside the network: standard input, standard output.
    fn outside(&mut self, channel: &Channel, sends: bool) -> usize {
        let name = match sends {
            true if channel.label.starts_with("stdin -> ") => "stdin",
            false if channel.label.ends_with(" -> stdout") => "stdout",
            _ => "the host",
        };
        let known = self
            .boxes
            .iter()
            .position(|boxed| boxed.outside && boxed.name == name);
        known.unwrap_or_else(|| self.add(true, name, Vec::new()))
    }

    fn painted(&self, revision: u64) -> String {
        let without = |note| Picture {
            revision,
            width: 0.0,
            height: 0.0,
            choice: self.choice,
            note,
            boxes: Vec::new(),
            arrows: Vec::new(),
        };
        // A picture is not worth the page, should the layout fail.
        let picture = match self.boxes.len() {
            0 => without("No process lives."),
            1..=MANY => catch_unwind(AssertUnwindSafe(|| self.picture(revision)))
                .unwrap_or_else(|_| without("This network could not be drawn.")),
            _ => without("There are too many components to draw."),
        };
        serde_json::to_string(&picture).unwrap_or_default()
    }

    fn picture(&self, revision: u64) -> Picture<'_> {
        let mut sizes: Vec<_> = self.boxes.iter().map(Boxed::size).collect();
        let mut halves = Vec::new();
        // A label is placed like a box on the arrow's way.
        for (from, to) in self.arrows.keys().filter(|(from, to)| from != to) {
            let label = sizes.len();
            sizes.push((84.0, 20.0));
            halves.extend([(*from, label), (label, *to)]);
        }
        let layout = layout::place(&sizes, &halves);
        let boxes = (self.boxes.iter().zip(&layout.boxes)).map(|(boxed, (x, y))| {
            let (w, h) = boxed.size();
            PlacedBox {
                kind: if boxed.outside { "outside" } else { "process" },
                name: &boxed.name,
                detail: if boxed.outside {
                    "outside the network"
                } else {
                    ""
                },
                processes: &boxed.processes,
                x: *x,
                y: *y,
                w,
                h,
            }
        });
        let mut labels = layout.boxes[self.boxes.len()..].iter();
        let mut ways = layout.arrows.chunks_exact(2);
        let arrows = self.arrows.iter().map(|((from, to), channels)| {
            let (paths, (x, y)) = if from == to {
                around(layout.boxes[*from], self.boxes[*from].size())
            } else {
                let way = ways.next().unwrap_or_default();
                let paths = way.iter().map(|points| curve(points)).collect();
                (paths, labels.next().copied().unwrap_or_default())
            };
            PlacedArrow {
                channels,
                paths,
                x,
                y,
            }
        });
        let arrows = arrows.collect();
        Picture {
            revision,
            // For what is written above boxes.
            width: layout.width,
            height: layout.height,
            choice: self.choice,
            note: "",
            boxes: boxes.collect(),
            arrows,
        }
    }
}

impl Boxed {
    fn size(&self) -> (f64, f64) {
        let characters = u32::try_from(self.name.chars().count()).unwrap_or(u32::MAX);
        let width = f64::from(characters) * 8.4 + 28.0;
        match self.outside {
            true => (width.max(128.0), 44.0),
            false => (width.max(156.0), 44.0),
        }
    }
}

/// The way from a box back to itself, and where its label is.
fn around((x, y): (f64, f64), (_, height): (f64, f64)) -> (Vec<String>, (f64, f64)) {
    let bottom = y + height / 2.0;
    let path = format!(
        "M{:.1} {bottom:.1}C{:.1} {:.1} {:.1} {:.1} {:.1} {bottom:.1}",
        x + 12.0,
        x + 28.0,
        bottom + 20.0,
        x - 28.0,
        bottom + 20.0,
        x - 12.0,
    );
    (vec![path], (x + 48.0, bottom + 10.0))
}

/// A path's description.
pub(super) fn curve(points: &[(f64, f64)]) -> String {
    let mut path = String::new();
    for (index, (x, y)) in points.iter().enumerate() {
        let command = match index {
            0 => "M",
            1 => "C",
            _ => " ",
        };
        // Writing to a String cannot fail.
        let _ = write!(path, "{command}{x} {y}");
    }
    path
}
