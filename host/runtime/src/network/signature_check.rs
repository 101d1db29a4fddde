//! Whether ports and arguments given at run time fit a signature.
//!
//! What a network file wires is checked before anything runs; this is for processes that
//! are spawned by others.

use std::collections::BTreeSet;

use minicbor::Decoder;
use minicbor::data::Type;

use crate::process::Wiring;
use transputer_network::signature::{Direction, Signature};

/// Checks that every port of the signature is given once, and no other.
pub(crate) fn check_ports(signature: &Signature, wiring: &Wiring) -> Result<(), String> {
    let inputs = wiring.inputs.iter().map(|(name, _)| name.as_str());
    let outputs = wiring.outputs.iter().map(|(name, _)| name.as_str());
    let mut faults = side(signature, Direction::Input, inputs);
    faults.extend(side(signature, Direction::Output, outputs));
    conclude(signature, faults)
}

fn side<'a>(
    signature: &Signature,
    direction: Direction,
    given: impl Iterator<Item = &'a str>,
) -> Vec<String> {
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for name in given {
        match signature.port(name) {
            Some(port) if port.direction == direction => {}
            Some(port) => faults.push(format!(
                "port `{name}` is an {}, not an {direction}",
                port.direction
            )),
            None => faults.push(format!("it has no port `{name}`")),
        }
        if !seen.insert(name.to_owned()) {
            faults.push(format!("port `{name}` is given twice"));
        }
    }
    for port in &signature.ports {
        if port.direction == direction && !seen.contains(port.name.as_str()) {
            faults.push(format!("its {direction} port `{}` is not given", port.name));
        }
    }
    faults
}

/// Checks that a CBOR map has every argument of the signature and no other. Whether the
/// values are of the right types is for the process to see.
pub(crate) fn check_arguments(signature: &Signature, arguments: &[u8]) -> Result<(), String> {
    let given = argument_names(arguments).map_err(|fault| {
        format!(
            "the arguments of `{}` are no CBOR map from names to values: {fault}",
            signature.process
        )
    })?;
    let mut faults = Vec::new();
    for argument in &signature.arguments {
        if !given.contains(&argument.name) && !argument.ty.is_option() {
            faults.push(format!(
                "its argument `{}: {}` is missing",
                argument.name, argument.ty
            ));
        }
    }
    for name in &given {
        if signature.argument(name).is_none() {
            faults.push(format!("it has no argument `{name}`"));
        }
    }
    conclude(signature, faults)
}

fn argument_names(arguments: &[u8]) -> Result<BTreeSet<String>, String> {
    let mut names = BTreeSet::new();
    if arguments.is_empty() {
        return Ok(names);
    }
    let text = |error: minicbor::decode::Error| error.to_string();
    let mut decoder = Decoder::new(arguments);
    let mut left = decoder.map().map_err(text)?;
    loop {
        match &mut left {
            Some(0) => break,
            Some(left) => *left -= 1,
            None if matches!(decoder.datatype().map_err(text)?, Type::Break) => {
                decoder.skip().map_err(text)?;
                break;
            }
            None => {}
        }
        let name = decoder.str().map_err(text)?;
        if !names.insert(name.to_owned()) {
            return Err(format!("`{name}` stands in it twice"));
        }
        decoder.skip().map_err(text)?;
    }
    if decoder.position() < arguments.len() {
        return Err("something follows the map".to_owned());
    }
    Ok(names)
}

fn conclude(signature: &Signature, faults: Vec<String>) -> Result<(), String> {
    if faults.is_empty() {
        return Ok(());
    }
    Err(format!(
        "does not fit process `{}`: {}",
        signature.process,
        faults.join("; ")
    ))
}
