//! `transputer push`: a packed network into a registry.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::pack::made;
use crate::exit::{BadInput, Exit};
use crate::line::Line;
use crate::output;
use crate::packs::{self, Image, SigningKey};
use crate::progress::Progress;
use crate::registry::{self, Reference, Remote};
use crate::surroundings::Surroundings;

const EXAMPLES: &str = "\
Examples:
  transputer push examples/sieve oci://localhost:5000/sieve:1.0
  transputer pack examples/sieve --sign key.pem
  transputer push sieve.pack oci://registry.example.org/team/sieve:1.0
  transputer run oci://registry.example.org/team/sieve:1.0 --verify public.pem

It prints the name under which this very pack can be pulled, whatever becomes of the tag.
A registry on this machine is spoken to by TLS or, if it does not speak that, by plain HTTP; others
by TLS only.";

/// Put a network into an OCI registry, after packing it
#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", registry::HELP))]
pub(crate) struct Push {
    /// A pack; or a folder with a network.toml, or the file
    #[arg(value_name = "NETWORK", value_hint = ValueHint::AnyPath)]
    path: PathBuf,

    /// Where to: oci://HOST/NAME:TAG
    #[arg(value_name = "REFERENCE", value_hint = ValueHint::Url)]
    to: Reference,

    /// Sign it with this private key (Ed25519 in PEM)
    #[arg(long, value_name = "KEY", value_hint = ValueHint::FilePath)]
    sign: Option<PathBuf>,

    #[command(flatten)]
    remote: Remote,

    /// Print only what goes wrong, and the name
    #[arg(long, short)]
    quiet: bool,
}

impl Push {
    pub(crate) fn run(self, surroundings: &Surroundings) -> anyhow::Result<Exit> {
        let image = self.image(surroundings)?;
        let progress = Progress::new(self.quiet);
        let pushed = registry::push(&image, &self.to, &self.remote, progress)?;
        output::line(&Line::new().name(pushed))?;
        Ok(Exit::Success)
    }

    fn image(&self, surroundings: &Surroundings) -> anyhow::Result<Image> {
        if !packs::is_pack(&self.path) {
            let key = self.sign.as_deref().map(SigningKey::read).transpose()?;
            return made(&self.path, key.as_ref(), self.quiet, surroundings);
        }
        if self.sign.is_some() {
            let text = format!(
                "{} is a pack already, and is pushed as it is; sign it when it is made: `transputer pack --sign KEY`",
                self.path.display()
            );
            return Err(BadInput::new(text).into());
        }
        Image::open(&self.path)
    }
}
