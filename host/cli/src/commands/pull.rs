//! `transputer pull`: a packed network out of a registry.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::chosen::{Cache, Pulling};
use super::pack::write;
use crate::exit::{BadInput, Exit};
use crate::packs::VerifyingKey;
use crate::progress::Progress;
use crate::registry::{self, Reference};
use crate::terminal;

const EXAMPLES: &str = "\
Examples:
  transputer pull oci://localhost:5000/sieve:1.0              makes sieve.pack
  transputer pull oci://registry.example.org/team/sieve:1.0 -o primes.pack --verify public.pem
  transputer run oci://registry.example.org/team/sieve:1.0    pulls, and runs

What was pulled before is not sent again: packs are kept by their digests in the cache folder, up to 2 GiB.
A registry on this machine is spoken to by TLS or, if it does not speak that, by plain HTTP; others
by TLS only.";

/// Get a packed network out of an OCI registry
#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", registry::HELP))]
pub(crate) struct Pull {
    /// What to get: oci://HOST/NAME:TAG, or oci://HOST/NAME@DIGEST
    #[arg(value_name = "REFERENCE", value_hint = ValueHint::Url)]
    from: Reference,

    /// The file to make [default: the last part of the name, with .pack]
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,

    /// Refuse a pack that the owner of this public key (Ed25519 in PEM) has not signed
    #[arg(long, value_name = "KEY", value_hint = ValueHint::FilePath)]
    verify: Option<PathBuf>,

    #[command(flatten)]
    cache: Cache,

    #[command(flatten)]
    pulling: Pulling,

    /// Print only what goes wrong
    #[arg(long, short)]
    quiet: bool,
}

impl Pull {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let key = self.verify.as_deref().map(VerifyingKey::read).transpose()?;
        let progress = Progress::new(self.quiet);
        let image = self
            .pulling
            .pull(&self.from, &self.cache.folder(), progress)?;
        if let Some(key) = key {
            key.check(&image)
                .map_err(|error| BadInput::new(format!("{}: {error:#}", self.from)))?;
        }
        let output = self
            .output
            .unwrap_or_else(|| format!("{}.pack", self.from.title()).into());
        write(&image, &output)?;
        if !self.quiet {
            terminal::note(format_args!(
                "wrote `{}` to {} ({})",
                image.title(),
                output.display(),
                image.digest()
            ));
        }
        Ok(Exit::Success)
    }
}
