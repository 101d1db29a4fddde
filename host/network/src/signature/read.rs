//! Finding and reading the section that holds a signature.

use std::collections::HashMap;

use serde::Deserialize;
use wasmparser::{Parser, Payload};

use super::payload_type::in_name;
use super::{Argument, Arity, Direction, MOST_ENDS, PayloadType, Port, Signature, TypeError};

/// The name of the custom section that holds a signature.
pub const SECTION: &str = "transputer:signature";

/// The longest signature that is read, in bytes.
pub const MAX_SECTION_SIZE: usize = 256 * 1024;

/// The version of the section's format that this host reads.
const VERSION: u64 = 1;

/// Why a component's signature could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The bytes are a core module.
    #[error(
        "it is a core WebAssembly module, not a component; build it for the target `wasm32-wasip2`, or wrap it with `wasm-tools component new`"
    )]
    CoreModule,
    /// The bytes are something else, or damaged.
    #[error(
        "it is no WebAssembly component, or a damaged one: {reason} (at byte {offset}); build it again"
    )]
    NotWasm {
        /// What the parser says.
        reason: String,
        /// Where it stopped.
        offset: u64,
    },
    /// The section is too long.
    #[error(
        "its signature has {size} bytes, and more than {MAX_SECTION_SIZE} are not read; use shorter types"
    )]
    TooLarge {
        /// How long it is.
        size: usize,
    },
    /// The section does not hold a JSON object with the right members.
    #[error(
        "the custom section `{SECTION}` holds no signature: {reason}; build the component with a Transputer SDK of this version"
    )]
    Malformed {
        /// What the JSON reader says.
        reason: String,
    },
    /// The signature has another version.
    #[error(
        "its signature has version {found}, and this host reads version {VERSION}; build the component with an SDK of the same version as the host"
    )]
    Version {
        /// The version found.
        found: u64,
    },
    /// The component has several processes, and none was chosen.
    #[error(
        "it has several processes, {names}; choose one by its name, as in `{example}`",
        names = one_and_all(.processes),
        example = format_args!("FILE:{}", .processes.first().map_or("NAME", String::as_str))
    )]
    Several {
        /// Their names.
        processes: Vec<String>,
    },
    /// The component has no process of this name.
    #[error("it has no process `{wanted}`; it has {names}", names = one_and_all(.processes))]
    NoSuchProcess {
        /// The name that was asked for.
        wanted: String,
        /// The processes that it has.
        processes: Vec<String>,
    },
    /// Two signatures in one component have the same name, and differ.
    #[error(
        "it carries two signatures that differ, `{first}` and `{second}`; rename one of the two processes"
    )]
    Conflict {
        /// The first in the file.
        first: String,
        /// The second.
        second: String,
    },
    /// A name that cannot be written in a network's description.
    #[error("{name:?} is not a valid name for {what}; use letters, digits, `_` and `-`")]
    Name {
        /// What bears the name.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// Two arguments, or two ports, of one name.
    #[error("it has two {what}s of the name `{name}`; rename one of them")]
    Duplicate {
        /// `argument` or `port`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// An array of ports that is empty or too long.
    #[error("the port `{name}` takes {found} ends; an array of ports takes 1 to {MOST_ENDS}")]
    Ends {
        /// The port's name.
        name: String,
        /// How many ends it says that it takes.
        found: u64,
    },
    /// The type of an argument or a port cannot be read.
    #[error("the {what} `{name}`: {error}")]
    Type {
        /// `argument` or `port`.
        what: &'static str,
        /// Its name.
        name: String,
        /// What is wrong with the type.
        error: TypeError,
    },
}

/// The section as it is written.
#[derive(Deserialize)]
struct RawSignature {
    process: String,
    #[serde(default)]
    doc: String,
    #[serde(default)]
    arguments: Vec<RawArgument>,
    #[serde(default)]
    ports: Vec<RawPort>,
    #[serde(default)]
    stack: Option<u64>,
}

#[derive(Deserialize)]
struct RawArgument {
    name: String,
    #[serde(rename = "type")]
    ty: String,
}

#[derive(Deserialize)]
struct RawPort {
    name: String,
    direction: Direction,
    #[serde(rename = "type")]
    ty: String,
    #[serde(default)]
    ends: RawEnds,
}

/// How many ends a port takes: a word, or a number for an array of so many.
#[derive(Deserialize)]
#[serde(untagged)]
enum RawEnds {
    Word(Word),
    Number(u64),
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    One,
    Optional,
    List,
}

impl Default for RawEnds {
    fn default() -> Self {
        RawEnds::Word(Word::One)
    }
}

impl RawEnds {
    fn arity(&self, name: &str) -> Result<Arity, SignatureError> {
        match self {
            RawEnds::Word(Word::One) => Ok(Arity::One),
            RawEnds::Word(Word::Optional) => Ok(Arity::Optional),
            RawEnds::Word(Word::List) => Ok(Arity::List),
            RawEnds::Number(count) => {
                let arity = u32::try_from(*count).ok();
                let arity = arity.filter(|count| (1..=MOST_ENDS).contains(count));
                arity.map(Arity::Array).ok_or_else(|| SignatureError::Ends {
                    name: name.to_owned(),
                    found: *count,
                })
            }
        }
    }
}

/// Reads the signatures in a component, each once, by the names of their processes: a linker puts them in any
/// order.
pub(super) fn read(component: &[u8]) -> Result<Vec<Signature>, SignatureError> {
    let mut found: Vec<Signature> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut size = 0;
    for section in sections(component)? {
        size += section.len();
        if size > MAX_SECTION_SIZE {
            return Err(SignatureError::TooLarge { size });
        }
        for signature in signatures(section)? {
            match places.get(&signature.process) {
                Some(&place) if found[place] != signature => {
                    return Err(SignatureError::Conflict {
                        first: found[place].to_string(),
                        second: signature.to_string(),
                    });
                }
                Some(_) => {}
                None => {
                    places.insert(signature.process.clone(), found.len());
                    found.push(signature);
                }
            }
        }
    }
    found.sort_by(|one, other| one.process.cmp(&other.process));
    Ok(found)
}

/// The one that is named, or the only one.
pub(super) fn choose(
    mut signatures: Vec<Signature>,
    process: Option<&str>,
) -> Result<Option<Signature>, SignatureError> {
    let names = |signatures: &[Signature]| {
        let names = signatures.iter().map(|it| it.process.clone());
        names.collect::<Vec<_>>()
    };
    let place = match process {
        None if signatures.len() > 1 => {
            return Err(SignatureError::Several {
                processes: names(&signatures),
            });
        }
        None => 0,
        Some(_) if signatures.is_empty() => 0,
        Some(wanted) => {
            let place = signatures.iter().position(|it| it.process == wanted);
            place.ok_or_else(|| SignatureError::NoSuchProcess {
                wanted: wanted.to_owned(),
                processes: names(&signatures),
            })?
        }
    };
    Ok((place < signatures.len()).then(|| signatures.swap_remove(place)))
}

/// The first names, and how many more there are.
fn one_and_all(names: &[String]) -> String {
    const NAMED: usize = 16;
    let named: Vec<String> = names
        .iter()
        .take(NAMED)
        .map(|name| format!("`{name}`"))
        .collect();
    let more = match names.len() - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}{more}", named.join(", "))
}

