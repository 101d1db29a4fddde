//! An OCI image: a manifest, and the blobs that it names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::Path;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::ARTIFACT;
use crate::exit::BadInput;

/// The most bytes of a pack.
pub(crate) const LARGEST: u64 = 4 << 30;

/// The most entries of a pack's archive.
const MOST_ENTRIES: usize = 20_000;

/// The most bytes of a manifest, an index, or a configuration.
pub(crate) const LARGEST_DOCUMENT: usize = 4 << 20;

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// The title of a blob, in its annotations.
pub(crate) const TITLE: &str = "org.opencontainers.image.title";

/// What a manifest says of a blob.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    pub(crate) media_type: String,
    pub(crate) digest: String,
    pub(crate) size: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) annotations: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Manifest {
    schema_version: u32,
    #[serde(default)]
    media_type: String,
    #[serde(default)]
    artifact_type: String,
    pub(crate) config: Descriptor,
    pub(crate) layers: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) annotations: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    schema_version: u32,
    #[serde(default)]
    media_type: String,
    manifests: Vec<Descriptor>,
}

/// A manifest, and the blobs that it names.
#[derive(Debug)]
pub(crate) struct Image {
    pub(crate) manifest: Manifest,
    /// The manifest's bytes, which its digest is of.
    pub(crate) written: Vec<u8>,
    blobs: BTreeMap<String, Vec<u8>>,
}

