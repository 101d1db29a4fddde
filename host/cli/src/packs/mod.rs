//! Packs: a whole network in one file, which runs wherever this command is, without a compiler.
//!
//! A pack is a tar archive of an OCI image layout, so that a registry takes it as it is:
//!
//! | Blob | Media type |
//! |---|---|
//! | the manifest, which names all others with their digests | OCI's own |
//! | what was packed with which versions, and which component is which | [`CONFIG`] |
//! | the network file | [`NETWORK`] |
//! | each component | [`COMPONENT`] |
//! | a bill of materials in CycloneDX | [`SBOM`] |
//!
//! The same network makes the same bytes: there are no times in it. Nothing of a pack is believed before its
//! digest has been compared.

mod bill;
mod image;
mod read;
mod sign;
mod write;

use std::path::Path;

use serde::{Deserialize, Serialize};

pub(crate) use image::{Image, LARGEST, LARGEST_DOCUMENT, MANIFEST, Manifest, digest, is_digest};
pub(crate) use read::Pack;
pub(crate) use sign::{SigningKey, VerifyingKey};
pub(crate) use write::pack;

/// What the manifest says it is.
pub(crate) const ARTIFACT: &str = "application/vnd.transputer.network.v1";
const CONFIG: &str = "application/vnd.transputer.network.config.v1+json";
const NETWORK: &str = "application/vnd.transputer.network.file.v1+toml";
const COMPONENT: &str = "application/wasm";
const SBOM: &str = "application/vnd.cyclonedx+json";

/// The configuration: what a pack is, beside its blobs.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    /// The network's name.
    name: String,
    #[serde(default)]
    doc: String,
    /// What made it.
    transputer: String,
    /// The version of the contract between host and guests.
    contract: String,
    components: Vec<Packed>,
}

/// A component of the network file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Packed {
    /// What the network file calls it.
    name: String,
    /// Its blob, of which there is one for several processes of a component.
    digest: String,
    /// Which process of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    process: Option<String>,
    /// What it says of itself.
    signature: String,
}

/// The contract that this version of the command runs.
const CONTRACT: &str = "transputer:csp@0.1.0";

/// Whether a path is a file that looks like a pack: a tar archive.
pub(crate) fn is_pack(path: &Path) -> bool {
    use std::io::Read as _;
    /// Where a tar archive has its magic number.
    const MAGIC: usize = 257;
    let mut head = [0; MAGIC + 5];
    let read = path.is_file().then(|| {
        let mut file = std::fs::File::open(path).ok()?;
        file.read_exact(&mut head).ok()
    });
    read.flatten().is_some() && head.ends_with(b"ustar")
}
