//! Signatures of components: the section's contents, and files that should carry one.
#![no_main]

use std::borrow::Cow;

use libfuzzer_sys::fuzz_target;
use transputer_network::signature::{PayloadType, SECTION, Signature};
use wasm_encoder::{ComponentSection, CustomSection};

fuzz_target!(|bytes: &[u8]| {
    let Some((&kind, contents)) = bytes.split_first() else {
        return;
    };
    let file = match kind % 4 {
        // The file itself.
        0 => contents.to_vec(),
        // The section of a component.
        1 | 2 => component(contents),
        // Two sections.
        _ => {
            let (first, second) = contents.split_at(contents.len() / 2);
            with_section(component(first), second)
        }
    };
    match Signature::read(&file) {
        Ok(Some(signature)) => check(&signature),
        Ok(None) => {}
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});

/// A component of nothing but the section.
fn component(contents: &[u8]) -> Vec<u8> {
    with_section(wasm_encoder::Component::new().finish(), contents)
}

fn with_section(mut component: Vec<u8>, contents: &[u8]) -> Vec<u8> {
    CustomSection {
        name: Cow::Borrowed(SECTION),
        data: Cow::Borrowed(contents),
    }
    .append_to_component(&mut component);
    component
}

/// What was read can be printed, and its types read again.
fn check(signature: &Signature) {
    assert!(signature.to_string().starts_with(&signature.process));
    let arguments = signature.arguments.iter().map(|argument| &argument.ty);
    for ty in arguments.chain(signature.ports.iter().map(|port| &port.ty)) {
        let again = PayloadType::parse(&ty.to_string());
        assert_eq!(again.as_ref(), Ok(ty), "`{ty}` is read as it is printed");
    }
    for port in &signature.ports {
        assert_eq!(signature.port(&port.name), Some(port), "names are unique");
    }
}
