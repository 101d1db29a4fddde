//! Making a pack of a network that has been built and checked.

use std::path::Path;

use anyhow::Context as _;
use transputer::description::Description;
use transputer::{ComponentPath, PythonFile, files};

use super::image::Builder;
use super::{COMPONENT, CONFIG, CONTRACT, Config, Image, NETWORK, Packed, SBOM, SigningKey, bill};
use crate::components::{Checked, LARGEST, Located, Origin, origins};
use crate::exit::BadInput;

/// Makes a pack.
pub(crate) fn pack(
    description: &Description,
    located: &Located,
    checked: &Checked,
    key: Option<&SigningKey>,
) -> anyhow::Result<Image> {
    let mut builder = Builder::default();
    let file = Path::new(description.file_name());
    let network = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    builder.layer(NETWORK, "network.toml", network);
    let origins = origins(description, located)?;
    let mut components = Vec::new();
    let mut materials = Vec::new();
    for component in description.component_files() {
        // What nobody uses has no signature.
        let (Some(built), Some(signature)) = (
            located.files.get(&component.name),
            checked.signatures.get(&component.name),
        ) else {
            continue;
        };
        if PythonFile::of(built).is_some() {
            return Err(source(description, &component.name).into());
        }
        let ComponentPath { file, process, .. } = ComponentPath::of(built);
        let bytes = files::read(&file, LARGEST)
            .with_context(|| format!("cannot read {}", file.display()))?;
        let title = file.file_name().unwrap_or_default().to_string_lossy();
        let material = bill::Material::of(&title, &bytes);
        let digest = builder.layer(COMPONENT, &title, bytes);
        if materials
            .iter()
            .all(|known: &bill::Material| !known.is(&digest))
        {
            let sources = match origins.get(&component.name) {
                Some(Origin::Source(source)) => Some(source.file.as_path()),
                _ => None,
            };
            materials.push(material.with(digest.clone(), sources)?);
        }
        components.push(Packed {
            name: component.name,
            digest,
            process,
            signature: signature.to_string(),
        });
    }
    builder.layer(
        SBOM,
        "sbom.cdx.json",
        bill::bill(&description.name, &materials)?,
    );
    let config = Config {
        name: description.name.clone(),
        doc: description.doc.clone(),
        transputer: env!("CARGO_PKG_VERSION").to_owned(),
        contract: CONTRACT.to_owned(),
        components,
    };
    builder.finish(CONFIG, serde_json::to_vec(&config)?, |manifest| {
        let annotations = [
            ("org.opencontainers.image.title", &description.name),
            ("org.opencontainers.image.description", &description.doc),
        ];
        let given = annotations.into_iter().filter(|(_, text)| !text.is_empty());
        let given = given.map(|(name, text)| (name.to_owned(), text.clone()));
        manifest.annotations.extend(given);
        if let Some(key) = key {
            key.sign(manifest);
        }
    })
}

fn source(description: &Description, component: &str) -> BadInput {
    BadInput::new(format!(
        "{}: the component `{component}` is Python source, which the host reads with all that it imports, so it \
         cannot be packed; make a component of it (`transputer-py build`) and name that",
        description.file_name()
    ))
}