/// Reads one signature.
pub(super) fn from_json(text: &str) -> Result<Signature, SignatureError> {
    if text.len() > MAX_SECTION_SIZE {
        return Err(SignatureError::TooLarge { size: text.len() });
    }
    let mut signatures = signatures(text.as_bytes())?;
    // There is at least one.
    Ok(signatures.swap_remove(0))
}

/// The contents of every section of the right name, including those in nested modules.
fn sections(component: &[u8]) -> Result<Vec<&[u8]>, SignatureError> {
    let mut sections = Vec::new();
    if Parser::is_core_wasm(component) {
        return Err(SignatureError::CoreModule);
    }
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload.map_err(|error| SignatureError::NotWasm {
            reason: error.message().to_owned(),
            offset: error.offset() as u64,
        })?;
        match payload {
            Payload::CustomSection(section) if section.name() == SECTION => {
                let size = section.data().len();
                if size > MAX_SECTION_SIZE {
                    return Err(SignatureError::TooLarge { size });
                }
                sections.push(section.data());
            }
            _ => {}
        }
    }
    Ok(sections)
}

/// The signatures in a section: linkers join sections of the same name, so there can be several.
fn signatures(section: &[u8]) -> Result<Vec<Signature>, SignatureError> {
    let malformed = |error: serde_json::Error| SignatureError::Malformed {
        reason: error.to_string(),
    };
    // Linkers fill gaps between sections with zeros.
    let text: Vec<u8> = section
        .iter()
        .map(|&byte| if byte == 0 { b' ' } else { byte })
        .collect();
    let mut signatures = Vec::new();
    for value in serde_json::Deserializer::from_slice(&text).into_iter::<serde_json::Value>() {
        let value = value.map_err(malformed)?;
        // The version comes first: the rest may look different in another one.
        let version = value.get("version").and_then(serde_json::Value::as_u64);
        match version {
            Some(VERSION) => {}
            Some(found) => return Err(SignatureError::Version { found }),
            None => {
                return Err(SignatureError::Malformed {
                    reason: "it has no `version`".to_owned(),
                });
            }
        }
        signatures.push(convert(serde_json::from_value(value).map_err(malformed)?)?);
    }
    if signatures.is_empty() {
        return Err(SignatureError::Malformed {
            reason: "it is empty".to_owned(),
        });
    }
    Ok(signatures)
}

