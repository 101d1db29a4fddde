//! Requests to a registry, which is not trusted: every answer has a limit.

use std::error::Error;
use std::io;
use std::pin::pin;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url, redirect};
use serde::Deserialize;
use tokio::time::timeout;

use super::challenge::Challenge;
use super::credentials::Credential;
use super::transfer::Transfer;
use super::{Reach, Reference};
use crate::exit::BadInput;

/// How long a connection may take to come about, and how long an answer may stand still.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often it is looked at whether something has moved meanwhile.
const LOOK: Duration = Duration::from_secs(1);

/// The most bytes of an answer that tells what went wrong, and of one with a token.
const SHORT: usize = 64 << 10;

/// The most characters of a registry's own words that are passed on.
const MOST_WORDS: usize = 300;

const MOST_REDIRECTS: usize = 5;

/// What requests are to be allowed to do.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Pull,
    Push,
}

/// A conversation with a registry about the packs of one name.
pub(super) struct Session {
    client: Client,
    reference: Reference,
    access: Access,
    /// Where all of its addresses begin.
    base: Url,
    /// What showed the registry who sends the request, after it has asked.
    authorization: Option<HeaderValue>,
}

impl Session {
    /// Begins one. Nothing is sent yet, except to find out whether a registry on this machine speaks TLS.
    pub(super) async fn open(
        reference: &Reference,
        access: Access,
        reach: Reach,
    ) -> anyhow::Result<Self> {
        let at = |scheme: &str| {
            let text = format!(
                "{scheme}://{}/v2/{}/",
                reference.connects_to(),
                reference.name()
            );
            text.parse::<Url>().context("the registry's address")
        };
        let secure = client(reference, true)?;
        let is_plain = match reach {
            Reach::Plain => true,
            Reach::Usual if reference.is_loopback() => {
                let answer = secure.get(at("https")?).send().await;
                answer.is_err_and(|error| !speaks_tls(&error))
            }
            Reach::Usual => false,
        };
        let (client, base) = match is_plain {
            true => (client(reference, false)?, at("http")?),
            false => (secure, at("https")?),
        };
        Ok(Self {
            client,
            reference: reference.clone(),
            access,
            base,
            authorization: None,
        })
    }

    /// An address below the name.
    pub(super) fn address(&self, rest: &str) -> anyhow::Result<Url> {
        self.base.join(rest).context("the registry's address")
    }

    /// Sends a request, and once more if the registry asks who sends it.
    pub(super) async fn send(
        &mut self,
        transfer: &Transfer,
        request: impl Fn(&Client) -> RequestBuilder,
    ) -> anyhow::Result<Response> {
        let response = self.send_once(transfer, request(&self.client)).await?;
        if response.status() != StatusCode::UNAUTHORIZED || !self.is_own(response.url()) {
            return Ok(response);
        }
        self.authorize(response.headers(), transfer).await?;
        let response = self.send_once(transfer, request(&self.client)).await?;
        if response.status() == StatusCode::UNAUTHORIZED {
            return Err(self.refused(&told(response).await).into());
        }
        Ok(response)
    }

