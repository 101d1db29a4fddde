//! `transputer inspect`: what a component says of itself.

use std::path::PathBuf;

use anstyle::Style;
use clap::{Args, ValueEnum, ValueHint};
use serde_json::json;
use transputer::files;
use transputer::signature::{Arity, Direction, Port, Signature};
use transputer::{ComponentPath, HostOptions, PythonFile};
use wasmparser::{Parser, Payload};

use crate::components::{self, LARGEST};
use crate::exit::{BadInput, Exit};
use crate::line::Line;
use crate::output;
use crate::surroundings::Surroundings;
use crate::terminal::BOLD;

const EXAMPLES: &str = "\
Examples:
  transputer inspect filter.wasm
  transputer inspect filter.wasm --format json | jq .ports";

/// Print a component's signature, imports and size
///
/// It is neither compiled nor run; a Python file is imported, in a sandbox.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Inspect {
    /// The component, or a Python file; one of several processes in it follows after a `:`
    #[arg(value_hint = ValueHint::FilePath)]
    file: PathBuf,

    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Copy, Clone, Debug, Default, ValueEnum)]
enum Format {
    /// For people
    #[default]
    Text,
    /// One JSON object
    Json,
}

/// What a component needs and offers.
#[derive(Debug, Default)]
struct World {
    imports: Vec<String>,
    exports: Vec<String>,
}

impl Inspect {
    pub(crate) fn run(self, surroundings: &Surroundings) -> anyhow::Result<Exit> {
        let name = self.file.display();
        let options = HostOptions::default().python(surroundings.python.clone());
        let refused = |error: &dyn std::fmt::Display| BadInput::new(format!("{name}: {error}"));
        let mut signatures = components::read_signatures_in(&self.file, &options)
            .map_err(|error| refused(&error))?;
        if let Some(process) = ComponentPath::of(&self.file).process {
            let chosen = Signature::choose(signatures, Some(&process));
            signatures = chosen
                .map_err(|error| refused(&error))?
                .into_iter()
                .collect();
        }
        if signatures.is_empty() {
            let text = "it is a component without a signature, so it is not a process; put \
                        `#[transputer_guest::process]` on its function in Rust, or `@process` in \
                        Python";
            return Err(refused(&text).into());
        }
        // A Python file is run by the interpreter.
        let file = match PythonFile::of(&self.file) {
            Some(_) => surroundings.python.interpreter.clone(),
            None => Some(ComponentPath::of(&self.file).file),
        };
        let bytes = files::read(file.as_ref().unwrap_or(&self.file), LARGEST)
            .map_err(|error| BadInput::new(format!("cannot read {name}: {error}")))?;
        let world = world(&bytes).map_err(|error| BadInput::new(format!("{name}: {error}")))?;
        match self.format {
            Format::Text => print_text(&signatures, &world, bytes.len())?,
            Format::Json => output::line(&Line::json(&as_json(&signatures, &world, bytes.len()))?)?,
        }
        Ok(Exit::Success)
    }
}

/// The imports and exports of the outermost component.
fn world(bytes: &[u8]) -> Result<World, wasmparser::BinaryReaderError> {
    let mut world = World::default();
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(imports) if depth == 0 => {
                for import in imports {
                    world.imports.push(import?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(exports) if depth == 0 => {
                for export in exports {
                    world.exports.push(export?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(world)
}

fn print_text(signatures: &[Signature], world: &World, size: usize) -> anyhow::Result<()> {
    let plain = Style::new();
    for signature in signatures {
        output::line(&Line::new().styled(BOLD, &signature.process))?;
        if !signature.doc.is_empty() {
            output::line(&Line::new().text("  ").text(&signature.doc))?;
        }
        let arguments = signature.arguments.iter().map(ToString::to_string);
        section("arguments", arguments, BOLD)?;
        let port = |port: &Port| format!("{}: {}{}", port.name, port.ty, ends(port));
        section("inputs", signature.inputs().map(port), BOLD)?;
        section("outputs", signature.outputs().map(port), BOLD)?;
    }
    section("imports", world.imports.iter().cloned(), plain)?;
    section("exports", world.exports.iter().cloned(), plain)?;
    let size = indicatif::HumanBytes(size as u64);
    output::line(&Line::new().text(format_args!("size: {size}")))
}

/// How many ends a port takes, where that is not one.
fn ends(port: &Port) -> String {
    match port.arity {
        Arity::One => String::new(),
        Arity::Optional => " (may be left out)".to_owned(),
        Arity::List => format!(" (an array of ports: {0}[0], {0}[1] ...)", port.name),
        Arity::Array(count) => format!(" (an array of {count} ports: {}[0] ...)", port.name),
    }
}

fn section(title: &str, lines: impl Iterator<Item = String>, style: Style) -> anyhow::Result<()> {
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() {
        return output::line(&Line::new().styled(style, title).text(": none"));
    }
    output::line(&Line::new().styled(style, title).text(":"))?;
    for line in lines {
        output::line(&Line::new().text("  ").name(line))?;
    }
    Ok(())
}

/// One object, with what the process says of itself, or with `processes` if there are several.
fn as_json(signatures: &[Signature], world: &World, size: usize) -> serde_json::Value {
    let mut object = match signatures {
        [signature] => process_json(signature),
        signatures => {
            json!({ "processes": signatures.iter().map(process_json).collect::<Vec<_>>() })
        }
    };
    object["imports"] = json!(world.imports);
    object["exports"] = json!(world.exports);
    object["size"] = json!(size);
    object
}

fn process_json(signature: &Signature) -> serde_json::Value {
    let arguments: Vec<_> = signature
        .arguments
        .iter()
        .map(|argument| json!({ "name": argument.name, "type": argument.ty.to_string() }))
        .collect();
    let ports: Vec<_> = signature
        .ports
        .iter()
        .map(|port| {
            let direction = match port.direction {
                Direction::Input => "input",
                Direction::Output => "output",
            };
            let ends = match port.arity {
                Arity::One => json!("one"),
                Arity::Optional => json!("optional"),
                Arity::List => json!("list"),
                Arity::Array(count) => json!(count),
            };
            let ty = port.ty.to_string();
            json!({ "name": port.name, "direction": direction, "type": ty, "ends": ends })
        })
        .collect();
    json!({
        "process": signature.process,
        "doc": signature.doc,
        "arguments": arguments,
        "ports": ports,
    })
}
