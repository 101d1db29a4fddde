//! What `transputer top` draws.

use ratatui::Frame;
use ratatui::crossterm::event::KeyCode;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Modifier, Style, Stylize as _};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Cell, Paragraph, Row, Table, TableState};

use super::client::Network;
use super::numbers::{bytes, count, lasted, percent};
use super::view::{Channel, Look, Process};
use crate::commands::ps::held_up;
use crate::printable::one_line;

/// The most lines about deadlocks and bottlenecks.
const HELD: usize = 4;

/// One column of a table.
struct Column<T> {
    title: &'static str,
    width: Constraint,
    number: bool,
    text: fn(&T) -> String,
    /// What numbers are sorted by; texts by themselves.
    value: fn(&T) -> f64,
}

const PROCESSES: [Column<Process>; 8] = [
    Column {
        title: "PROCESS",
        width: Constraint::Fill(3),
        number: false,
        text: |one| one_line(&one.name),
        value: |_| 0.0,
    },
    Column {
        title: "CPU",
        width: Constraint::Length(6),
        number: true,
        text: |one| percent(one.cpu_share),
        value: |one| one.cpu_share,
    },
    Column {
        title: "TIME",
        width: Constraint::Length(8),
        number: true,
        text: |one| lasted((one.cpu_seconds * 1e3) as u64),
        value: |one| one.cpu_seconds,
    },
    Column {
        title: "MEMORY",
        width: Constraint::Length(9),
        number: true,
        text: |one| bytes(one.memory),
        value: |one| one.memory as f64,
    },
    Column {
        title: "IN/s",
        width: Constraint::Length(7),
        number: true,
        text: |one| count(one.receive_rate),
        value: |one| one.receive_rate,
    },
    Column {
        title: "OUT/s",
        width: Constraint::Length(7),
        number: true,
        text: |one| count(one.send_rate),
        value: |one| one.send_rate,
    },
    Column {
        title: "RESTARTS",
        width: Constraint::Length(9),
        number: true,
        text: |one| one.restarts.to_string(),
        value: |one| one.restarts as f64,
    },
    Column {
        title: "DOES",
        width: Constraint::Fill(4),
        number: false,
        text: |one| one_line(one.doing()),
        value: |_| 0.0,
    },
];

const CHANNELS: [Column<Channel>; 6] = [
    Column {
        title: "CHANNEL",
        width: Constraint::Fill(3),
        number: false,
        text: |one| one_line(&one.label),
        value: |_| 0.0,
    },
    Column {
        title: "FILL",
        width: Constraint::Length(14),
        number: true,
        text: Channel::fill,
        value: |one| one.waiting as f64 / one.capacity.max(1) as f64,
    },
    Column {
        title: "FULL",
        width: Constraint::Length(6),
        number: true,
        text: |one| percent(one.full),
        value: |one| one.full,
    },
    Column {
        title: "MESSAGES/s",
        width: Constraint::Length(11),
        number: true,
        text: |one| count(one.rate),
        value: |one| one.rate,
    },
    Column {
        title: "SENT",
        width: Constraint::Length(9),
        number: true,
        text: |one| count(one.sent as f64),
        value: |one| one.sent as f64,
    },
    Column {
        title: "DROPPED",
        width: Constraint::Length(8),
        number: true,
        text: |one| count(one.dropped as f64),
        value: |one| one.dropped as f64,
    },
];

/// A table's order and place.
struct Sorted {
    column: usize,
    down: bool,
    state: TableState,
}

impl Sorted {
    fn by(column: usize) -> Self {
        Self {
            column,
            down: true,
            state: TableState::default().with_selected(0),
        }
    }
}

/// What is seen of the networks that run, and of which one.
pub(crate) struct Screen {
    networks: Vec<Network>,
    /// The number of the command that is shown.
    shown: Option<u32>,
    shows_channels: bool,
    is_held: bool,
    processes: Sorted,
    channels: Sorted,
}

impl Screen {
    pub(crate) fn new(networks: Vec<Network>) -> Self {
        let mut screen = Self {
            networks: Vec::new(),
            shown: None,
            shows_channels: false,
            is_held: false,
            processes: Sorted::by(1),
            channels: Sorted::by(2),
        };
        screen.look(networks);
        screen
    }

    /// Takes another look.
    pub(crate) fn look(&mut self, networks: Vec<Network>) {
        if self.is_held {
            return;
        }
        self.networks = networks;
        if self.current().is_none() {
            self.shown = self.networks.first().map(|network| network.pid);
        }
    }

