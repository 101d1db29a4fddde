//! Registries that hand out tokens, and storage that is elsewhere.

use predicates::prelude::*;
use predicates::str::contains;

use super::fake::{Answer, Fake, Request, Stored};
use super::hostile::asks;
use super::{Listens as _, User};

/// `somebody:secret` as a header has it.
const BASIC: &str = "Basic c29tZWJvZHk6c2VjcmV0";

/// A server of tokens that gives this text to whoever proves to be somebody.
fn server(answer: &'static str) -> Fake {
    Fake::open(move |request| match request.authorization.as_deref() {
        Some(BASIC) => Answer::bytes(answer),
        _ => Answer::new("403 Forbidden").with("{\"details\": \"who are you?\"}"),
    })
}

/// A registry that honours the token `good`, as this server gives it out.
fn registry(server: &Fake, answer: impl Fn(&Request) -> Answer + Send + 'static) -> Fake {
    let challenge = format!(
        "Bearer realm=\"http://{}/token\",service=\"test registry\"",
        server.address()
    );
    Fake::open(move |request| match request.authorization.as_deref() {
        Some("Bearer good") => answer(request),
        _ => asks(&challenge),
    })
}

fn user() -> (User, Stored) {
    let user = User::new();
    user.packs(&[]);
    let stored = Stored::of(&user.read("echo.pack"));
    (user, stored)
}

fn command(user: &User, arguments: &[&str]) -> assert_cmd::assert::Assert {
    let mut command = user.transputer();
    command.env("TRANSPUTER_REGISTRY_USER", "somebody");
    command.env("TRANSPUTER_REGISTRY_PASSWORD", "secret");
    command.env("RUST_LOG", "trace");
    command.args(arguments).assert()
}

#[test]
fn tokens_are_got_for_what_is_to_be_done() {
    let (user, stored) = user();
    let server = server("{\"token\": \"good\"}");
    let registry = registry(&server, move |request| stored.answer(request));
    let name = registry.oci("team/echo:1");
    let kept_secret = contains("secret")
        .or(contains("c29tZWJvZHk6c2VjcmV0"))
        .not();
    command(&user, &["pull", &name])
        .success()
        .stderr(kept_secret.and(contains("Bearer good").not()));
    let asked: Vec<_> = server
        .seen()
        .into_iter()
        .map(|request| request.path)
        .collect();
    assert_eq!(
        asked,
        ["/token?scope=repository%3Ateam%2Fecho%3Apull&service=test+registry"]
    );
    // The registry itself never sees the password.
    let shown: Vec<_> = registry.seen();
    assert!(
        shown
            .iter()
            .all(|request| request.authorization.as_deref() != Some(BASIC))
    );
    let mut stranger = user.transputer();
    stranger.args(["pull", "--no-cache", &name]);
    stranger
        .assert()
        .code(2)
        .stderr(contains("refuses to let you pull (who are you?)"));
}

#[test]
fn a_refresh_token_gets_tokens() {
    let (user, stored) = user();
    let server = Fake::open(|request| {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        match body.contains("grant_type=refresh_token&refresh_token=long+lived") {
            true => Answer::bytes("{\"access_token\": \"good\"}"),
            false => Answer::new("401 Unauthorized"),
        }
    });
    let registry = registry(&server, move |request| stored.answer(request));
    let accounts = format!(
        "{{\"auths\": {{\"{}\": {{\"identitytoken\": \"long lived\"}}}}}}",
        registry.address()
    );
    let mut pull = user.transputer();
    pull.env("DOCKER_AUTH_CONFIG", accounts);
    pull.args(["pull", &registry.oci("echo:1")]);
    pull.assert().success();
}

#[test]
fn a_token_that_is_none_is_an_error() {
    let user = User::new();
    for (answer, expected) in [
        (
            "{\"token\": \"two\\nlines\"}",
            "its token cannot be sent back",
        ),
        ("{\"token\": 1}", "its server of tokens gave none"),
        ("[", "its server of tokens gave none"),
        ("{\"token\": \"bad\"}", "refuses to let you pull"),
    ] {
        let server = server(answer);
        let registry = registry(&server, |_| Answer::new("404 Not Found"));
        command(&user, &["pull", &registry.oci("echo:1")])
            .code(2)
            .stderr(contains(expected));
    }
}

#[test]
fn what_the_registry_has_is_not_sent_again() {
    let (user, stored) = user();
    let server = server("{\"token\": \"good\"}");
    let expected = stored.manifest.clone();
    let registry = registry(&server, move |request| match request.method.as_str() {
        "HEAD" => Answer::new("200 OK"),
        "PUT" => Answer::new("201 Created"),
        _ => Answer::new("500 Oh"),
    });
    command(&user, &["push", "echo.pack", &registry.oci("echo:1")]).success();
    let asked = server.seen();
    assert!(
        asked[0]
            .path
            .contains("scope=repository%3Aecho%3Apull%2Cpush")
    );
    let sent: Vec<_> = registry.seen();
    let sent: Vec<_> = sent
        .iter()
        .filter(|request| request.method != "HEAD")
        .collect();
    let [manifest] = sent.as_slice() else {
        panic!("{sent:?}");
    };
    assert_eq!(manifest.path, "/v2/echo/manifests/1");
    assert_eq!(manifest.body, expected);
}

#[test]
fn nobody_else_learns_who_we_are() {
    let (user, stored) = user();
    let component = stored.component().to_owned();
    let path = format!("/v2/echo/blobs/{component}");
    let storage = {
        let (_, stored) = self::user();
        Fake::open(move |request| match request.method.as_str() {
            "PUT" => Answer::new("201 Created"),
            _ => stored.answer(request),
        })
    };
    let server = server("{\"token\": \"good\"}");
    let elsewhere = format!("http://{}", storage.address());
    let registry = registry(&server, move |request| {
        let location = format!("Location: {elsewhere}{}", request.path);
        match request.method.as_str() {
            "HEAD" => Answer::new("404 Not Found"),
            "POST" => Answer::new("202 Accepted").header(location),
            "PUT" => Answer::new("201 Created"),
            _ if request.path == path => Answer::new("307 Temporary Redirect").header(location),
            _ => stored.answer(request),
        }
    });
    command(
        &user,
        &["pull", &registry.oci("echo:1"), "--output", "pulled.pack"],
    )
    .success();
    command(&user, &["push", "echo.pack", &registry.oci("echo:1")]).success();
    let seen = storage.seen();
    assert!(
        seen.iter().any(|request| request.method == "GET"),
        "{seen:?}"
    );
    assert!(
        seen.iter().any(|request| request.method == "PUT"),
        "{seen:?}"
    );
    assert!(seen.iter().all(|request| request.authorization.is_none()));
}