    async fn send_once(
        &self,
        transfer: &Transfer,
        request: RequestBuilder,
    ) -> anyhow::Result<Response> {
        let mut request = request.build().map_err(|error| self.failed(error))?;
        // Uploads may go elsewhere, where nobody is to learn who sends them.
        if let Some(authorization) = &self.authorization
            && self.is_own(request.url())
        {
            let headers = request.headers_mut();
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        self.patiently(transfer, self.client.execute(request)).await
    }

    /// Waits as long as something moves.
    async fn patiently<T>(
        &self,
        transfer: &Transfer,
        doing: impl Future<Output = reqwest::Result<T>>,
    ) -> anyhow::Result<T> {
        let mut doing = pin!(doing);
        let mut moved = (transfer.moved(), Instant::now());
        loop {
            if let Ok(done) = timeout(LOOK, &mut doing).await {
                return done.map_err(|error| self.failed(error));
            }
            if transfer.moved() != moved.0 {
                moved = (transfer.moved(), Instant::now());
            } else if moved.1.elapsed() > PATIENCE {
                let host = self.reference.authority();
                let text = format!("{}: nothing from {host} for {PATIENCE:?}", self.reference);
                return Err(anyhow::anyhow!(text));
            }
        }
    }

    /// Whether an address is the registry's own.
    fn is_own(&self, url: &Url) -> bool {
        url.origin() == self.base.origin()
    }

    /// Gets what the next requests are authorized by.
    async fn authorize(&mut self, asked: &HeaderMap, transfer: &Transfer) -> anyhow::Result<()> {
        let credential = Credential::of(&self.reference)?;
        let header = match (Challenge::of(asked), credential) {
            (
                Some(Challenge::Bearer {
                    realm,
                    service,
                    scope,
                }),
                credential,
            ) => {
                let token = self
                    .token(&realm, service, scope, credential, transfer)
                    .await?;
                HeaderValue::from_str(&format!("Bearer {token}"))
            }
            (Some(Challenge::Basic), Some(Credential::Password { user, password })) => {
                HeaderValue::from_str(&basic(&user, &password))
            }
            (Some(Challenge::Basic), _) => {
                return Err(self.refused("it wants a name and a password").into());
            }
            (None, _) => {
                return Err(self.refused("it does not say how to prove who asks").into());
            }
        };
        let mut header = header.map_err(|_| {
            BadInput::new(format!("{}: its token cannot be sent back", self.reference))
        })?;
        header.set_sensitive(true);
        self.authorization = Some(header);
        Ok(())
    }

    /// A token from the server that the registry names.
    async fn token(
        &self,
        realm: &str,
        service: Option<String>,
        scope: Option<String>,
        credential: Option<Credential>,
        transfer: &Transfer,
    ) -> anyhow::Result<String> {
        let wrong = || {
            BadInput::new(format!(
                "{}: its server of tokens has no right address: {realm:?}",
                self.reference
            ))
        };
        let mut url = realm.parse::<Url>().map_err(|_| wrong())?;
        let scope = scope.unwrap_or_else(|| {
            let actions = match self.access {
                Access::Pull => "pull",
                Access::Push => "pull,push",
            };
            format!("repository:{}:{actions}", self.reference.name())
        });
        let mut query = vec![("scope", scope)];
        query.extend(service.map(|service| ("service", service)));
        let request = match &credential {
            Some(Credential::Refresh(token)) => {
                query.push(("grant_type", "refresh_token".to_owned()));
                query.push(("refresh_token", token.clone()));
                query.push(("client_id", "transputer".to_owned()));
                let form = "application/x-www-form-urlencoded";
                let request = self.client.post(url).header("content-type", form);
                request.body(encoded(&query))
            }
            Some(Credential::Password { user, password }) => {
                url.query_pairs_mut().extend_pairs(&query);
                self.client.get(url).basic_auth(user, Some(password))
            }
            None => {
                url.query_pairs_mut().extend_pairs(&query);
                self.client.get(url)
            }
        };
        let response = self.patiently(transfer, request.send()).await?;
        match response.status() {
            status if status.is_success() => {}
            status if status.is_client_error() => {
                return Err(self.refused(&told(response).await).into());
            }
            _ => return Err(self.unexpected("a token", response).await),
        }
        let answer = self.body(response, SHORT as u64, transfer).await?;
        let answer: Token = serde_json::from_slice(&answer).unwrap_or_default();
        let token = answer.token.or(answer.access_token);
        Ok(token.ok_or_else(|| {
            BadInput::new(format!(
                "{}: its server of tokens gave none",
                self.reference
            ))
        })?)
    }

    /// The body of an answer, of at most so many bytes.
    pub(super) async fn body(
        &self,
        mut response: Response,
        most: u64,
        transfer: &Transfer,
    ) -> anyhow::Result<Vec<u8>> {
        let mut body = Vec::new();
        while let Some(part) = self.patiently(transfer, response.chunk()).await? {
            if (body.len() + part.len()) as u64 > most {
                let text = format!("{}: its answer is longer than {most} bytes", self.reference);
                return Err(BadInput::new(text).into());
            }
            body.extend_from_slice(&part);
            transfer.move_on(part.len());
        }
        Ok(body)
    }

    /// The address that an answer names.
    pub(super) fn location(&self, response: &Response) -> anyhow::Result<Url> {
        let named = response.headers().get(LOCATION);
        let named = named.and_then(|named| named.to_str().ok());
        let url = named.and_then(|named| response.url().join(named).ok());
        Ok(url.ok_or_else(|| {
            BadInput::new(format!(
                "{}: it does not say where to send to",
                self.reference
            ))
        })?)
    }

    /// An answer that is no use.
    pub(super) async fn unexpected(&self, what: &str, response: Response) -> anyhow::Error {
        let status = response.status();
        let told = told(response).await;
        let reference = &self.reference;
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => self.refused(&told).into(),
            status if status.is_client_error() => {
                BadInput::new(format!("{reference}: it refuses {what}: {status}{told}")).into()
            }
            _ => anyhow::anyhow!("{reference}: it answers {status} to {what}{told}"),
        }
    }

