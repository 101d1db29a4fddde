//! A network as a picture: boxes for its processes, arrows for its channels.
//!
//! ```text
//! of_network   what a network file says, as a picture
//! layout       where everything lies
//! svg          drawn, for browsers and documents
//! dot          for Graphviz
//! mermaid      for Markdown
//! ```
//!
//! Names come from files and guests. Each form escapes them by its own rules: no text becomes markup.

mod dot;
pub(crate) mod layout;
mod mermaid;
mod of_network;
mod svg;

use std::path::Path;

use clap::ValueEnum;

pub(crate) use of_network::picture;

/// A language for pictures.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// For Markdown: GitHub, GitLab and many others draw it.
    #[default]
    Mermaid,
    /// For Graphviz.
    Dot,
    /// An image, in light and dark, that needs nothing else.
    Svg,
}

/// What is drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Picture {
    /// What it is a picture of.
    pub(crate) title: String,
    pub(crate) boxes: Vec<Box>,
    pub(crate) arrows: Vec<Arrow>,
}

/// A process, or something else that messages come from or go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Box {
    pub(crate) kind: BoxKind,
    pub(crate) name: String,
    /// A line below the name; may be empty.
    pub(crate) detail: String,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum BoxKind {
    Process,
    /// A component that processes may spawn.
    Spawned,
    /// The network's standard input or output.
    Outside,
    /// A channel with several senders and several receivers.
    Channel,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arrow {
    pub(crate) kind: ArrowKind,
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// What is written at it; may be empty.
    pub(crate) label: String,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum ArrowKind {
    Channel,
    /// Messages that were given up.
    DeadLetters,
    /// What a process may spawn.
    Spawns,
    /// If one fails, the other is ended.
    Link,
}

impl Picture {
    /// The picture in a language, with the end of its last line.
    pub(crate) fn in_language(&self, language: Language) -> String {
        match language {
            Language::Mermaid => mermaid::text(self),
            Language::Dot => dot::text(self),
            Language::Svg => svg::text(self),
        }
    }
}

/// What a component is called: its name or, where the network's file gives a path, that of its file.
pub(crate) fn short_name(component: &str) -> &str {
    // One of several processes in a file: `lib.rs:shop`, `app.py:double`.
    if let Some((file, process)) = component.rsplit_once(':')
        && [".rs", ".py"].iter().any(|kind| file.ends_with(kind))
    {
        return process;
    }
    let path = Path::new(component);
    let is_file = path
        .extension()
        .is_some_and(|kind| kind == "wasm" || kind == "py");
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    stem.filter(|_| is_file || component.contains('/'))
        .unwrap_or(component)
}

/// At most so many characters of a text, which ends in an ellipsis if it is cut.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept = text.chars().take(most.saturating_sub(1));
    kept.chain(['…']).collect()
}
