//! Lists the sources of the guest SDK, which the command carries.

use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::hash::{DefaultHasher, Hasher as _};
use std::path::{Path, PathBuf};

/// Sections of manifests that are of no use to whoever depends on a package.
const NOT_FOR_USERS: [&str; 3] = [
    "[dev-dependencies]",
    "[[bench]]",
    "[package.metadata.docs.rs]",
];

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut files = BTreeMap::new();
    collect(
        &Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("sdk"),
        "",
        &mut files,
    )?;
    let mut digest = DefaultHasher::new();
    let mut list = String::new();
    for (number, (name, file)) in files.iter().enumerate() {
        let mut bytes = fs::read(file)?;
        let mut source = file.clone();
        // Cargo packs no folder that has a `Cargo.toml` of its own.
        let name = match name.rsplit_once('/') {
            Some((folder, "package.toml")) => {
                bytes = for_users(&String::from_utf8(bytes)?).into_bytes();
                source = out.join(format!("{number}.toml"));
                fs::write(&source, &bytes)?;
                format!("{folder}/Cargo.toml")
            }
            None if name == "workspace.toml" => "Cargo.toml".to_owned(),
            None if name == "lock.toml" => "Cargo.lock".to_owned(),
            _ => name.clone(),
        };
        digest.write(name.as_bytes());
        digest.write(&bytes);
        writeln!(list, "    ({name:?}, include_bytes!({source:?})),")?;
    }
    let text = format!(
        "const FILES: &[(&str, &[u8])] = &[\n{list}];\nconst DIGEST: &str = \"{:016x}\";\n",
        digest.finish()
    );
    fs::write(out.join("sdk.rs"), text)?;
    Ok(())
}

/// The files in a folder and below it, by their names, links followed.
fn collect(
    folder: &Path,
    prefix: &str,
    files: &mut BTreeMap<String, PathBuf>,
) -> Result<(), Box<dyn Error>> {
    // Of a link, cargo would only look whether it is another one.
    let folder = folder.canonicalize()?;
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(&folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().display());
        let path = linked(entry.path())?.canonicalize()?;
        if path.is_dir() {
            collect(&path, &format!("{name}/"), files)?;
        } else {
            println!("cargo::rerun-if-changed={}", path.display());
            files.insert(name, path);
        }
    }
    Ok(())
}

/// What a link links to. Where git cannot make links (as on Windows, by default), it writes what they link to into a
/// file.
fn linked(path: PathBuf) -> Result<PathBuf, Box<dyn Error>> {
    /// No path is longer than this, and few sources are shorter.
    const LONGEST: u64 = 256;
    let metadata = path.metadata()?;
    if !metadata.is_file() || metadata.len() > LONGEST {
        return Ok(path);
    }
    let text = fs::read_to_string(&path)?;
    let target = path.with_file_name("").join(&text);
    match text.starts_with("../") && target.exists() {
        true => Ok(target),
        false => Ok(path),
    }
}

/// A manifest without those sections.
fn for_users(manifest: &str) -> String {
    let mut kept = String::new();
    let mut skipping = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            skipping = NOT_FOR_USERS.contains(&line.trim_end());
        }
        if !skipping {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}
