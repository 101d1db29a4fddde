//! `transputer top`: a network while it runs, in the terminal.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use clap::Args;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};

use crate::exit::{BadInput, Exit};
use crate::watching::client;
use crate::watching::screen::Screen;

const EXAMPLES: &str = "\
Examples:
  transputer top                   the network that runs; Tab for the next one
  transputer top sieve             by its name or the number of its command

Keys: arrows or j and k move, Left and Right choose the column to sort by, r turns the order, c shows the channels
instead of the processes, Tab the next network, space holds the picture still, q ends.";

/// Watch networks that run, in the terminal
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Top {
    /// The name of a network, or the number of its command
    #[arg(value_name = "NETWORK")]
    which: Option<String>,

    /// The time between two looks
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = humantime::parse_duration)]
    every: Duration,
}

impl Top {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        if !std::io::stdout().is_terminal() {
            let text = "`top` needs a terminal; `transputer ps --json` has the same facts";
            return Err(BadInput::new(text).into());
        }
        let mut screen = Screen::new(client::chosen(client::networks()?, self.which.as_deref()));
        let mut terminal = ratatui::try_init()?;
        let watched = self.watch(&mut terminal, &mut screen);
        ratatui::restore();
        watched?;
        Ok(Exit::Success)
    }

    fn watch(
        &self,
        terminal: &mut ratatui::DefaultTerminal,
        screen: &mut Screen,
    ) -> anyhow::Result<()> {
        let mut looked = Instant::now();
        // The second look comes soon: the first has no rates.
        let mut pause = self.every.min(Duration::from_millis(500));
        loop {
            terminal.draw(|frame| screen.draw(frame))?;
            if event::poll(pause.saturating_sub(looked.elapsed()))? {
                match event::read()? {
                    Event::Key(key) if key.kind != KeyEventKind::Release => {
                        let control_c = key.code == KeyCode::Char('c')
                            && key.modifiers.contains(KeyModifiers::CONTROL);
                        if control_c || !screen.press(key.code) {
                            return Ok(());
                        }
                    }
                    _ => {}
                }
            }
            if looked.elapsed() >= pause {
                screen.look(client::chosen(client::networks()?, self.which.as_deref()));
                looked = Instant::now();
                pause = self.every;
            }
        }
    }
}
