//! Finds crossbeam-channel's tests in the package that cargo fetched, and writes for each of them a
//! module that names its file.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use cargo_metadata::MetadataCommand;

const SUITES: [&str; 4] = ["golang", "mpsc", "select", "zero"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=../../../Cargo.lock");
    // Without the filter, metadata would want the packages of every platform there is.
    let metadata = MetadataCommand::new()
        .other_options(["--filter-platform".into(), env::var("TARGET")?])
        .exec()?;
    let package = metadata
        .packages
        .iter()
        .find(|package| package.name.as_str() == "crossbeam-channel")
        .ok_or("crossbeam-channel is not among the packages of this workspace")?;
    let folder = package.manifest_path.with_file_name("tests");
    let out = env::var("OUT_DIR")?;
    for suite in SUITES {
        let file = folder.join(suite).with_extension("rs");
        if !file.exists() {
            return Err(format!("{} {} has no {file}", package.name, package.version).into());
        }
        let module = format!(
            "#[allow(warnings, unsafe_code, clippy::all)]\n#[path = {:?}]\nmod {suite};\n",
            file.as_str()
        );
        fs::write(Path::new(&out).join(suite).with_extension("rs"), module)?;
    }
    Ok(())
}
