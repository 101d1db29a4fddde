//! What several suites make.

use transputer_network::signature::{Direction, PayloadType, Port, Signature};

/// The signature of a process with these ports, by its name.
pub(crate) fn signature(process: &str, ports: &[(&str, Direction, &str)]) -> (String, Signature) {
    let mut signature = Signature::new(process);
    for (name, direction, text) in ports {
        let ty = PayloadType::parse(text).unwrap();
        signature.ports.push(Port::new(*name, *direction, ty));
    }
    (process.to_owned(), signature)
}