    /// Access that it does not give.
    fn refused(&self, why: &str) -> BadInput {
        let why = why.trim_start_matches(": ");
        let why = if why.is_empty() {
            String::new()
        } else {
            format!(" ({why})")
        };
        let (access, host) = (
            match self.access {
                Access::Pull => "pull",
                Access::Push => "push",
            },
            self.reference.authority(),
        );
        BadInput::new(format!(
            "{}: the registry refuses to let you {access}{why}; `docker login {host}` or `podman login {host}` leaves \
             credentials where they are found, or set TRANSPUTER_REGISTRY_USER and TRANSPUTER_REGISTRY_PASSWORD",
            self.reference
        ))
    }

    /// A request that got no answer.
    fn failed(&self, error: reqwest::Error) -> anyhow::Error {
        let host = self.reference.authority();
        let hint = match error.is_connect() && self.base.scheme() == "https" {
            true => {
                "; if it speaks plain HTTP, and you trust the network that leads there, say --plain-http"
            }
            false => "",
        };
        // Addresses that were redirected to may be secrets.
        anyhow::Error::new(error.without_url())
            .context(format!("{}: no answer from {host}{hint}", self.reference))
    }
}

#[derive(Default, Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

/// A client for a registry.
fn client(reference: &Reference, secure: bool) -> anyhow::Result<Client> {
    // The one that is compiled in. Another part of the program may have chosen it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .user_agent(concat!("transputer/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(PATIENCE)
        .redirect(redirect::Policy::limited(MOST_REDIRECTS))
        .referer(false)
        .https_only(secure);
    if reference.is_loopback() {
        builder = builder.no_proxy();
    }
    builder
        .build()
        .context("cannot make a client of registries")
}

/// Whether a connection failed although the other side speaks TLS: its certificate is wrong.
fn speaks_tls(error: &(dyn Error + 'static)) -> bool {
    if let Some(found) = error.downcast_ref::<rustls::Error>() {
        return matches!(found, rustls::Error::InvalidCertificate(_));
    }
    // What an `io::Error` wraps is not its source.
    let wrapped = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    match wrapped {
        Some(wrapped) => speaks_tls(wrapped),
        None => error.source().is_some_and(speaks_tls),
    }
}

fn basic(user: &str, password: &str) -> String {
    use base64::Engine as _;

    let both = format!("{user}:{password}");
    format!(
        "Basic {}",
        base64::engine::general_purpose::STANDARD.encode(both)
    )
}

/// Names and values as forms have them.
fn encoded(pairs: &[(&str, String)]) -> String {
    let Ok(mut url) = Url::parse("form:") else {
        return String::new();
    };
    url.query_pairs_mut().extend_pairs(pairs);
    url.query().unwrap_or_default().to_owned()
}

/// What an answer says of what went wrong, in its own words, behind a colon; or nothing.
async fn told(mut response: Response) -> String {
    let mut body = Vec::new();
    while let Ok(Ok(Some(part))) = timeout(PATIENCE, response.chunk()).await {
        if body.len() + part.len() > SHORT {
            break;
        }
        body.extend_from_slice(&part);
    }
    let told: Told = serde_json::from_slice(&body).unwrap_or_default();
    let first = told.errors.into_iter().next();
    let words = first.map_or(told.details, |first| match first.message.is_empty() {
        true => first.code,
        false => first.message,
    });
    match words.is_empty() {
        true => words,
        false => format!(": {}", words.chars().take(MOST_WORDS).collect::<String>()),
    }
}

/// What registries say of what went wrong, and servers of tokens.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Told {
    errors: Vec<Fault>,
    details: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Fault {
    code: String,
    message: String,
}
