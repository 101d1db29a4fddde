//! What names a pack in a registry: `oci://HOST/NAME:TAG`.

use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use std::str::FromStr;

use reqwest::Url;

use crate::packs::is_digest;

/// What such names begin with.
const SCHEME: &str = "oci://";

/// The tag of a name that has none.
const USUAL_TAG: &str = "latest";

/// The longest that OCI lets names be, and tags.
const LONGEST_NAME: usize = 255;
const LONGEST_TAG: usize = 128;

/// What Docker calls its registry, and where that is.
const DOCKER_HUB: &str = "docker.io";
const DOCKER_HUB_HOST: &str = "registry-1.docker.io";

/// A pack in a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// The host, with its port if it is not the usual one.
    authority: String,
    name: String,
    version: Version,
}

/// Which of the packs of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Version {
    Tag(String),
    Digest(String),
}

impl Reference {
    /// What a path names if it is no path, but in a registry.
    ///
    /// # Errors
    /// If it begins like that and goes on wrongly.
    pub(crate) fn of(path: &Path) -> Option<Result<Self, String>> {
        let text = path.to_str()?;
        text.starts_with(SCHEME).then(|| text.parse())
    }

    /// The host that users name, and its port.
    pub(super) fn authority(&self) -> &str {
        &self.authority
    }

    /// The host that is connected to, and its port.
    pub(super) fn connects_to(&self) -> &str {
        match self.authority.as_str() {
            DOCKER_HUB => DOCKER_HUB_HOST,
            authority => authority,
        }
    }

    /// What credentials for it are kept under.
    pub(super) fn credentials_key(&self) -> &str {
        match self.authority.as_str() {
            DOCKER_HUB => "https://index.docker.io/v1/",
            authority => authority,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// A name for a file of it.
    pub(crate) fn title(&self) -> &str {
        let (_, last) = self.name.rsplit_once('/').unwrap_or(("", &self.name));
        last
    }

    /// The tag or the digest.
    pub(super) fn version(&self) -> &str {
        match &self.version {
            Version::Tag(version) | Version::Digest(version) => version,
        }
    }

    /// The digest, if it names one.
    pub(super) fn digest(&self) -> Option<&str> {
        match &self.version {
            Version::Tag(_) => None,
            Version::Digest(digest) => Some(digest),
        }
    }

    /// The same name, and this digest.
    pub(super) fn with_digest(&self, digest: String) -> Self {
        Self {
            version: Version::Digest(digest),
            ..self.clone()
        }
    }

    /// Whether the registry is on this machine.
    pub(super) fn is_loopback(&self) -> bool {
        let url = Url::parse(&format!("https://{}/", self.authority)).ok();
        let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }
}

impl FromStr for Reference {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("expected oci://HOST/NAME:TAG, found {text:?}: {why}");
        let rest = text
            .strip_prefix(SCHEME)
            .ok_or_else(|| wrong("it does not begin with oci://"))?;
        let (authority, rest) = rest
            .split_once('/')
            .ok_or_else(|| wrong("there is no name behind the host"))?;
        let authority = checked_authority(authority).map_err(|why| wrong(&why))?;
        let (rest, digest) = match rest.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (rest, None),
        };
        let (name, tag) = match rest.split_once(':') {
            Some((name, tag)) => (name, Some(tag)),
            None => (rest, None),
        };
        if !is_name(name) {
            return Err(wrong(
                "a name has small letters, digits, and single . _ - / between them",
            ));
        }
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(wrong(
                "a tag has letters, digits, . _ and -, and begins with none of . and -",
            ));
        }
        let version = match (digest, tag) {
            // What a tag names may change; what has this digest may not.
            (Some(digest), _) if is_digest(digest) => Version::Digest(digest.to_owned()),
            (Some(_), _) => return Err(wrong("a digest is sha256: and 64 digits 0-9 a-f")),
            (None, tag) => Version::Tag(tag.unwrap_or(USUAL_TAG).to_owned()),
        };
        Ok(Self {
            authority,
            name: name.to_owned(),
            version,
        })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            authority, name, ..
        } = self;
        match &self.version {
            Version::Tag(tag) => write!(f, "{SCHEME}{authority}/{name}:{tag}"),
            Version::Digest(digest) => write!(f, "{SCHEME}{authority}/{name}@{digest}"),
        }
    }
}

/// A host and port, with nothing else that an address can have, such as a user.
fn checked_authority(text: &str) -> Result<String, String> {
    let url = Url::parse(&format!("https://{text}/"))
        .map_err(|error| format!("{text:?} is no host: {error}"))?;
    let is_plain = url.username().is_empty() && url.password().is_none() && url.path() == "/";
    if text.is_empty() || !is_plain || text.contains(['?', '#', '@', '\\']) {
        return Err(format!("{text:?} is no host with at most a port"));
    }
    let host = url.host_str().unwrap_or_default();
    Ok(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

fn is_name(name: &str) -> bool {
    name.len() <= LONGEST_NAME && name.split('/').all(is_part_of_name)
}

fn is_part_of_name(part: &str) -> bool {
    let is_alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separators = part.split(is_alphanumeric);
    part.starts_with(is_alphanumeric)
        && part.ends_with(is_alphanumeric)
        && separators
            .filter(|separator| !separator.is_empty())
            .all(|separator| {
                matches!(separator, "." | "_" | "__") || separator.chars().all(|c| c == '-')
            })
}

fn is_tag(tag: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    tag.len() <= LONGEST_TAG
        && tag.starts_with(is_word)
        && tag.chars().all(|c| is_word(c) || matches!(c, '.' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Reference {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for text in [
            "oci://localhost:5000/sieve:1.0",
            "oci://registry.example.org/team/a__b/c-d.e:Latest_2",
            "oci://[::1]:5000/sieve:1",
        ] {
            assert_eq!(parsed(text).to_string(), text);
        }
        assert_eq!(
            parsed("oci://example.org/a").to_string(),
            "oci://example.org/a:latest"
        );
        let digest = format!("sha256:{}", "0a".repeat(32));
        let both = parsed(&format!("oci://example.org/a:1@{digest}"));
        assert_eq!(both.to_string(), format!("oci://example.org/a@{digest}"));
        assert_eq!(parsed("oci://example.org/team/sieve:1").title(), "sieve");
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in [
            "sieve",
            "https://example.org/a:1",
            "oci://",
            "oci://example.org",
            "oci:///a:1",
            "oci://user:secret@example.org/a:1",
            "oci://example.org?x/a:1",
            "oci://example.org:port/a:1",
            "oci://example.org/",
            "oci://example.org/a//b",
            "oci://example.org/../b:1",
            "oci://example.org/A:1",
            "oci://example.org/a..b:1",
            "oci://example.org/a:",
            "oci://example.org/a:-1",
            "oci://example.org/a:1/2",
            "oci://example.org/a@sha256:0a",
            "oci://example.org/a@sha512:0a",
        ] {
            assert!(text.parse::<Reference>().is_err(), "{text}");
        }
        let long = format!("oci://example.org/{}:1", "a".repeat(LONGEST_NAME + 1));
        assert!(long.parse::<Reference>().is_err());
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for (host, loopback) in [
            ("localhost", true),
            ("localhost:5000", true),
            ("127.0.0.1:5000", true),
            ("127.1.2.3", true),
            ("[::1]:5000", true),
            ("example.org", false),
            ("localhost.example.org", false),
            ("10.0.0.1", false),
            ("0.0.0.0", false),
        ] {
            let reference = parsed(&format!("oci://{host}/a:1"));
            assert_eq!(reference.is_loopback(), loopback, "{host}");
        }
    }
}
