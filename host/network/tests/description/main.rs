//! Network files: what is wrong with one, and the plan that it makes if nothing is.

mod diagnostics;
mod mistakes;
mod plans;
mod replicas;

use std::collections::BTreeMap;
use std::path::Path;

use transputer_network::description::Description;
use transputer_network::diagnostics::{Diagnostic, Diagnostics};
use transputer_network::plan::Plan;
use transputer_network::signature::Direction::{Input, Output};
use transputer_network::signature::{Argument, Direction, PayloadType, Port, Signature};
use transputer_network::validation::{ArgumentOverride, check};

fn ty(text: &str) -> PayloadType {
    PayloadType::parse(text).unwrap()
}

fn signature(
    process: &str,
    arguments: &[(&str, &str)],
    ports: &[(&str, Direction, &str)],
) -> (String, Signature) {
    let mut signature = Signature::new(process);
    let arguments = arguments.iter();
    signature.arguments = arguments
        .map(|(name, text)| Argument::new(*name, ty(text)))
        .collect();
    let port = |(name, direction, text): &(&str, _, &str)| Port::new(*name, *direction, ty(text));
    signature.ports = ports.iter().map(port).collect();
    (process.to_owned(), signature)
}

fn signatures() -> BTreeMap<String, Signature> {
    BTreeMap::from([
        signature(
            "generator",
            &[("count", "u64"), ("limit", "option<u16>")],
            &[("numbers", Output, "u64")],
        ),
        signature(
            "filter",
            &[("prime", "u64")],
            &[("candidates", Input, "u64"), ("survivors", Output, "u64")],
        ),
        signature("sink", &[], &[("numbers", Input, "u64")]),
        signature("printer", &[], &[("lines", Input, "string")]),
        signature("idle", &[], &[]),
        signature(
            "copy",
            &[],
            &[("from", Input, "list<u8>"), ("to", Output, "list<u8>")],
        ),
        signature("give", &[], &[("ends", Output, "sender<u64>")]),
    ])
}

fn parse(text: &str) -> Result<Description, Diagnostics> {
    Description::parse(text, "network.toml", Path::new("/networks/sieve"))
}

fn plan(text: &str, overrides: &[&str]) -> Result<Plan, Diagnostics> {
    let overrides: Vec<ArgumentOverride> = overrides.iter().map(|o| o.parse().unwrap()).collect();
    check(&parse(text)?, &signatures(), &overrides)
}

/// `line:column severity: message (hint)`, so that a table of cases stays readable.
fn brief(diagnostic: &Diagnostic) -> String {
    let mut text = match (diagnostic.line(), diagnostic.column()) {
        (Some(line), Some(column)) => format!("{line}:{column}"),
        _ => diagnostic.file.clone(),
    };
    text.push_str(&format!(" {}: {}", diagnostic.severity, diagnostic.message));
    if let Some(hint) = &diagnostic.hint {
        text.push_str(&format!(" ({hint})"));
    }
    text
}

fn assert_diagnostics(text: &str, diagnostics: &Diagnostics, expected: &[&str]) {
    let found: Vec<String> = diagnostics.iter().map(brief).collect();
    assert_eq!(found, expected, "in this file:\n{text}");
}
