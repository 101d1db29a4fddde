//! What protects a network at a server: TLS, accounts that limit it, and that nothing there is trusted.

mod support;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use support::server::{self, Server};
use support::{End, Port};
use tokio::sync::watch;
use tokio::time::timeout;
use transputer_reach::carrier::{Carrier, Channel};
use transputer_reach::nats::{ConnectError, NatsCarrier, NatsOptions};
use transputer_reach::{Inlet, InletEnd, NoGate};

const EVER: Duration = Duration::from_secs(60);

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(future)
}

/// A certificate authority in a file of its own, and a certificate for the server that it vouches for.
fn authority(folder: &Path, name: &str) -> (PathBuf, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = params.self_signed(&key).unwrap();
    let ca = folder.join(format!("{name}-ca.pem"));
    std::fs::write(&ca, certificate.pem()).unwrap();
    let issuer = Issuer::new(params, key);
    let server_key = KeyPair::generate().unwrap();
    let server = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let server = server.signed_by(&server_key, &issuer).unwrap();
    let (cert, key) = (
        folder.join(format!("{name}.pem")),
        folder.join(format!("{name}.key")),
    );
    std::fs::write(&cert, server.pem()).unwrap();
    std::fs::write(&key, server_key.serialize_pem()).unwrap();
    let config = format!(
        "tls {{ cert_file: \"{}\", key_file: \"{}\" }}",
        cert.display(),
        key.display()
    );
    (ca, config)
}

#[test]
fn a_server_is_believed_only_with_a_certificate_of_the_right_authority() {
    let folder = tempfile::tempdir().unwrap();
    let (ca, config) = authority(folder.path(), "right");
    let (other, _) = authority(folder.path(), "wrong");
    let Some(server) = Server::start_with("TLS", &config) else {
        return;
    };
    let url = server.url().replace("nats://", "tls://");
    block_on(async {
        let mut options = NatsOptions::new(vec![url], "run", "host");
        for ca in [None, Some(other)] {
            options.tls_ca = ca;
            let refused = NatsCarrier::connect(&options).await;
            assert!(
                matches!(refused, Err(ConnectError::Refused(_))),
                "{refused:?}"
            );
        }
        options.tls_ca = Some(ca);
        let carrier = NatsCarrier::connect(&options).await.expect("it connects");
        let channel = Channel::new("a -> b", 4, "a.out", "b.in");
        carrier.open(&channel).await.expect("it carries");
    });
}

/// A server of the version of Debian 12 loses what a cluster of them stores.
#[test]
fn replicas_at_a_server_that_is_too_old_are_refused() {
    let program = Path::new("/usr/sbin/nats-server");
    if !program.is_file() || !server::is_old(program) {
        return server::not_checked("replicas at an old server");
    }
    let server = Server::start_program(program.to_owned(), "");
    let mut options = NatsOptions::new(vec![server.url()], "run", "host");
    options.replicas = 3;
    let refused = block_on(NatsCarrier::connect(&options));
    let text = format!("{refused:?}");
    assert!(
        text.contains("Refused") && text.contains("2.10.23 or newer"),
        "{text}"
    );
}

#[test]
fn messages_that_the_server_does_not_take_are_refused_with_both_figures() {
    let Some(server) = Server::start_with("max_payload", "max_payload: 65536") else {
        return;
    };
    let mut options = NatsOptions::new(vec![server.url()], "run", "host");
    options.longest_message = 16 << 20;
    let refused = block_on(NatsCarrier::connect(&options));
    let text = format!("{refused:?}");
    assert!(
        text.contains("Refused") && text.contains("65536") && text.contains("16777216"),
        "{text}"
    );
}

#[test]
fn a_server_without_jetstream_is_refused() {
    let Some(server) = Server::start_without_jetstream("JetStream") else {
        return;
    };
    let options = NatsOptions::new(vec![server.url()], "run", "host");
    let refused = block_on(NatsCarrier::connect(&options));
    let text = format!("{refused:?}");
    assert!(
        text.contains("Refused") && text.contains("no JetStream"),
        "{text}"
    );
}

/// One account for each network: others do not see its streams, and it has no more of them than it may.
#[test]
fn an_account_isolates_and_limits_a_network() {
    let accounts = "accounts {
        orders: { users: [{ user: orders, password: secret }], jetstream: { max_streams: 3 } }
        others: { users: [{ user: others, password: secret }], jetstream: enabled }
    }";
    let Some(server) = Server::start_with("accounts", accounts) else {
        return;
    };
    let url = |user: &str| {
        server
            .url()
            .replace("nats://", &format!("nats://{user}:secret@"))
    };
    block_on(async {
        let connect = async |user: &str| {
            let options = NatsOptions::new(vec![url(user)], "run", "host");
            NatsCarrier::connect(&options).await.expect("it connects")
        };
        let (orders, others) = (connect("orders").await, connect("others").await);
        let first = Channel::new("first", 4, "a.out", "b.in");
        orders
            .open(&first)
            .await
            .expect("the buckets and one stream");
        assert_eq!(others.look(&first).await, Ok(None));
        let second = Channel::new("second", 4, "a.out", "b.in");
        let refused = orders.open(&second).await;
        let text = format!("{refused:?}");
        assert!(
            text.contains("Refused") && text.contains("maximum number of streams"),
            "{text}"
        );
        let nobody = NatsOptions::new(vec![server.url()], "run", "host");
        let refused = NatsCarrier::connect(&nobody).await;
        assert!(
            matches!(refused, Err(ConnectError::Refused(_))),
            "{refused:?}"
        );
    });
}

/// Whoever has the credentials can write to a channel's subject.
#[test]
fn junk_on_a_channel_is_poison_with_a_reason() {
    let Some(server) = Server::start("junk") else {
        return;
    };
    for (header, expected) in [
        (None, "no header `Tp-N`"),
        (Some("1"), "no header `Tp-N`"),
        (Some("7 1"), "different epochs"),
    ] {
        block_on(async {
            let run = format!("run{expected}{header:?}");
            let options = NatsOptions::new(vec![server.url()], &run, "host");
            let carrier = Arc::new(NatsCarrier::connect(&options).await.expect("it connects"));
            let channel = Channel::new("lines", 4, "a.out", "b.in");
            let writer = transputer_reach::carrier::Writer {
                port: "a.out".to_owned(),
                epoch: 1,
                generation: 0,
            };
            carrier.open(&channel).await.unwrap();
            carrier.fence(&channel, &writer).await.unwrap();
            carrier.put_junk(&channel, &writer, header).await;
            let mut inlet = Inlet::take_over(carrier, &channel, "b.in", 1)
                .await
                .unwrap();
            let (port, mut sink) = {
                let port = Port::new();
                (port.clone(), port)
            };
            let (_keep, mut stop) = watch::channel(false);
            let end = timeout(EVER, inlet.run(&mut sink, &NoGate, &mut stop))
                .await
                .unwrap();
            assert!(
                matches!(&end, InletEnd::Poisoned { reason, .. } if reason.contains(expected)),
                "{end:?}"
            );
            let told = port.receive().await;
            assert!(matches!(told, Err(End::Poisoned(_, reason)) if reason.contains(expected)));
        });
    }
}
