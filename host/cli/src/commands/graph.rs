//! `transputer graph`: a network as a picture.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use transputer::description::Description;
use transputer::validation::ArgumentOverride;
use transputer::{CacheFolder, HostOptions};

use super::chosen::cache_folder;
use crate::components::{self, Building};
use crate::exit::Exit;
use crate::output;
use crate::pictures::{self, Language};
use crate::progress::Progress;
use crate::surroundings::Surroundings;

const EXAMPLES: &str = "\
Examples:
  transputer graph examples/sieve                        Mermaid, for Markdown
  transputer graph examples/sieve --as svg > sieve.svg   an image
  transputer graph examples/sieve --as dot | dot -Tpdf   by Graphviz

Types of messages come from the components; those that are not built yet are drawn without. Dotted
arrows are components that a process may spawn, and links; dashed ones are dead letters.";

/// Draw a network: its processes, and the channels between them
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Graph {
    /// A folder with a network.toml, or the file
    #[arg(default_value = ".", value_hint = ValueHint::AnyPath)]
    path: PathBuf,

    /// Give an argument, as `run` does, on which a `count` depends; may be repeated
    #[arg(long = "arg", value_name = "NAME=VALUE")]
    arguments: Vec<ArgumentOverride>,

    /// The language of the picture
    #[arg(long = "as", value_name = "LANGUAGE", value_enum, default_value_t)]
    language: Language,
}

impl Graph {
    pub(crate) fn run(self, surroundings: &Surroundings) -> anyhow::Result<Exit> {
        let description = Description::read(&self.path)?.expanded(&self.arguments)?;
        let progress = Progress::new(true);
        let located = components::locate(&description, Building::Never, progress)?;
        let options = HostOptions::default().python(surroundings.python.clone());
        let files: Vec<_> = cache_folder(&CacheFolder::Default).into_iter().collect();
        let checked = components::check(&description, &located, &self.arguments, &files, &options)?;
        let picture = pictures::picture(&description, &checked.signatures);
        output::text(&picture.in_language(self.language))?;
        Ok(Exit::Success)
    }
}
