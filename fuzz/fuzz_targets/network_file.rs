//! Network files: reading them, and checking them against the signatures of components.
#![no_main]

use std::collections::BTreeMap;
use std::path::Path;

use libfuzzer_sys::{Corpus, fuzz_target};
use transputer_network::Description;
use transputer_network::signature::{Argument, Direction, PayloadType, Port, Signature};
use transputer_network::validation;

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Corpus::Reject;
    };
    read(text);
    Corpus::Keep
});

fn read(text: &str) {
    let description = match Description::parse(text, "network.toml", Path::new("folder")) {
        Ok(description) => description,
        Err(diagnostics) => {
            assert!(!diagnostics.is_empty(), "a refusal gives its reasons");
            assert!(diagnostics.to_string().contains("network.toml"));
            return;
        }
    };
    let signatures: BTreeMap<String, Signature> = description
        .component_files()
        .into_iter()
        .map(|file| (file.name.clone(), signature(&file.name)))
        .collect();
    match validation::check(&description, &signatures, &[]) {
        Ok(plan) => {
            assert!(plan.processes.len() >= description.processes.len());
            for process in &plan.processes {
                assert!(process.component < plan.components.len());
                let ports = process.inputs.iter().chain(&process.outputs);
                assert!(
                    ports
                        .into_iter()
                        .all(|(_, channel)| *channel < plan.channels.len())
                );
            }
        }
        Err(diagnostics) => assert!(diagnostics.has_errors()),
    }
}

/// Every component has the ports and arguments that the corpus wires. One in two has a port that
/// carries something else.
fn signature(name: &str) -> Signature {
    let ty = |text: &str| PayloadType::parse(text).expect("it is a type");
    let odd = name.len() % 2 == 1;
    let record = "option<record { id: u8, text: string, rest: list<tuple<f64, char>> }>";
    let sent = if odd { "string" } else { "u64" };
    let mut signature = Signature::new("process");
    signature.arguments = vec![
        Argument::new("count", ty("option<u64>")),
        Argument::new("line", ty(record)),
    ];
    signature.ports = vec![
        Port::new("in", Direction::Input, ty("u64")),
        Port::new("out", Direction::Output, ty(sent)),
    ];
    signature
}
