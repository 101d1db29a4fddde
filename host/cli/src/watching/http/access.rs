//! Who may see the page.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

use anyhow::Context as _;
use hyper::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN};
use hyper::{HeaderMap, StatusCode, Uri};

/// The variable with the token that is to be used.
const TOKEN: &str = "TRANSPUTER_TOKEN";

/// What the token is called in a cookie, and in the page's address.
const COOKIE_NAME: &str = "transputer-token";
const PARAMETER: &str = "token";

/// Fewer characters could be guessed.
const SHORTEST: usize = 16;

/// Where the page is to be served: `8080`, `:8080`, `127.0.0.1:8080`, `[::1]:8080`, `host.example:8080`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    host: String,
    port: u16,
}

impl Address {
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || {
            format!(
                "expected a port, or an address and a port such as 127.0.0.1:8080; found {text:?}"
            )
        };
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, port),
            None => ("", text),
        };
        let host = match host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
        {
            Some(inner) => inner,
            None if host.contains(':') => return Err(expected()),
            None => host,
        };
        let port = port.parse().map_err(|_| expected())?;
        let host = match host {
            // Nobody but this machine, unless it is said otherwise.
            "" => Ipv4Addr::LOCALHOST.to_string(),
            host => host.to_owned(),
        };
        Ok(Address { host, port })
    }
}

/// What a request must bring along.
#[derive(Debug)]
pub(super) struct Access {
    /// What the user called the host.
    named: String,
    bound: SocketAddr,
    /// Compared by its digest, in a time that says nothing about it.
    token: Option<(String, blake3::Hash)>,
}

/// What becomes of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Admission {
    Admitted,
    /// The token came in the page's address: it is to be kept as a cookie instead.
    ByLink,
    Refused(StatusCode, &'static str),
}

impl Access {
    /// # Errors
    /// If a token is needed, and cannot be made or is too short.
    pub(super) fn new(address: &Address, bound: SocketAddr) -> anyhow::Result<Access> {
        let given = std::env::var(TOKEN).ok().filter(|token| !token.is_empty());
        let token = match given {
            Some(token) if token.len() < SHORTEST || !token.bytes().all(fits_a_cookie) => {
                anyhow::bail!(
                    "{TOKEN} must have {SHORTEST} characters or more, all of them letters, digits, `-` or `_`"
                )
            }
            Some(token) => Some(token),
            None if bound.ip().is_loopback() => None,
            None => Some(fresh_token()?),
        };
        Ok(Access {
            named: address.host.to_lowercase(),
            bound,
            token: token.map(|token| {
                let digest = blake3::hash(token.as_bytes());
                (token, digest)
            }),
        })
    }

    /// What to open in a browser.
    pub(super) fn link(&self) -> String {
        let mut bound = self.bound;
        if bound.ip().is_unspecified() {
            // Any address of this machine will do; this one is always right on the machine itself.
            bound.set_ip(match bound.ip() {
                IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                IpAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
            });
        }
        match &self.token {
            None => format!("http://{bound}/"),
            Some((token, _)) => format!("http://{bound}/?{PARAMETER}={token}"),
        }
    }

    /// Whether a request may be answered.
    pub(super) fn admit(&self, uri: &Uri, headers: &HeaderMap) -> Admission {
        let mut hosts = headers.get_all(HOST).iter();
        let host = hosts.next().and_then(|host| host.to_str().ok());
        let Some(host) = host.filter(|host| hosts.next().is_none() && self.knows(host)) else {
            return Admission::Refused(
                StatusCode::FORBIDDEN,
                "This is not the host that you named: open the address that the command printed.\n",
            );
        };
        let own = format!("http://{host}");
        if headers
            .get_all(ORIGIN)
            .iter()
            .any(|origin| origin != own.as_str())
        {
            return Admission::Refused(
                StatusCode::FORBIDDEN,
                "Another page may not read this one.\n",
            );
        }
        self.check_token(uri, headers)
    }

    /// Whether a `Host` means this server: an address, which nobody else's name can turn into, the
    /// name `localhost`, or the one that the user gave.
    fn knows(&self, host: &str) -> bool {
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => (name, port.parse().ok()),
            _ => (host, Some(80)),
        };
        if port != Some(self.bound.port()) {
            return false;
        }
        let name = name.to_lowercase();
        let bare = name
            .strip_prefix('[')
            .and_then(|name| name.strip_suffix(']'));
        let ip: Option<IpAddr> = bare.unwrap_or(&name).parse().ok();
        match ip {
            Some(ip) => !self.bound.ip().is_loopback() || ip.is_loopback(),
            None => name == "localhost" || name == self.named,
        }
    }

    fn check_token(&self, uri: &Uri, headers: &HeaderMap) -> Admission {
        let Some((_, digest)) = &self.token else {
            return Admission::Admitted;
        };
        let right = |token: &str| blake3::hash(token.as_bytes()) == *digest;
        let bearer = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        if bearer
            .and_then(|value| value.strip_prefix("Bearer "))
            .is_some_and(right)
        {
            return Admission::Admitted;
        }
        let cookies = headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok());
        let mut cookies = cookies.flat_map(|value| value.split(';'));
        let own = |cookie: &str| {
            let (name, value) = cookie.trim().split_once('=')?;
            (name == COOKIE_NAME).then(|| value.to_owned())
        };
        if cookies.any(|cookie| own(cookie).is_some_and(|value| right(&value))) {
            return Admission::Admitted;
        }
        if parameter(uri, PARAMETER).is_some_and(right) {
            return Admission::ByLink;
        }
        Admission::Refused(
            StatusCode::UNAUTHORIZED,
            "This page needs a token: open the address that the command printed, or send the token as \
             `Authorization: Bearer TOKEN`.\n",
        )
    }

    /// What has a browser keep the token.
    pub(super) fn cookie(&self) -> String {
        let token = self.token.as_ref().map_or("", |(token, _)| token);
        format!("{COOKIE_NAME}={token}; HttpOnly; SameSite=Strict; Path=/")
    }
}

