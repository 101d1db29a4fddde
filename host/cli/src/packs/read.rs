//! Reading a pack, which may come from anybody.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tempfile::TempDir;
use transputer::ComponentPath;
use transputer::description::Description;

use super::image::{Descriptor, Image};
use super::{COMPONENT, CONFIG, Config, NETWORK, VerifyingKey};
use crate::components::Located;
use crate::exit::BadInput;

/// A pack that was opened: a network whose components are files, as long as this is there.
#[derive(Debug)]
pub(crate) struct Pack {
    pub(crate) description: Description,
    pub(crate) located: Located,
    /// Where the components are.
    pub(crate) folder: TempDir,
}

impl Pack {
    /// Opens a file. With a key, it must have been signed by its owner.
    pub(crate) fn open(path: &Path, key: Option<&VerifyingKey>) -> anyhow::Result<Self> {
        let image = Image::open(path)?;
        let base = path.parent().unwrap_or(Path::new("."));
        Self::of(&image, &path.display().to_string(), base, key)
    }

    /// Unpacks an image that errors call `named`. Directories that it asks for are looked up from `base`.
    pub(crate) fn of(
        image: &Image,
        named: &str,
        base: &Path,
        key: Option<&VerifyingKey>,
    ) -> anyhow::Result<Self> {
        let fault = |error: anyhow::Error| BadInput::new(format!("{named}: {error:#}"));
        if let Some(key) = key {
            key.check(image).map_err(fault)?;
        }
        let config = config(image).map_err(fault)?;
        let network = layer(image, NETWORK).map_err(fault)?;
        let text = std::str::from_utf8(image.blob(&network.digest)?)
            .map_err(|_| BadInput::new(format!("{named}: its network file is not UTF-8")))?;
        let mut description = Description::parse(text, &format!("{named}/network.toml"), base)?;
        description.name = config.name.clone();
        let folder = tempfile::Builder::new()
            .prefix("transputer-pack-")
            .tempdir()
            .context("cannot make a folder for the components of the pack")?;
        let located = unpack(image, &config, folder.path()).map_err(fault)?;
        // Nothing that lies about on this machine stands in for what the pack does not hold.
        let components = description.component_files();
        let mut names = components.iter().map(|component| &component.name);
        if let Some(name) = names.find(|name| !located.files.contains_key(*name)) {
            let text = format!(
                "{named}: it does not hold the component `{name}`, which its network file names"
            );
            return Err(BadInput::new(text).into());
        }
        Ok(Self {
            description,
            located,
            folder,
        })
    }
}

fn config(image: &Image) -> anyhow::Result<Config> {
    let descriptor = &image.manifest.config;
    if descriptor.media_type != CONFIG {
        let text = format!(
            "its configuration is of the type {:?}",
            descriptor.media_type
        );
        return Err(BadInput::new(text).into());
    }
    let config = serde_json::from_slice(image.blob(&descriptor.digest)?);
    Ok(config.map_err(|error| {
        BadInput::new(format!(
            "its configuration cannot be read: {error}; it may be of a newer version"
        ))
    })?)
}

/// The only layer of a type.
fn layer<'i>(image: &'i Image, media_type: &str) -> anyhow::Result<&'i Descriptor> {
    let mut layers = image.manifest.layers.iter();
    let found = layers.find(|layer| layer.media_type == media_type);
    Ok(found.ok_or_else(|| BadInput::new(format!("it has no layer of the type {media_type}")))?)
}

/// Writes the components to files. Their names are of the pack's own, whatever it says.
fn unpack(image: &Image, config: &Config, folder: &Path) -> anyhow::Result<Located> {
    let mut written: BTreeMap<&str, PathBuf> = BTreeMap::new();
    let mut located = Located::default();
    for packed in &config.components {
        let is_component =
            |layer: &Descriptor| layer.media_type == COMPONENT && layer.digest == packed.digest;
        if !image.manifest.layers.iter().any(is_component) {
            let text = format!(
                "it has no component {} for `{}`",
                packed.digest, packed.name
            );
            return Err(BadInput::new(text).into());
        }
        let process = packed.process.as_deref().unwrap_or_default();
        if process
            .chars()
            .any(|char| !char.is_alphanumeric() && !matches!(char, '_' | '-'))
        {
            let text = format!("{process:?} cannot name a process");
            return Err(BadInput::new(text).into());
        }
        let number = written.len();
        let file = match written.get(packed.digest.as_str()) {
            Some(file) => file.clone(),
            None => {
                let file = folder.join(format!("{number}.wasm"));
                std::fs::write(&file, image.blob(&packed.digest)?)
                    .with_context(|| format!("cannot write {}", file.display()))?;
                written.insert(&packed.digest, file.clone());
                file
            }
        };
        let path = ComponentPath::new(file, packed.process.clone()).joined();
        located.files.insert(packed.name.clone(), path);
    }
    Ok(located)
}