fn convert(raw: RawSignature) -> Result<Signature, SignatureError> {
    check_name("a process", &raw.process)?;
    let mut signature = Signature {
        process: raw.process,
        doc: one_line(&raw.doc),
        arguments: Vec::new(),
        ports: Vec::new(),
        stack: raw.stack,
    };
    for RawArgument { name, ty } in raw.arguments {
        check_name("an argument", &name)?;
        let ty = parse_type("argument", &name, &ty)?;
        if signature.argument(&name).is_some() {
            return Err(SignatureError::Duplicate {
                what: "argument",
                name,
            });
        }
        signature.arguments.push(Argument { name, ty });
    }
    for RawPort {
        name,
        direction,
        ty,
        ends,
    } in raw.ports
    {
        check_name("a port", &name)?;
        let ty = parse_type("port", &name, &ty)?;
        let arity = ends.arity(&name)?;
        if signature.port(&name).is_some() {
            return Err(SignatureError::Duplicate { what: "port", name });
        }
        signature.ports.push(Port {
            name,
            direction,
            ty,
            arity,
        });
    }
    Ok(signature)
}

fn check_name(what: &'static str, name: &str) -> Result<(), SignatureError> {
    if name.is_empty() || name.len() > 256 || !name.chars().all(in_name) {
        let name = name.chars().take(256).collect();
        return Err(SignatureError::Name { what, name });
    }
    Ok(())
}

fn parse_type(what: &'static str, name: &str, ty: &str) -> Result<PayloadType, SignatureError> {
    PayloadType::parse(ty).map_err(|error| SignatureError::Type {
        what,
        name: name.to_owned(),
        error,
    })
}

/// The first line, without characters that a terminal would act on.
fn one_line(doc: &str) -> String {
    let line = doc.trim().lines().next().unwrap_or_default();
    line.chars().filter(|c| !c.is_control()).collect()
}
