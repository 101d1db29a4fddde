//! What a registry asks for: the header `WWW-Authenticate`.

use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

/// How requests are to prove who sends them.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// With a name and a password in each.
    Basic,
    /// With a token that a server gives out.
    Bearer {
        /// The server's address.
        realm: String,
        service: Option<String>,
        scope: Option<String>,
    },
}

impl Challenge {
    /// The best of those that the headers hold: tokens are worth less to whoever gets hold of one.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let texts = headers.get_all(WWW_AUTHENTICATE).iter();
        let known: Vec<Self> = texts
            .filter_map(|text| Self::read(text.to_str().ok()?))
            .collect();
        let is_bearer = |challenge: &Self| matches!(challenge, Self::Bearer { .. });
        let best = known.iter().position(is_bearer).unwrap_or(0);
        known.into_iter().nth(best)
    }

    fn read(text: &str) -> Option<Self> {
        let (scheme, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let parameters = parameters(rest);
        let named = |name: &str| {
            let found = parameters
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.clone())
        };
        Some(Self::Bearer {
            realm: named("realm")?,
            service: named("service"),
            scope: named("scope"),
        })
    }
}

/// `KEY=VALUE` and `KEY="VALUE"`, with commas between them.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((key, after)) = rest.split_once('=') {
        let key = key.trim_matches([' ', ',', '\t']).to_owned();
        let (value, left) = value(after);
        found.push((key, value));
        rest = left;
    }
    found
}

/// A value, and what is behind it.
fn value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(',').unwrap_or(text.len());
        return (text[..end].trim().to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(texts: &[&str]) -> Option<Challenge> {
        let mut headers = HeaderMap::new();
        for text in texts {
            headers.append(WWW_AUTHENTICATE, text.parse().unwrap());
        }
        Challenge::of(&headers)
    }

    #[test]
    fn challenges_are_read() {
        assert_eq!(of(&["Basic realm=\"x\""]), Some(Challenge::Basic));
        let bearer =
            "Bearer realm=\"https://a.example/t,o\",service=s, scope=\"repository:a:pull,push\"";
        let expected = Challenge::Bearer {
            realm: "https://a.example/t,o".to_owned(),
            service: Some("s".to_owned()),
            scope: Some("repository:a:pull,push".to_owned()),
        };
        assert_eq!(of(&["Basic", bearer]), Some(expected));
    }

    #[test]
    fn what_is_no_challenge_is_none() {
        for text in [
            "",
            "Negotiate",
            "Bearer",
            "Bearer service=s",
            "Bearer =",
            "Bearer \"",
        ] {
            assert_eq!(of(&[text]), None, "{text}");
        }
        assert_eq!(of(&[]), None);
        // An end that is missing, or escaped away.
        assert!(of(&["Bearer realm=\"a"]).is_some());
        assert!(of(&["Bearer realm=\"a\\"]).is_some());
    }
}
