//! Who we are to a registry: looked up where other tools keep it, and never printed.

use std::env;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use anyhow::Context as _;
use docker_credential::{CredentialRetrievalError, DockerCredential};

use super::Reference;
use crate::exit::BadInput;

/// A name and a password for the registry that the command names.
const USER: &str = "TRANSPUTER_REGISTRY_USER";
const PASSWORD: &str = "TRANSPUTER_REGISTRY_PASSWORD";

/// The text of a file of credentials, as build services hand it over.
const TEXT: &str = "DOCKER_AUTH_CONFIG";

/// The most bytes of a file of credentials.
const LARGEST: u64 = 1 << 20;

/// What `--help` says about them.
pub(crate) const HELP: &str = "\
Credentials come from TRANSPUTER_REGISTRY_USER and TRANSPUTER_REGISTRY_PASSWORD, or from where `docker login`
and `podman login` leave them: $DOCKER_AUTH_CONFIG, $REGISTRY_AUTH_FILE, config.json in $DOCKER_CONFIG or
~/.docker, containers/auth.json in $XDG_RUNTIME_DIR. Credential helpers are asked. Certificates are checked
against those of the system, or $SSL_CERT_FILE.";

/// What a registry is to believe. It has no `Debug`, so that it gets into no message.
pub(super) enum Credential {
    Password {
        user: String,
        password: String,
    },
    /// A token that gets other tokens.
    Refresh(String),
}

impl Credential {
    /// The credential for a registry, if there is one.
    ///
    /// # Errors
    /// If a place for credentials cannot be read: to go on without would be refused for no visible reason.
    pub(super) fn of(reference: &Reference) -> anyhow::Result<Option<Self>> {
        if let (Some(user), Some(password)) = (set(USER), set(PASSWORD)) {
            return Ok(Some(Self::Password { user, password }));
        }
        let key = reference.credentials_key();
        if let Some(text) = set(TEXT)
            && let Some(found) = find(text.as_bytes(), key, &format!("${TEXT}"))?
        {
            return Ok(Some(found));
        }
        for path in files() {
            let file = match File::open(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                opened => opened.with_context(|| format!("cannot read {}", path.display()))?,
            };
            if let Some(found) = find(file.take(LARGEST), key, &path.display().to_string())? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

/// What a variable is set to, if it is.
fn set(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// Where credentials may be, the most particular first.
fn files() -> Vec<PathBuf> {
    let folder = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
    let docker = folder("DOCKER_CONFIG").map(PathBuf::from);
    let docker = docker.or_else(|| Some(env::home_dir()?.join(".docker")));
    let podman = folder("XDG_RUNTIME_DIR")
        .map(|runtime| PathBuf::from(runtime).join("containers/auth.json"));
    let files = [
        folder("REGISTRY_AUTH_FILE").map(PathBuf::from),
        docker.map(|folder| folder.join("config.json")),
        podman,
    ];
    files.into_iter().flatten().collect()
}

/// The credential in a file, or the one of the helper that the file names.
fn find(file: impl Read, key: &str, named: &str) -> anyhow::Result<Option<Credential>> {
    use CredentialRetrievalError as Fault;

    let why = match docker_credential::get_credential_from_reader(file, key) {
        Ok(DockerCredential::UsernamePassword(user, password)) => {
            return Ok(Some(Credential::Password { user, password }));
        }
        Ok(DockerCredential::IdentityToken(token)) => return Ok(Some(Credential::Refresh(token))),
        Err(Fault::NoCredentialConfigured) => return Ok(None),
        // Helpers say so, and have no code for it.
        Err(Fault::HelperFailure { stdout, .. }) if stdout.contains("credentials not found") => {
            return Ok(None);
        }
        // Its output may have secrets in it.
        Err(Fault::HelperFailure { helper, .. }) => format!("{helper} failed"),
        Err(Fault::HelperCommunicationError) => {
            "the credential helper that it names cannot be run".to_owned()
        }
        Err(Fault::MalformedHelperResponse) => {
            "the credential helper that it names answers with something else".to_owned()
        }
        Err(Fault::ConfigReadError) => "it is no file of credentials".to_owned(),
        Err(_) => "what it has for this registry cannot be read".to_owned(),
    };
    Err(BadInput::new(format!("the credentials for {key} in {named}: {why}")).into())
}
