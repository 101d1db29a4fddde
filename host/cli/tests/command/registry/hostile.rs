//! Registries that are not to be trusted.

use predicates::prelude::*;
use predicates::str::contains;
use serde_json::json;

use super::fake::{Answer, Fake, MANIFEST, Stored, digest};
use super::{Listens as _, User};

/// A user with a pack, and what an honest registry has of it.
fn stored() -> (User, Stored) {
    let user = User::new();
    user.packs(&[]);
    let stored = Stored::of(&user.read("echo.pack"));
    (user, stored)
}

fn pull(user: &User, name: &str) -> assert_cmd::assert::Assert {
    let mut pull = user.transputer();
    pull.args(["pull", name, "--output", "pulled.pack"])
        .assert()
}

#[test]
fn no_answer_is_read_without_end() {
    let (user, stored) = stored();
    let component = stored.component().to_owned();
    let endless_blob = Fake::open(move |request| match request.path.ends_with(&component) {
        true => Answer::new("200 OK").endless(),
        false => stored.answer(request),
    });
    let endless_manifest = Fake::open(|_| Answer::new("200 OK").endless());
    let endless_token = Fake::open(|request| match request.path.starts_with("/token") {
        true => Answer::new("200 OK").endless(),
        false => asks("Bearer realm=\"http://HOST/token\""),
    });
    for fake in [endless_blob, endless_manifest, endless_token] {
        pull(&user, &fake.oci("echo:1"))
            .code(2)
            .stderr(contains("its answer is longer than"));
    }
    let endless_fault = Fake::open(|_| Answer::new("500 Oh").endless());
    pull(&user, &endless_fault.oci("echo:1"))
        .code(4)
        .stderr(contains("it answers 500"));
    assert!(!user.home().join("pulled.pack").exists());
}

/// Asks for credentials.
pub(super) fn asks(challenge: &str) -> Answer {
    Answer::new("401 Unauthorized").header(format!("WWW-Authenticate: {challenge}"))
}

#[test]
fn what_has_another_digest_is_refused() {
    let (user, honest) = stored();
    let component = honest.component().to_owned();
    let other = Fake::open(move |request| {
        let answer = honest.answer(request);
        match request.path.ends_with(&component) {
            true => Answer::bytes("something else"),
            false => answer,
        }
    });
    pull(&user, &other.oci("echo:1"))
        .code(2)
        .stderr(contains("it is damaged: expected a blob of"));
    let (_, honest) = stored();
    let manifest = digest(&honest.manifest);
    let fake = Fake::open(move |request| honest.answer(request));
    let asked = fake.oci(&format!("echo@sha256:{}", "1".repeat(64)));
    pull(&user, &asked)
        .code(2)
        .stderr(contains(format!("found one with {manifest}")));
    pull(&user, &fake.oci(&format!("echo@{manifest}"))).success();
}

#[test]
fn what_is_no_pack_is_refused() {
    let image = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": digest(b"{}"),
            "size": 2,
        },
        "layers": [],
    });
    let mut elsewhere = image.clone();
    elsewhere["artifactType"] = json!("application/vnd.transputer.network.v1");
    elsewhere["config"]["digest"] = json!("sha256:../../../../secret");
    let mut huge = image.clone();
    huge["artifactType"] = json!("application/vnd.transputer.network.v1");
    huge["config"]["size"] = json!(u64::MAX);
    huge["layers"] = json!([image["config"], huge["config"]]);
    let cases = [
        (
            image.to_string(),
            "it holds no network of Transputer: its manifest is of the type \
          \"application/vnd.oci.image.config.v1+json\"",
        ),
        (elsewhere.to_string(), "is no digest"),
        (
            huge.to_string(),
            "has 18446744073709551615 bytes, which is more than 1073741824",
        ),
        ("[]".to_owned(), "its manifest cannot be read"),
        ("\u{1b}[31m".to_owned(), "its manifest cannot be read"),
    ];
    let user = User::new();
    for (manifest, expected) in cases {
        let fake = Fake::open(move |_| Answer::bytes(manifest.clone()));
        pull(&user, &fake.oci("echo:1"))
            .code(2)
            .stderr(contains(expected).and(contains("\u{1b}").not()));
        // Nothing but the manifest was asked for.
        let paths: Vec<_> = fake
            .seen()
            .into_iter()
            .map(|request| request.path)
            .collect();
        assert_eq!(paths, ["/v2/echo/manifests/1"]);
    }
}

#[test]
fn a_registrys_words_are_printed_as_text_and_cut_short() {
    let user = User::new();
    let words = format!("\u{1b}[2J{}", "blah ".repeat(10_000));
    let answer = json!({ "errors": [{ "code": "UNKNOWN", "message": words }] }).to_string();
    let fake = Fake::open(move |_| Answer::new("400 Bad Request").with(answer.clone()));
    let refused = pull(&user, &fake.oci("echo:1"))
        .code(2)
        .stderr(contains("it refuses its manifest: 400 Bad Request").and(contains("\u{1b}").not()));
    assert!(refused.get_output().stderr.len() < 1000);
}

#[test]
fn plain_http_has_to_be_asked_for() {
    let (user, stored) = stored();
    let fake = Fake::open(move |request| stored.answer(request));
    // The same registry, by an address that is not this machine's alone.
    let name = format!("oci://0.0.0.0:{}/echo:1", fake.port());
    pull(&user, &name)
        .code(4)
        .stderr(contains("no answer from").and(contains("--plain-http")));
    assert!(fake.seen().is_empty());
    let mut pull = user.transputer();
    pull.args(["pull", &name, "--plain-http", "--output", "pulled.pack"]);
    pull.assert().success();
    assert_eq!(user.read("pulled.pack"), user.read("echo.pack"));
}

#[test]
fn a_registry_that_sends_in_circles_is_left() {
    let user = User::new();
    let fake = Fake::open(|request| {
        Answer::new("307 Temporary Redirect").header(format!("Location: {}", request.path))
    });
    pull(&user, &fake.oci("echo:1"))
        .code(4)
        .stderr(contains("too many redirects"));
    assert!(fake.seen().len() < 20);
}
