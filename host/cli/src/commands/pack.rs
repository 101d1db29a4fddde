//! `transputer pack`: a whole network in one file.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, ValueHint};
use transputer::description::Description;
use transputer::{CacheFolder, HostOptions};

use super::chosen::cache_folder;
use crate::components::{self, Building};
use crate::exit::Exit;
use crate::packs::{self, SigningKey};
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
        let description = Description::read(&self.path)?;
        let progress = Progress::new(self.quiet);
        let located = components::locate(&description, Building::OutOfDate, progress)?;
        let options = HostOptions::default().python(surroundings.python.clone());
        let files: Vec<_> = cache_folder(&CacheFolder::Default).into_iter().collect();
        let checked = components::check(&description, &located, &[], &files, &options)?;
        if !checked.warnings.is_empty() && !self.quiet {
            terminal::diagnostics(&checked.warnings);
        }
        let image = packs::pack(&description, &located, &checked, key.as_ref())?;
        let output = self
            .output
            .unwrap_or_else(|| format!("{}.pack", description.name).into());
        let folder = output
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(std::path::Path::new("."));
        // Whoever reads the file meanwhile finds the old one, or all of the new one.
        tempfile::NamedTempFile::new_in(folder)
            .and_then(|mut file| {
                image.write(&mut file)?;
                file.flush()?;
                readable(file.as_file())?;
                Ok(file)
            })
            .and_then(|file| Ok(file.persist(&output)?))
            .with_context(|| format!("cannot write {}", output.display()))?;
        if !self.quiet {
            let size = std::fs::metadata(&output).map_or(0, |metadata| metadata.len());
            terminal::note(format_args!(
                "packed `{}` into {} ({}, {})",
                description.name,
                output.display(),
                indicatif::HumanBytes(size),
                image.digest()
            ));
        }
        Ok(Exit::Success)
    }
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