    fn current(&self) -> Option<&Network> {
        let shown = self.shown?;
        self.networks.iter().find(|network| network.pid == shown)
    }

    /// Does what a key means. False if it means the end.
    pub(crate) fn press(&mut self, key: KeyCode) -> bool {
        let columns = match self.shows_channels {
            true => CHANNELS.len(),
            false => PROCESSES.len(),
        };
        let sorted = match self.shows_channels {
            true => &mut self.channels,
            false => &mut self.processes,
        };
        match key {
            KeyCode::Char('q') | KeyCode::Esc => return false,
            KeyCode::Down | KeyCode::Char('j') => sorted.state.select_next(),
            KeyCode::Up | KeyCode::Char('k') => sorted.state.select_previous(),
            KeyCode::PageDown => sorted.state.scroll_down_by(20),
            KeyCode::PageUp => sorted.state.scroll_up_by(20),
            KeyCode::Home => sorted.state.select_first(),
            KeyCode::End => sorted.state.select_last(),
            KeyCode::Right => sorted.column = (sorted.column + 1) % columns,
            KeyCode::Left => sorted.column = (sorted.column + columns - 1) % columns,
            KeyCode::Char('r') => sorted.down = !sorted.down,
            KeyCode::Char('c') => self.shows_channels = !self.shows_channels,
            KeyCode::Char(' ') => self.is_held = !self.is_held,
            KeyCode::Tab => self.next_network(),
            _ => {}
        }
        true
    }

    fn next_network(&mut self) {
        let place = self
            .networks
            .iter()
            .position(|network| Some(network.pid) == self.shown);
        let next = place.map_or(0, |place| (place + 1) % self.networks.len().max(1));
        self.shown = self.networks.get(next).map(|network| network.pid);
    }

    pub(crate) fn draw(&mut self, frame: &mut Frame<'_>) {
        let Some(network) = self.current().cloned() else {
            let text = "No network runs here. This screen fills when one is started; q ends.";
            frame.render_widget(Paragraph::new(text), frame.area());
            return;
        };
        let mut held = held_up(&network);
        held.truncate(HELD);
        let held_lines = u16::try_from(held.len()).unwrap_or(0);
        let areas = Layout::vertical([
            Constraint::Length(2),
            Constraint::Length(held_lines),
            Constraint::Fill(1),
            Constraint::Length(1),
        ]);
        let [top, middle, table, bottom] = areas.areas(frame.area());
        frame.render_widget(self.title(&network), top);
        let held: Vec<Line<'_>> = held.iter().map(|line| held_line(line)).collect();
        frame.render_widget(Paragraph::new(held), middle);
        let look = &network.look;
        if self.shows_channels {
            let rows = sorted(&look.channels, &CHANNELS, &self.channels);
            let full = |channel: &Channel| match channel.full >= 0.5 {
                true => Style::new().fg(Color::Yellow),
                false => Style::new(),
            };
            let widget = table_of(&rows, &CHANNELS, &self.channels, full);
            frame.render_stateful_widget(widget, table, &mut self.channels.state);
        } else {
            let rows = sorted(&look.processes, &PROCESSES, &self.processes);
            let widget = table_of(&rows, &PROCESSES, &self.processes, |process| {
                colour(process, look)
            });
            frame.render_stateful_widget(widget, table, &mut self.processes.state);
        }
        let keys =
            " q end · ←→ sort · r turn · ↑↓ move · c channels · Tab next network · space hold";
        frame.render_widget(Paragraph::new(keys).dim(), bottom);
    }

    fn title(&self, network: &Network) -> Paragraph<'static> {
        let look = &network.look;
        let totals = &look.totals;
        let state = match (&look.stopping, totals.deadlocks, self.is_held) {
            (_, _, true) => "held still".yellow(),
            (Some(_), _, _) => "stopping".yellow(),
            (_, 1.., _) => "deadlock".red().bold(),
            _ => "running".green(),
        };
        let first = Line::from(vec![
            Span::raw(format!(" {} ", one_line(&look.network))).bold(),
            state,
            Span::raw(format!(
                " for {}   command {}{}",
                lasted(look.at),
                network.pid,
                match self.networks.len() {
                    1 => String::new(),
                    several => format!(", one of {several}"),
                }
            )),
        ]);
        let second = format!(
            " {} messages/s   {:.1} of {} cores   {} processes, {} computing   {}   {} restarts   {} failed",
            count(totals.rate),
            totals.cpu_share,
            look.cores,
            totals.living,
            totals.running,
            bytes(totals.memory),
            totals.restarts,
            totals.failed,
        );
        Paragraph::new(vec![first, Line::from(second)])
    }
}