/// A digest as OCI writes it.
pub(crate) fn digest(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// Whether this is a digest as packs have them, and so may be part of an address or of a file's name.
pub(crate) fn is_digest(text: &str) -> bool {
    let hex = text.strip_prefix("sha256:");
    hex.is_some_and(|hex| {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        hex.len() == 64 && hex.bytes().all(is_digit)
    })
}

impl Manifest {
    /// Reads the manifest of a pack whose blobs have at most so many bytes. It may come from anybody.
    pub(crate) fn read(written: &[u8], most: u64) -> anyhow::Result<Self> {
        if written.len() > LARGEST_DOCUMENT {
            return Err(damaged("its manifest is too long").into());
        }
        let manifest: Self = serde_json::from_slice(written)
            .map_err(|error| damaged(&format!("its manifest cannot be read: {error}")))?;
        if manifest.schema_version != 2 || manifest.artifact_type != ARTIFACT {
            let found = match manifest.artifact_type.as_str() {
                "" => &manifest.config.media_type,
                other => other,
            };
            let text =
                format!("it holds no network of Transputer: its manifest is of the type {found:?}");
            return Err(BadInput::new(text).into());
        }
        if manifest.layers.len() > MOST_ENTRIES {
            return Err(damaged(&format!("it has more than {MOST_ENTRIES} layers")).into());
        }
        let all = || manifest.layers.iter().chain([&manifest.config]);
        if let Some(wrong) = all().find(|one| !is_digest(&one.digest)) {
            return Err(damaged(&format!("{:?} is no digest", wrong.digest)).into());
        }
        let size = all().fold(0_u64, |size, one| size.saturating_add(one.size));
        if size > most {
            return Err(
                BadInput::new(format!("it has {size} bytes, which is more than {most}")).into(),
            );
        }
        Ok(manifest)
    }

    /// The blobs that it names, each once.
    pub(crate) fn blobs(&self) -> impl Iterator<Item = &Descriptor> {
        let mut seen = BTreeSet::new();
        let all = self.layers.iter().chain([&self.config]);
        all.filter(move |one| seen.insert(one.digest.as_str()))
    }

    /// How many bytes these have.
    pub(crate) fn size(&self) -> u64 {
        self.blobs().map(|blob| blob.size).sum()
    }
}

/// Collects blobs and their descriptors.
#[derive(Default)]
pub(crate) struct Builder {
    layers: Vec<Descriptor>,
    blobs: BTreeMap<String, Vec<u8>>,
}

impl Builder {
    /// Adds a layer, once. Its digest.
    pub(crate) fn layer(&mut self, media_type: &str, title: &str, bytes: Vec<u8>) -> String {
        let descriptor = self.blob(media_type, Some(title), bytes);
        let digest = descriptor.digest.clone();
        if self.layers.iter().all(|known| known.digest != digest) {
            self.layers.push(descriptor);
        }
        digest
    }

    fn blob(&mut self, media_type: &str, title: Option<&str>, bytes: Vec<u8>) -> Descriptor {
        let digest = digest(&bytes);
        let size = bytes.len() as u64;
        self.blobs.insert(digest.clone(), bytes);
        let title = title.map(|title| (TITLE.to_owned(), title.to_owned()));
        Descriptor {
            media_type: media_type.to_owned(),
            digest,
            size,
            annotations: title.into_iter().collect(),
        }
    }

    /// The image with this configuration. `annotate` adds to the manifest's annotations.
    pub(crate) fn finish(
        mut self,
        media_type: &str,
        config: Vec<u8>,
        annotate: impl FnOnce(&mut Manifest),
    ) -> anyhow::Result<Image> {
        let mut manifest = Manifest {
            schema_version: 2,
            media_type: MANIFEST.to_owned(),
            artifact_type: ARTIFACT.to_owned(),
            config: self.blob(media_type, None, config),
            layers: self.layers,
            annotations: BTreeMap::new(),
        };
        annotate(&mut manifest);
        Ok(Image {
            written: serde_json::to_vec(&manifest)?,
            manifest,
            blobs: self.blobs,
        })
    }
}

impl Image {
    /// An image from a manifest and blobs from somewhere, of at most so many bytes: all must be there, and have the
    /// digests that the manifest gives them.
    pub(crate) fn verified(
        written: Vec<u8>,
        most: u64,
        mut blob: impl FnMut(&Descriptor) -> anyhow::Result<Vec<u8>>,
    ) -> anyhow::Result<Self> {
        let manifest = Manifest::read(&written, most)?;
        let mut blobs = BTreeMap::new();
        for descriptor in manifest.blobs() {
            let bytes = blob(descriptor)?;
            let found = digest(&bytes);
            if found != descriptor.digest || bytes.len() as u64 != descriptor.size {
                return Err(damaged(&format!(
                    "expected a blob of {} bytes with the digest {}, found {} bytes with {found}",
                    descriptor.size,
                    descriptor.digest,
                    bytes.len()
                ))
                .into());
            }
            blobs.insert(found, bytes);
        }
        Ok(Self {
            manifest,
            written,
            blobs,
        })
    }

    /// What it is called: the network's name.
    pub(crate) fn title(&self) -> &str {
        let title = self.manifest.annotations.get(TITLE);
        title.map_or("", String::as_str)
    }

    /// The digest of the manifest, which stands for all of it.
    pub(crate) fn digest(&self) -> String {
        digest(&self.written)
    }

    /// The bytes of a blob that its manifest names.
    pub(crate) fn blob(&self, digest: &str) -> anyhow::Result<&[u8]> {
        let found = self.blobs.get(digest);
        let found = found.ok_or_else(|| damaged(&format!("it has no blob {digest}")))?;
        Ok(found)
    }

    /// Writes the image layout.
    pub(crate) fn write(&self, to: impl Write) -> std::io::Result<()> {
        let mut archive = tar::Builder::new(to);
        let mut add = |name: String, bytes: &[u8]| {
            let mut header = tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            header.set_mtime(0);
            archive.append_data(&mut header, name, bytes)
        };
        let index = Index {
            schema_version: 2,
            media_type: INDEX.to_owned(),
            manifests: vec![Descriptor {
                media_type: MANIFEST.to_owned(),
                digest: self.digest(),
                size: self.written.len() as u64,
                annotations: BTreeMap::new(),
            }],
        };
        add(
            "oci-layout".to_owned(),
            br#"{"imageLayoutVersion":"1.0.0"}"#,
        )?;
        add("index.json".to_owned(), &serde_json::to_vec(&index)?)?;
        add(entry(&self.digest()), &self.written)?;
        for (digest, bytes) in &self.blobs {
            add(entry(digest), bytes)?;
        }
        archive.into_inner()?.flush()
    }

    /// Reads the image layout in a file.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let named = path.display();
        let file = File::open(path).with_context(|| format!("cannot read {named}"))?;
        let image = Self::read(BufReader::new(file));
        Ok(image.map_err(|error| BadInput::new(format!("{named}: {error:#}")))?)
    }

    /// Reads an image layout.
    pub(crate) fn read(from: impl Read) -> anyhow::Result<Self> {
        let mut entries = BTreeMap::new();
        let mut left = LARGEST;
        let mut archive = tar::Archive::new(from);
        for found in archive.entries().context("it is no tar archive")? {
            let found = found.map_err(|error| damaged(&error.to_string()))?;
            let name = String::from_utf8_lossy(&found.path_bytes()).into_owned();
            if !found.header().entry_type().is_file() {
                continue;
            }
            if entries.len() == MOST_ENTRIES {
                return Err(damaged(&format!("it has more than {MOST_ENTRIES} entries")).into());
            }
            let mut bytes = Vec::new();
            let read = found.take(left + 1).read_to_end(&mut bytes);
            let read = read.map_err(|error| damaged(&error.to_string()))? as u64;
            left = left
                .checked_sub(read)
                .ok_or_else(|| damaged(&format!("it has more than {LARGEST} bytes")))?;
            entries.insert(name, bytes);
        }
        let index = entries
            .get("index.json")
            .ok_or_else(|| BadInput::new("it is no pack: it has no `index.json`"))?;
        let index: Index = serde_json::from_slice(index)
            .map_err(|error| damaged(&format!("its index cannot be read: {error}")))?;
        let [manifest] = index.manifests.as_slice() else {
            return Err(damaged("its index does not name one manifest").into());
        };
        let written = entries.remove(&entry(&manifest.digest)).unwrap_or_default();
        if digest(&written) != manifest.digest {
            return Err(damaged("its manifest is not there, or not what its index says").into());
        }
        Self::verified(written, LARGEST, |descriptor| {
            let blob = entries.remove(&entry(&descriptor.digest));
            blob.ok_or_else(|| damaged(&format!("it has no blob {}", descriptor.digest)).into())
        })
    }
}

/// Where a blob is in the archive.
fn entry(digest: &str) -> String {
    format!("blobs/{}", digest.replacen(':', "/", 1))
}

fn damaged(why: &str) -> BadInput {
    BadInput::new(format!("it is damaged: {why}"))
}
