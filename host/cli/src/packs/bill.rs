//! The bill of materials of a pack, in CycloneDX: its components, what made them, and the crates in them.

use std::path::Path;

use serde_json::{Value, json};
use wasmparser::{KnownCustom, Parser, Payload};

use crate::guests::{Library, Package};

/// A component, and what it is made of.
pub(super) struct Material {
    title: String,
    digest: String,
    /// What its sections name: languages, and the tools that processed it.
    producers: Vec<(String, String)>,
    libraries: Vec<Library>,
}

impl Material {
    /// What a component's bytes tell.
    pub(super) fn of(title: &str, component: &[u8]) -> Self {
        Self {
            title: title.to_owned(),
            digest: String::new(),
            producers: producers(component),
            libraries: Vec::new(),
        }
    }

    /// Adds its digest, and the crates of the source that it was built of.
    pub(super) fn with(self, digest: String, source: Option<&Path>) -> anyhow::Result<Self> {
        let libraries = source.map_or_else(
            || Ok(Vec::new()),
            |source| Package::open(source)?.libraries(),
        );
        Ok(Self {
            digest,
            libraries: libraries?,
            ..self
        })
    }

    pub(super) fn is(&self, digest: &str) -> bool {
        self.digest == digest
    }

    fn json(&self) -> Value {
        let properties = self.producers.iter().map(
            |(field, value)| json!({ "name": format!("wasm:producers:{field}"), "value": value }),
        );
        let libraries = self.libraries.iter().map(|library| {
            let Library {
                name,
                version,
                licence,
            } = library;
            let mut json = json!({
                "type": "library",
                "name": name,
                "version": version,
                "purl": format!("pkg:cargo/{name}@{version}"),
            });
            if let Some(licence) = licence {
                json["licenses"] = json!([{ "expression": licence }]);
            }
            json
        });
        let hash = self.digest.trim_start_matches("sha256:");
        json!({
            "type": "application",
            "bom-ref": self.digest,
            "name": self.title,
            "hashes": [{ "alg": "SHA-256", "content": hash }],
            "properties": properties.collect::<Vec<_>>(),
            "components": libraries.collect::<Vec<_>>(),
        })
    }
}

/// The bill of a network of these.
pub(super) fn bill(network: &str, materials: &[Material]) -> anyhow::Result<Vec<u8>> {
    let components: Vec<Value> = materials.iter().map(Material::json).collect();
    let bill = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": { "type": "application", "bom-ref": "network", "name": network },
            "tools": { "components": [{
                "type": "application",
                "name": "transputer",
                "version": env!("CARGO_PKG_VERSION"),
            }] },
        },
        "components": components,
    });
    Ok(serde_json::to_vec_pretty(&bill)?)
}

/// What all `producers` sections of a component name, each once.
fn producers(component: &[u8]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for payload in Parser::new(0).parse_all(component).map_while(Result::ok) {
        let Payload::CustomSection(section) = payload else {
            continue;
        };
        let KnownCustom::Producers(fields) = section.as_known() else {
            continue;
        };
        for field in fields.into_iter().map_while(Result::ok) {
            for value in field.values.into_iter().map_while(Result::ok) {
                let text = format!("{} {}", value.name, value.version);
                let entry = (field.name.to_owned(), text.trim().to_owned());
                if !found.contains(&entry) {
                    found.push(entry);
                }
            }
        }
    }
    found.sort();
    found
}
