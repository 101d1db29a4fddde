//! The counts that are committed, by target.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use serde::{Deserialize, Serialize};

/// How much more than the baseline is too much, in hundredths.
const ALLOWED: u64 = 5;

/// What decides how many instructions a program has.
pub(crate) struct Toolchain {
    pub(crate) target: String,
    pub(crate) rustc: String,
}

impl Toolchain {
    /// The compiler in the path, which `cargo bench` has used.
    pub(crate) fn current() -> Result<Self, String> {
        let output = Command::new("rustc").arg("-vV").output();
        let output = output.map_err(|error| format!("rustc cannot be asked: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let value = |key: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(key));
            line.map(|value| value.trim().to_owned())
                .ok_or_else(|| format!("`rustc -vV` does not tell `{key}`"))
        };
        Ok(Self {
            target: value("host:")?,
            rustc: value("release:")?,
        })
    }
}

/// All of `instructions.toml`.
#[derive(Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Baseline(BTreeMap<String, Counts>);

/// The counts for one target.
#[derive(Serialize, Deserialize)]
pub(crate) struct Counts {
    pub(crate) rustc: String,
    /// Instructions of one round, by case.
    instructions: BTreeMap<String, u64>,
}

impl Baseline {
    fn path() -> PathBuf {
        [env!("CARGO_MANIFEST_DIR"), "benches", "instructions.toml"]
            .iter()
            .collect()
    }

    pub(crate) fn read() -> Result<Self, String> {
        let path = Self::path();
        if !path.exists() {
            return Ok(Self::default());
        }
        let in_file = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = std::fs::read_to_string(&path).map_err(|error| in_file(&error))?;
        toml::from_str(&text).map_err(|error| in_file(&error))
    }

    pub(crate) fn write(&self) -> Result<(), String> {
        let path = Self::path();
        let text = toml::to_string_pretty(self).map_err(|error| error.to_string())?;
        let text = format!(
            "# Written by `instructions -- --renew`; see host/benches/README.md.\n\n{text}"
        );
        std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
    }

    pub(crate) fn of(&self, target: &str) -> Option<&Counts> {
        self.0.get(target)
    }

    pub(crate) fn renew(&mut self, toolchain: &Toolchain, instructions: BTreeMap<String, u64>) {
        let counts = Counts {
            rustc: toolchain.rustc.clone(),
            instructions,
        };
        self.0.insert(toolchain.target.clone(), counts);
    }
}

impl Counts {
    /// Prints each count beside the one expected, and gives back what is wrong.
    pub(crate) fn compare(&self, found: &BTreeMap<String, u64>) -> Vec<String> {
        let mut wrong = Vec::new();
        println!(
            "{:>10} {:>10} {:>8}  case, one round",
            "baseline", "now", "change"
        );
        for (name, &now) in found {
            let Some(&before) = self.instructions.get(name) else {
                wrong.push(format!("`{name}` has no count in instructions.toml"));
                continue;
            };
            let change = (now as f64 / before as f64 - 1.0) * 100.0;
            println!("{before:>10} {now:>10} {change:>+7.1}%  {name}");
            if now * 100 > before * (100 + ALLOWED) {
                wrong.push(format!(
                    "`{name}` takes {now} instructions, {change:.1}% more than the {before} of \
                     the baseline; {ALLOWED}% are allowed"
                ));
            }
        }
        let gone = self
            .instructions
            .keys()
            .filter(|name| !found.contains_key(*name));
        wrong.extend(gone.map(|name| format!("`{name}` is counted no longer")));
        wrong
    }
}
