//! `transputer pack`: a whole network in one file.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, ValueHint};
use transputer::description::Description;
use transputer::{CacheFolder, HostOptions};

use super::chosen::cache_folder;
use crate::components::{self, Building};
use crate::exit::Exit;
use crate::packs::{self, Image, SigningKey};
use crate::progress::Progress;
use crate::surroundings::Surroundings;
use crate::terminal;

const EXAMPLES: &str = "\
Examples:
  transputer pack examples/sieve                    makes sieve.pack
  transputer pack examples/sieve -o /tmp/primes.pack && transputer run /tmp/primes.pack
  openssl genpkey -algorithm ed25519 -out key.pem   a key to sign with, and to check with:
  openssl pkey -in key.pem -pubout -out public.pem
  transputer pack examples/sieve --sign key.pem && transputer run sieve.pack --verify public.pem

A pack holds the network file, every component, their digests and versions, and a bill of materials
(CycloneDX). It is an OCI image layout in a tar archive, and the same network makes the same bytes.";

/// Put a network into one file, which runs without sources and without a compiler
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Pack {
    /// A folder with a network.toml, or the file
    #[arg(default_value = ".", value_hint = ValueHint::AnyPath)]
    path: PathBuf,

    /// The file to make [default: the network's name, with .pack]
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,

    /// Sign it with this private key (Ed25519 in PEM)
    #[arg(long, value_name = "KEY", value_hint = ValueHint::FilePath)]
    sign: Option<PathBuf>,

    /// Print only what goes wrong
    #[arg(long, short)]
    quiet: bool,
}

impl Pack {
    pub(crate) fn run(self, surroundings: &Surroundings) -> anyhow::Result<Exit> {
        let key = self.sign.as_deref().map(SigningKey::read).transpose()?;
        let image = made(&self.path, key.as_ref(), self.quiet, surroundings)?;
        let name = image.title();
        let output = self.output.unwrap_or_else(|| format!("{name}.pack").into());
        write(&image, &output)?;
        if !self.quiet {
            let size = std::fs::metadata(&output).map_or(0, |metadata| metadata.len());
            terminal::note(format_args!(
                "packed `{name}` into {} ({}, {})",
                output.display(),
                indicatif::HumanBytes(size),
                image.digest()
            ));
        }
        Ok(Exit::Success)
    }
}

/// Builds and checks a network, and makes a pack of it.
pub(super) fn made(
    path: &Path,
    key: Option<&SigningKey>,
    quiet: bool,
    surroundings: &Surroundings,
) -> anyhow::Result<Image> {
    let description = Description::read(path)?;
    let progress = Progress::new(quiet);
    let located = components::locate(&description, Building::OutOfDate, progress)?;
    let options = HostOptions::default().python(surroundings.python.clone());
    let files: Vec<_> = cache_folder(&CacheFolder::Default).into_iter().collect();
    let checked = components::check(&description, &located, &[], &files, &options)?;
    if !checked.warnings.is_empty() && !quiet {
        terminal::diagnostics(&checked.warnings);
    }
    packs::pack(&description, &located, &checked, key)
}

/// Writes a pack to a file. Whoever reads that meanwhile finds the old one, or all of the new one.
pub(super) fn write(image: &Image, output: &Path) -> anyhow::Result<()> {
    let folder = output
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))
        .and_then(|mut file| {
            image.write(&mut file)?;
            file.flush()?;
            readable(file.as_file())?;
            Ok(file)
        })
        .and_then(|file| Ok(file.persist(output)?))
        .with_context(|| format!("cannot write {}", output.display()))?;
    Ok(())
}

/// Lets everybody read a file, which is its maker's alone as long as it is temporary.
fn readable(file: &std::fs::File) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        file.set_permissions(std::fs::Permissions::from_mode(0o644))?;
    }
    let _ = file;
    Ok(())
}
