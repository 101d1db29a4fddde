//! What people do with a registry.

use std::path::Path;
use std::process::Command as Program;

use predicates::prelude::*;
use predicates::str::{contains, is_empty};

use super::server::Registry;
use super::{ECHO, Listens as _, User};
use crate::{network, write};

/// The name that `push` has printed.
fn printed(output: &[u8]) -> String {
    let text = std::str::from_utf8(output).expect("text");
    text.trim_end().to_owned()
}

#[test]
fn a_pushed_network_is_pulled_and_run_elsewhere() {
    let Some(registry) = Registry::start("push, pull and run") else {
        return;
    };
    let (author, user) = (User::new(), User::new());
    let to = registry.oci("team/echo:1.0");
    let source = network(ECHO);
    let mut push = author.transputer();
    push.arg("push").arg(source.path()).arg(&to);
    let pushed = push
        .assert()
        .success()
        .stderr(contains(format!("pushed {to}")))
        .get_output()
        .stdout
        .clone();
    let by_digest = printed(&pushed);
    assert!(
        by_digest.starts_with(&registry.oci("team/echo@sha256:")),
        "{by_digest}"
    );
    for name in [&to, &by_digest] {
        let mut run = user.transputer();
        run.args(["run", name]).write_stdin("once\ntwice\n");
        run.assert().success().stdout("once\ntwice\n");
    }
    // What is pulled is what would have been packed, byte for byte.
    author.packs(&[]);
    let mut pull = user.transputer();
    pull.args(["pull", &to])
        .assert()
        .success()
        .stderr(contains("wrote `echoing` to echo.pack (sha256:"));
    assert_eq!(user.read("echo.pack"), author.read("echo.pack"));
}

#[test]
fn a_pack_that_was_pulled_is_kept_by_its_digest() {
    let Some(registry) = Registry::start("kept packs") else {
        return;
    };
    let user = User::new();
    user.packs(&[]);
    let to = registry.oci("echo:1");
    let mut push = user.transputer();
    let pushed = push.args(["push", "--quiet", "echo.pack", &to]);
    let pushed = pushed.assert().success().stderr(is_empty());
    let by_digest = printed(&pushed.get_output().stdout);
    let run = |name: &str, more: &[&str]| {
        let mut run = user.transputer();
        run.args(["run", name]).args(more).write_stdin("kept\n");
        run.assert()
    };
    let pulling = format!("pulled {to}");
    run(&to, &[]).success().stderr(contains(&pulling));
    run(&to, &[]).success().stderr(contains(&pulling).not());
    // A kept pack is as little believed as any other.
    let kept = user.home().join(".cache/transputer/packs");
    let files: Vec<_> = std::fs::read_dir(&kept).unwrap().collect();
    let [Ok(file)] = files.as_slice() else {
        panic!("{files:?}");
    };
    let mut bytes = std::fs::read(file.path()).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(file.path(), bytes).unwrap();
    run(&to, &[])
        .success()
        .stderr(contains("is damaged, and is pulled again").and(contains(&pulling)));
    run(&to, &["--no-cache"])
        .success()
        .stderr(contains(&pulling));
    // Nobody has to be asked for what cannot have changed; for a tag, somebody has.
    drop(registry);
    run(&by_digest, &[]).success().stdout("kept\n");
    run(&to, &[]).code(4).stderr(contains("no answer from"));
    run(&by_digest, &["--no-cache"]).code(4);
}

#[test]
fn what_a_registry_does_not_have_is_told() {
    let Some(registry) = Registry::start("what is missing") else {
        return;
    };
    let user = User::new();
    user.packs(&[]);
    let mut push = user.transputer();
    push.args(["push", "echo.pack", &registry.oci("echo:1")]);
    push.assert().success();
    for name in ["echo:2", "other:1"] {
        let name = registry.oci(name);
        let expected = format!("{name}: the registry has no such pack");
        let mut pull = user.transputer();
        pull.args(["pull", &name])
            .assert()
            .code(2)
            .stderr(contains(expected));
    }
    let digest = registry.oci(&format!("echo@sha256:{}", "0".repeat(64)));
    let mut run = user.transputer();
    run.args(["run", &digest]);
    run.assert().code(2).stderr(contains("has no such pack"));
    let mut push = user.transputer();
    push.args(["push", "echo.pack", &digest]);
    push.assert().code(2).stderr(contains("not to a digest"));
    let mut push = user.transputer();
    push.args(["push", "echo.pack", "oci://localhost"]);
    push.assert()
        .code(2)
        .stderr(contains("expected oci://HOST/NAME:TAG"));
    let mut run = user.transputer();
    run.args(["run", "oci://localhost:5000/Echo:1"]);
    run.assert().code(2).stderr(contains("small letters"));
}

