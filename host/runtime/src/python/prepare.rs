//! Having the interpreter make a program, in a sandbox of its own.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use minicbor::decode::Error as Undecodable;
use minicbor::{Decoder, Encoder};

use super::lookup::{Found, Lookup};
use super::{Program, PythonModule, fault};
use crate::error::Error;
use crate::host::Host;
use crate::host_ports::HostReceiver;
use crate::network::{ChannelOptions, Report};
use crate::options::{CacheFolder, HostOptions};
use transputer_network::plan::Limits;
use transputer_network::signature::Signature;
use transputer_network::value::Value;

/// What a program may take to make. Its module is not trusted.
const MEMORY: u64 = 512 << 20;
const CPU: Duration = Duration::from_secs(60);
const MESSAGE: u64 = 64 << 20;

/// How many modules a program may ask for, and how many bytes all of them may have.
const MODULES: usize = 10_000;
const BYTES: usize = 64 << 20;

/// A program that was made now.
pub(super) struct Made {
    pub(super) program: Program,
    /// Its signature, as the interpreter wrote it.
    pub(super) signature: String,
    /// What was found by each name that was asked for.
    pub(super) answers: BTreeMap<String, Option<Found>>,
}

/// Makes the program of a module. Takes about as long as importing it does.
pub(super) fn prepare(
    cache: &CacheFolder,
    interpreter: &Path,
    module: &PythonModule,
    lookup: Lookup,
    name: &str,
) -> Result<Made, Error> {
    // A host apart: the caller's may be full, or may run a schedule that nothing must disturb.
    let host = Host::new(
        HostOptions::default()
            .workers(1)
            .max_processes(1)
            .cache(cache.clone()),
    )?;
    let component = host.component(interpreter)?;
    let mut network = host.network("prepare");
    let mut process = network.process("prepare", &component);
    process
        .argument("module", Value::String(module.module.clone()))
        .limits(Limits::default().memory(MEMORY).message(MESSAGE).cpu(CPU));
    if let Some(chosen) = &module.process {
        process.argument("process", Value::String(chosen.clone()));
    }
    let found = network.input("prepare.found", ChannelOptions::bounded(1))?;
    let wanted = network.output("prepare.wanted", ChannelOptions::bounded(1))?;
    let made = network.output("prepare.made", ChannelOptions::bounded(1))?;
    let running = network.start()?;
    let mut answers = Answers::new(lookup);
    while let Ok(question) = wanted.receive() {
        // If it has ended, the report says how.
        let _ = match answers.answer(&question) {
            Ok(answer) => found.send(answer),
            Err(why) => {
                running.stop(&why);
                break;
            }
        };
    }
    drop(found);
    let made = received(&made, || running.wait()).map_err(|text| fault(name, text))?;
    let (signature, code, refused) =
        decode(&made).map_err(|error| fault(name, error.to_string()))?;
    if let Some(refused) = refused {
        return Err(fault(name, refused));
    }
    let read = Signature::from_json(&signature).map_err(|error| Error::Component {
        component: name.to_owned(),
        fault: error.into(),
    })?;
    let found = answers.given.values().flatten();
    let sources = found.filter_map(|found| found.path.clone()).collect();
    Ok(Made {
        program: Program {
            signature: read,
            code: code.into(),
            sources,
        },
        signature,
        answers: answers.given,
    })
}

/// What the process has made; otherwise, what became of it.
fn received(made: &HostReceiver, report: impl FnOnce() -> Report) -> Result<Vec<u8>, String> {
    made.receive().map_err(|error| {
        let report = report();
        let failure = report.failures.first();
        failure.map_or_else(
            || error.to_string(),
            |failure| format!("it cannot be imported: the process {}", failure.outcome),
        )
    })
}

/// What the program is told of modules.
struct Answers {
    lookup: Lookup,
    given: BTreeMap<String, Option<Found>>,
    bytes: usize,
}

impl Answers {
    fn new(lookup: Lookup) -> Self {
        Self {
            lookup,
            given: BTreeMap::new(),
            bytes: 0,
        }
    }

    /// The answer to a question, or why there are no more answers.
    fn answer(&mut self, question: &[u8]) -> Result<Vec<u8>, String> {
        let name = Decoder::new(question)
            .str()
            .map_err(|error| error.to_string())?;
        let found = self.lookup.find(name);
        let mut answer = Vec::new();
        encode(found.as_ref(), &mut answer);
        self.bytes += answer.len();
        // What was found is not needed again.
        let kept = found.map(|found| Found {
            source: blake3::hash(&found.source).as_bytes().to_vec(),
            ..found
        });
        self.given.insert(name.to_owned(), kept);
        if self.given.len() > MODULES || self.bytes > BYTES {
            return Err(format!(
                "it imports more than {MODULES} modules, or more than {} MiB of them",
                BYTES >> 20
            ));
        }
        Ok(answer)
    }
}

/// In the form of the interpreter's class `Found`.
fn encode(found: Option<&Found>, answer: &mut Vec<u8>) {
    let mut encoder = Encoder::new(answer);
    let encoded = match found {
        None => encoder.null().map(drop),
        Some(found) => encoder.map(5).and_then(|it| {
            it.str("file")?.str(&found.label)?;
            it.str("is_package")?.bool(found.is_package)?;
            it.str("is_own")?.bool(found.is_own)?;
            it.str("source")?.bytes(&found.source)?;
            it.str("is_native")?.bool(found.is_native).map(drop)
        }),
    };
    // A vector takes everything.
    let _ = encoded;
}

/// Of the form of its class `Made`: the signature, the program, and why there is none.
fn decode(made: &[u8]) -> Result<(String, Vec<u8>, Option<String>), Undecodable> {
    let mut decoder = Decoder::new(made);
    let (mut signature, mut program, mut fault) = (String::new(), Vec::new(), None);
    for _ in 0..decoder.map()?.unwrap_or_default() {
        match decoder.str()? {
            "signature" => signature = decoder.str()?.to_owned(),
            "program" => program = decoder.bytes()?.to_vec(),
            "fault" => fault = decoder.decode::<Option<String>>()?,
            _ => decoder.skip()?,
        }
    }
    Ok((signature, program, fault))
}