/// The value of a parameter in an address, as it is written there.
pub(super) fn parameter<'u>(uri: &'u Uri, name: &str) -> Option<&'u str> {
    let pairs = uri
        .query()?
        .split('&')
        .filter_map(|pair| pair.split_once('='));
    pairs
        .filter(|(key, _)| *key == name)
        .map(|(_, value)| value)
        .next()
}

fn fits_a_cookie(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

fn fresh_token() -> anyhow::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).context("cannot make a token")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(address: &str, token: Option<&str>) -> Access {
        let address: Address = address.parse().expect("an address");
        let ip = address
            .host
            .parse()
            .unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        Access {
            named: address.host.clone(),
            bound: SocketAddr::new(ip, address.port),
            token: token.map(|token| (token.to_owned(), blake3::hash(token.as_bytes()))),
        }
    }

    fn admit(
        access: &Access,
        path: &str,
        headers: &[(hyper::header::HeaderName, &str)],
    ) -> Option<u16> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, value.parse().expect("a header"));
        }
        match access.admit(&path.parse().expect("a path"), &map) {
            Admission::Refused(status, _) => Some(status.as_u16()),
            _ => None,
        }
    }

    #[test]
    fn addresses_are_on_the_loopback_unless_they_say_otherwise() {
        for (text, shown) in [
            ("8080", "127.0.0.1:8080"),
            (":8080", "127.0.0.1:8080"),
            ("0.0.0.0:1", "0.0.0.0:1"),
            ("[::1]:8080", "[::1]:8080"),
            ("host.example:80", "host.example:80"),
        ] {
            assert_eq!(text.parse::<Address>().expect(text).to_string(), shown);
        }
        for text in ["", "x", "1.2.3.4", "127.0.0.1:99999", "::1:80", "host:"] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }

    #[test]
    fn foreign_hosts_and_origins_are_refused() {
        let here = access("127.0.0.1:8080", None);
        for host in [
            "127.0.0.1:8080",
            "localhost:8080",
            "LOCALHOST:8080",
            "[::1]:8080",
        ] {
            assert_eq!(admit(&here, "/", &[(HOST, host)]), None, "{host}");
        }
        for host in [
            "evil.example:8080",
            "127.0.0.1",
            "127.0.0.1:8081",
            "10.0.0.1:8080",
            "127.0.0.1.evil.example:8080",
            "",
        ] {
            assert_eq!(admit(&here, "/", &[(HOST, host)]), Some(403), "{host}");
        }
        assert_eq!(admit(&here, "/", &[]), Some(403));
        let twice = [(HOST, "127.0.0.1:8080"), (HOST, "127.0.0.1:8080")];
        assert_eq!(admit(&here, "/", &twice), Some(403));
        for origin in [
            "http://evil.example",
            "null",
            "https://127.0.0.1:8080",
            "http://localhost:8080",
        ] {
            let headers = [(HOST, "127.0.0.1:8080"), (ORIGIN, origin)];
            assert_eq!(admit(&here, "/", &headers), Some(403), "{origin}");
        }
        let own = [(HOST, "127.0.0.1:8080"), (ORIGIN, "http://127.0.0.1:8080")];
        assert_eq!(admit(&here, "/", &own), None);
    }

    #[test]
    fn a_token_comes_by_header_cookie_or_link() {
        let far = access("0.0.0.0:80", Some("0123456789abcdef"));
        let host = (HOST, "192.0.2.1");
        let with = |name, value| admit(&far, "/", &[host.clone(), (name, value)]);
        assert_eq!(admit(&far, "/", std::slice::from_ref(&host)), Some(401));
        assert_eq!(with(AUTHORIZATION, "Bearer 0123456789abcdef"), None);
        assert_eq!(with(AUTHORIZATION, "Bearer 0123456789abcdeF"), Some(401));
        assert_eq!(with(COOKIE, "a=b; transputer-token=0123456789abcdef"), None);
        assert_eq!(with(COOKIE, "transputer-token="), Some(401));
        let link = "/?token=0123456789abcdef".parse().expect("a path");
        let mut headers = HeaderMap::new();
        headers.insert(HOST, "192.0.2.1".parse().expect("a header"));
        assert_eq!(far.admit(&link, &headers), Admission::ByLink);
        headers.insert(HOST, "evil.example".parse().expect("a header"));
        assert!(matches!(far.admit(&link, &headers), Admission::Refused(..)));
    }
}