#[test]
fn a_large_pack_is_refused_and_the_progress_of_one_is_told() {
    let Some(registry) = Registry::start("large packs") else {
        return;
    };
    let user = User::new();
    let source = network(&ECHO.replace("{guest:echo}", "large.wasm"));
    let mut component = std::fs::read(crate::guest("echo")).unwrap();
    // A custom section with an empty name.
    let filling = 33_u32 << 20;
    component.push(0);
    let mut length = filling + 1;
    while length >= 0x80 {
        component.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    component.push(length as u8);
    component.resize(component.len() + 1 + filling as usize, 0);
    write(source.path(), "large.wasm", component);
    let to = registry.oci("large:1");
    let mut push = user.transputer();
    push.arg("push").arg(source.path()).arg(&to);
    let told = |doing: &str| {
        contains(format!("{doing} {to}: 50%")).and(contains(format!("{doing} {to}: 100%")))
    };
    push.assert().success().stderr(told("pushing"));
    let pull = |more: &[&str]| {
        let mut pull = user.transputer();
        pull.args(["pull", &to]).args(more).assert()
    };
    pull(&["--max-pack", "16MiB"])
        .code(2)
        .stderr(contains("which is more than 16777216"));
    pull(&[]).success().stderr(told("pulling"));
}

#[test]
fn signatures_travel_with_packs() {
    let Some(registry) = Registry::start("signatures in a registry") else {
        return;
    };
    let user = User::new();
    write(user.home(), "key.pem", crate::packing::PRIVATE);
    write(user.home(), "public.pem", crate::packing::PUBLIC);
    write(user.home(), "other.pem", crate::packing::OTHER);
    let source = network(ECHO);
    let to = registry.oci("echo:signed");
    let mut push = user.transputer();
    push.arg("push")
        .arg(source.path())
        .args([&to, "--sign", "key.pem"]);
    push.assert().success();
    let run = |key: &str| {
        let mut run = user.transputer();
        run.args(["run", &to, "--verify", key]).write_stdin("");
        run.assert()
    };
    run("public.pem").success();
    run("other.pem")
        .code(2)
        .stderr(contains("its signature is not of this key"));
    let mut pull = user.transputer();
    pull.args(["pull", &to, "--verify", "other.pem"]);
    pull.assert()
        .code(2)
        .stderr(contains("its signature is not of this key"));
    assert!(!user.home().join("echo.pack").exists());
    user.packs(&[]);
    let mut push = user.transputer();
    push.args(["push", "echo.pack", &to, "--sign", "key.pem"]);
    push.assert().code(2).stderr(contains("is a pack already"));
}

/// The user `somebody`, whose password is `pass:word`, as `htpasswd -B` writes it.
const ACCOUNTS: &str = "somebody:$2b$04$4Bx51WEumtIuH3nuboohl.HEcj6RMFDBa99liCXyJuVqZSX5UVFE.\n";

#[test]
fn credentials_are_found_where_other_tools_keep_them_and_never_printed() {
    let accounts = |folder: &Path| {
        write(folder, "accounts", ACCOUNTS);
        let path = folder.join("accounts");
        format!("auth: {{htpasswd: {{realm: test, path: {path:?}}}}}")
    };
    let Some(registry) = Registry::start_with("credentials", accounts) else {
        return;
    };
    let user = User::new();
    user.packs(&[]);
    let to = registry.oci("echo:1");
    let push = || {
        let mut push = user.transputer();
        // Whatever is logged, too.
        push.env("RUST_LOG", "trace");
        push.args(["push", "echo.pack", &to]);
        push
    };
    let secret = || contains("pass:word").or(contains("c29tZWJvZHk6cGFzczp3b3Jk"));
    push().assert().code(2).stderr(
        contains("refuses to let you push")
            .and(contains(format!("`docker login {}`", registry.address()))),
    );
    let with = |user: &str, password: &str| {
        let mut push = push();
        push.env("TRANSPUTER_REGISTRY_USER", user);
        push.env("TRANSPUTER_REGISTRY_PASSWORD", password);
        push
    };
    with("somebody", "wrong")
        .assert()
        .code(2)
        .stderr(contains("refuses to let you push").and(contains("wrong").not()));
    with("somebody", "pass:word")
        .assert()
        .success()
        .stderr(secret().not());
    // As `docker login` leaves them.
    let text = format!(
        "{{\"auths\": {{\"{}\": {{\"auth\": \"c29tZWJvZHk6cGFzczp3b3Jk\"}}}}}}",
        registry.address()
    );
    push().env("DOCKER_AUTH_CONFIG", &text).assert().success();
    write(user.home(), "elsewhere/config.json", &text);
    push().env("DOCKER_CONFIG", "elsewhere").assert().success();
    push()
        .env("REGISTRY_AUTH_FILE", "elsewhere/config.json")
        .assert()
        .success();
    write(user.home(), ".docker/config.json", "no JSON");
    push()
        .assert()
        .code(2)
        .stderr(contains("config.json: it is no file of credentials"));
    write(user.home(), ".docker/config.json", &text);
    push().assert().success().stderr(secret().not());
}

#[cfg(unix)]
#[test]
fn credential_helpers_are_asked() {
    use std::os::unix::fs::PermissionsExt as _;

    let accounts = |folder: &Path| {
        write(folder, "accounts", ACCOUNTS);
        let path = folder.join("accounts");
        format!("auth: {{htpasswd: {{realm: test, path: {path:?}}}}}")
    };
    let Some(registry) = Registry::start_with("credential helpers", accounts) else {
        return;
    };
    let user = User::new();
    user.packs(&[]);
    let text = format!(
        "{{\"credHelpers\": {{\"{}\": \"of-test\"}}}}",
        registry.address()
    );
    write(user.home(), ".docker/config.json", text);
    let push = |helper: &str| {
        let path = user.home().join("docker-credential-of-test");
        write(
            user.home(),
            "docker-credential-of-test",
            format!("#!/bin/sh\nread registry\n{helper}\n"),
        );
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        let mut push = user.transputer();
        let paths = std::env::var("PATH").unwrap_or_default();
        push.env("PATH", format!("{}:{paths}", user.home().display()));
        push.args(["push", "echo.pack", &registry.oci("echo:1")]);
        push.assert()
    };
    // It is told the registry on its standard input.
    let right = format!(
        "test \"$1 $registry\" = 'get {}' || exit 1
         echo '{{\"Username\": \"somebody\", \"Secret\": \"pass:word\"}}'",
        registry.address()
    );
    push(&right).success();
    push("echo 'pass:word is broken'; exit 1")
        .code(2)
        .stderr(contains("docker-credential-of-test failed").and(contains("pass:word").not()));
    push("echo 'credentials not found in native keychain'; exit 1")
        .code(2)
        .stderr(contains("refuses to let you push"));
}

#[test]
fn certificates_are_checked() {
    let tls = |folder: &Path| {
        certificate(folder);
        let (certificate, key) = (folder.join("tls.pem"), folder.join("key.pem"));
        format!(
            "http: {{addr: \"127.0.0.1:0\", secret: of-a-test, tls: {{certificate: {certificate:?}, key: {key:?}}}}}"
        )
    };
    let Some(registry) = Registry::start_with("TLS", tls) else {
        return;
    };
    let user = User::new();
    user.packs(&[]);
    let to = format!("oci://localhost:{}/echo:1", registry.port());
    let push = |name: &str, trusted: bool| {
        let mut push = user.transputer();
        if trusted {
            push.env("SSL_CERT_FILE", registry.folder().join("tls.pem"));
        }
        push.args(["push", "echo.pack", name]).assert()
    };
    push(&to, false).code(4).stderr(contains("certificate"));
    push(&to, true).success();
    // The certificate is of another name.
    push(&registry.oci("echo:1"), true)
        .code(4)
        .stderr(contains("certificate"));
    let mut run = user.transputer();
    run.env("SSL_CERT_FILE", registry.folder().join("tls.pem"));
    run.args(["run", &to]).write_stdin("over TLS\n");
    run.assert().success().stdout("over TLS\n");
}

/// A certificate for `localhost`, which vouches for itself.
fn certificate(folder: &Path) {
    let mut openssl = Program::new("openssl");
    openssl.current_dir(folder).args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost",
        "-addext",
        "basicConstraints=critical,CA:FALSE",
        "-keyout",
        "key.pem",
        "-out",
        "tls.pem",
    ]);
    let made = openssl
        .output()
        .expect("openssl, which comes with the registry's package");
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
}
