//! One component by itself, as a network: its ports are standard input and output.

use std::fmt::Write as _;
use std::path::Path;

use transputer::description::Description;
use transputer::signature::{Direction, PayloadType, Port, Signature};
use transputer::{ComponentPath, HostOptions};

use crate::components;
use crate::exit::BadInput;

/// Whether a path means a component instead of a network.
pub(crate) fn is_component(path: &Path) -> bool {
    let file = ComponentPath::of(path).file;
    file.extension()
        .is_some_and(|extension| extension == "wasm")
        && file.is_file()
}

/// The network of a component and nothing else.
///
/// # Errors
/// If it has no signature, or several inputs or outputs: then a network file must say which is which.
pub(crate) fn describe(path: &Path, options: &HostOptions) -> anyhow::Result<Description> {
    let named = path.display();
    let signature = components::read_signature(path, options)
        .map_err(|error| BadInput::new(format!("{named}: {error}")))?;
    let Some(signature) = signature else {
        return Err(BadInput::new(format!(
            "{named} has no signature that tells its ports: a network file must name them"
        ))
        .into());
    };
    let component = std::path::absolute(path)?;
    let component = component.to_str().ok_or_else(|| {
        BadInput::new(format!(
            "{named}: a component by itself needs a path that is UTF-8"
        ))
    })?;
    let name = match signature.process.as_str() {
        "" => "process",
        name => name,
    };
    let mut text = format!(
        "[process.{}]\ncomponent = {}\n",
        quoted(name),
        quoted(component)
    );
    for (direction, stream, key) in [
        (Direction::Input, "stdin", "to"),
        (Direction::Output, "stdout", "from"),
    ] {
        if let Some(port) = only(&signature, direction, stream, path)? {
            let first = if port.arity.is_array() { "[0]" } else { "" };
            let reference = quoted(&format!("{name}.{}{first}", port.name));
            // Writing to a String cannot fail.
            let _ = write!(
                text,
                "[{stream}]\n{key} = {reference}\nformat = \"{}\"\n",
                format_of(&port.ty)
            );
        }
    }
    let base = path.parent().unwrap_or(Path::new("."));
    let mut description = Description::parse(&text, &format!("{named}, by itself"), base)?;
    description.name = name.to_owned();
    Ok(description)
}

/// The only port of a direction, if there is any.
fn only<'s>(
    signature: &'s Signature,
    direction: Direction,
    stream: &str,
    path: &Path,
) -> anyhow::Result<Option<&'s Port>> {
    let mut ports = signature
        .ports
        .iter()
        .filter(|port| port.direction == direction);
    let first = ports.next();
    if ports.next().is_none() {
        return Ok(first);
    }
    let all = signature
        .ports
        .iter()
        .filter(|port| port.direction == direction);
    let all: Vec<String> = all
        .map(|port| format!("`{}: {}`", port.name, port.ty))
        .collect();
    let text = format!(
        "{} has several {direction} ports, and any of them could be {stream}: {}; write a network file that \
         says which (`transputer new` makes one)",
        path.display(),
        all.join(", ")
    );
    Err(BadInput::new(text).into())
}

/// How a port's messages are written: texts as lines, bytes as they are, everything else as JSON.
fn format_of(ty: &PayloadType) -> &'static str {
    match ty.as_str() {
        "string" => "lines",
        _ if ty.is_bytes() => "bytes",
        _ => "json",
    }
}

/// A string or a key of TOML.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