fn held_line(line: &str) -> Line<'static> {
    let colour = match line.starts_with("deadlock") {
        true => Color::Red,
        false => Color::Yellow,
    };
    Line::from(format!(" {}", one_line(line))).fg(colour)
}

fn colour(process: &Process, look: &Look) -> Style {
    let holds = look
        .bottlenecks
        .iter()
        .any(|held| held.readers.contains(&process.id));
    if look.stuck.contains(&process.id) || process.state == "down" {
        Style::new().fg(Color::Red)
    } else if holds {
        Style::new().fg(Color::Yellow)
    } else if process.state == "running" {
        Style::new().fg(Color::Green)
    } else {
        Style::new()
    }
}

fn sorted<'l, T>(all: &'l [T], columns: &[Column<T>], order: &Sorted) -> Vec<&'l T> {
    let column = &columns[order.column];
    let mut rows: Vec<&T> = all.iter().collect();
    rows.sort_by(|one, other| match column.number {
        true => (column.value)(one).total_cmp(&(column.value)(other)),
        // Names from A on are what "down" means to people.
        false => (column.text)(other).cmp(&(column.text)(one)),
    });
    if order.down {
        rows.reverse();
    }
    rows
}

fn table_of<'t, T>(
    rows: &[&T],
    columns: &'t [Column<T>],
    order: &Sorted,
    style: impl Fn(&T) -> Style,
) -> Table<'t> {
    let align = |text: String, number: bool| match number {
        true => Cell::from(ratatui::text::Text::from(text).right_aligned()),
        false => Cell::from(text),
    };
    let header = columns.iter().enumerate().map(|(index, column)| {
        let mark = match (index == order.column, order.down) {
            (true, true) => "↓",
            (true, false) => "↑",
            _ => "",
        };
        align(format!("{}{mark}", column.title), column.number)
    });
    let rows = rows.iter().map(|one| {
        let cells = columns
            .iter()
            .map(|column| align((column.text)(one), column.number));
        Row::new(cells).style(style(one))
    });
    Table::new(rows, columns.iter().map(|column| column.width))
        .header(Row::new(header).style(Style::new().add_modifier(Modifier::REVERSED)))
        .row_highlight_style(Style::new().add_modifier(Modifier::BOLD | Modifier::UNDERLINED))
        .column_spacing(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    fn network() -> Network {
        let process = |id, name: &str, cpu_share, state: &str| Process {
            id,
            name: name.to_owned(),
            cpu_share,
            measured: true,
            state: state.to_owned(),
            memory: 131_072,
            ..Process::default()
        };
        let mut look = Look {
            network: "pipeline".to_owned(),
            window: 10_000,
            processes: vec![
                process(1, "parse", 0.1, "waiting"),
                process(2, "slow\u{1b}[2J", 0.97, "running"),
            ],
            ..Look::default()
        };
        look.bottlenecks.push(super::super::view::Bottleneck {
            channel: 1,
            label: "parse.visits -> slow.visits".to_owned(),
            readers: vec![2],
            reader: "slow".to_owned(),
            full: 0.97,
        });
        Network { pid: 42, look }
    }

    fn drawn(screen: &mut Screen) -> String {
        let mut terminal = Terminal::new(TestBackend::new(110, 10)).expect("a terminal in memory");
        terminal
            .draw(|frame| screen.draw(frame))
            .expect("it is drawn");
        terminal.backend().to_string()
    }

    #[test]
    fn the_busiest_comes_first_and_the_bottleneck_is_told() {
        let mut screen = Screen::new(vec![network()]);
        let text = drawn(&mut screen);
        let (slow, parse) = (
            text.find("slow\\u{1b}[2J").expect("slow"),
            text.rfind("parse ").expect("parse"),
        );
        assert!(slow < parse, "{text}");
        assert!(
            text.contains("slow computes, while parse.visits -> slow.visits was full for 97%"),
            "{text}"
        );
        assert!(!text.contains('\u{1b}'), "{text}");
        assert!(screen.press(KeyCode::Char('r')));
        let text = drawn(&mut screen);
        assert!(
            text.find("slow\\u").expect("slow") > text.rfind("parse ").expect("parse"),
            "{text}"
        );
        assert!(!screen.press(KeyCode::Char('q')));
    }

    #[test]
    fn without_a_network_it_says_so() {
        let mut screen = Screen::new(Vec::new());
        assert!(drawn(&mut screen).contains("No network runs here"));
        assert!(screen.press(KeyCode::Tab));
        screen.look(vec![network()]);
        assert!(drawn(&mut screen).contains("pipeline"));
    }
}
