//! Packs in OCI registries: pushed, pulled, and kept by their digests.
//!
//! A registry is not trusted. Every answer has a limit; what does not have the digest that was asked for is
//! refused; credentials go to the registry, and to the server of tokens that it names, only over TLS, except on this
//! machine or where plain HTTP was asked for. Nothing here prints a credential.
//!
//! The protocol is OCI's Distribution Specification, over `reqwest`. The crate's README says why not through a client
//! library.

mod challenge;
mod credentials;
mod kept;
mod reference;
mod session;
mod transfer;

use std::collections::BTreeMap;

use anyhow::Context as _;
use bytes::Bytes;
use clap::Args;
use reqwest::StatusCode;
use reqwest::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE};
use tokio::runtime::Runtime;
use transputer::CacheFolder;

pub(crate) use credentials::HELP;
pub(crate) use reference::Reference;

use crate::exit::BadInput;
use crate::packs::{self, Image, LARGEST_DOCUMENT, MANIFEST, Manifest};
use crate::progress::Progress;
use kept::Kept;
use session::{Access, Session};
use transfer::Transfer;

/// How registries are dealt with.
#[derive(Debug, Args)]
pub(crate) struct Remote {
    /// Speak plain HTTP with a registry that is not on this machine: whoever is in between can read it
    #[arg(long)]
    plain_http: bool,
}

/// How a registry is reached.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Reach {
    /// By TLS; on this machine by plain HTTP if it does not speak TLS.
    Usual,
    /// By plain HTTP.
    Plain,
}

impl Remote {
    fn reach(&self) -> Reach {
        match self.plain_http {
            true => Reach::Plain,
            false => Reach::Usual,
        }
    }
}

/// Pulls a pack of at most so many bytes, unless it is kept already.
pub(crate) fn pull(
    reference: &Reference,
    remote: &Remote,
    most: u64,
    cache: &CacheFolder,
    progress: Progress,
) -> anyhow::Result<Image> {
    let kept = Kept::open(cache);
    let kept_as = |digest: &str| kept.as_ref()?.read(digest);
    // What has this digest cannot have changed.
    if let Some(image) = reference.digest().and_then(kept_as) {
        return Ok(image);
    }
    let image = runtime()?.block_on(async {
        let mut session = Session::open(reference, Access::Pull, remote.reach()).await?;
        let written = manifest(&mut session, reference).await?;
        let digest = packs::digest(&written);
        if let Some(image) = kept_as(&digest) {
            return Ok(image);
        }
        let manifest = Manifest::read(&written, most).map_err(|error| named(reference, &error))?;
        let blobs = blobs(&mut session, reference, &manifest, progress).await?;
        assembled(written, most, blobs).map_err(|error| named(reference, &error))
    })?;
    if let Some(kept) = &kept {
        kept.keep(&image);
    }
    Ok(image)
}

/// The manifest, which has the digest that the reference names if it names one.
async fn manifest(session: &mut Session, reference: &Reference) -> anyhow::Result<Vec<u8>> {
    let transfer = Transfer::small();
    let address = session.address(&format!("manifests/{}", reference.version()))?;
    let response = session
        .send(&transfer, |client| {
            client.get(address.clone()).header(ACCEPT, MANIFEST)
        })
        .await?;
    match response.status() {
        StatusCode::OK => {}
        StatusCode::NOT_FOUND => {
            let text = format!(
                "{reference}: the registry has no such pack; `transputer push` puts one there"
            );
            return Err(BadInput::new(text).into());
        }
        _ => return Err(session.unexpected("its manifest", response).await),
    }
    let written = session
        .body(response, LARGEST_DOCUMENT as u64, &transfer)
        .await?;
    let found = packs::digest(&written);
    if let Some(expected) = reference.digest()
        && found != expected
    {
        let text =
            format!("{reference}: expected a manifest with this digest, found one with {found}");
        return Err(BadInput::new(text).into());
    }
    Ok(written)
}

/// All that a manifest names, by their digests.
async fn blobs(
    session: &mut Session,
    reference: &Reference,
    manifest: &Manifest,
    progress: Progress,
) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let transfer = Transfer::begin(progress, format!("pulling {reference}"), manifest.size());
    let mut blobs = BTreeMap::new();
    for descriptor in manifest.blobs() {
        let address = session.address(&format!("blobs/{}", descriptor.digest))?;
        let response = session
            .send(&transfer, |client| client.get(address.clone()))
            .await?;
        if response.status() != StatusCode::OK {
            return Err(session.unexpected("a part of it", response).await);
        }
        let blob = session.body(response, descriptor.size, &transfer).await?;
        blobs.insert(descriptor.digest.clone(), blob);
    }
    transfer.finish(&format!("pulled {reference}"));
    Ok(blobs)
}

fn assembled(
    written: Vec<u8>,
    most: u64,
    mut blobs: BTreeMap<String, Vec<u8>>,
) -> anyhow::Result<Image> {
    Image::verified(written, most, |descriptor| {
        Ok(blobs.remove(&descriptor.digest).unwrap_or_default())
    })
}

/// Pushes a pack; parts that the registry has are not sent again. What it may be pulled by for ever.
pub(crate) fn push(
    image: &Image,
    reference: &Reference,
    remote: &Remote,
    progress: Progress,
) -> anyhow::Result<Reference> {
    if reference.digest().is_some() {
        let text = format!(
            "{reference}: a pack is pushed to a tag, not to a digest: write oci://HOST/NAME:TAG"
        );
        return Err(BadInput::new(text).into());
    }
    runtime()?.block_on(async {
        let mut session = Session::open(reference, Access::Push, remote.reach()).await?;
        let transfer = Transfer::begin(
            progress,
            format!("pushing {reference}"),
            image.manifest.size(),
        );
        for descriptor in image.manifest.blobs() {
            let blob = Bytes::copy_from_slice(image.blob(&descriptor.digest)?);
            upload(&mut session, &transfer, &descriptor.digest, blob).await?;
        }
        let address = session.address(&format!("manifests/{}", reference.version()))?;
        let response = session
            .send(&transfer, |client| {
                let request = client.put(address.clone()).header(CONTENT_TYPE, MANIFEST);
                request.body(image.written.clone())
            })
            .await?;
        if response.status() != StatusCode::CREATED {
            return Err(session.unexpected("its manifest", response).await);
        }
        transfer.finish(&format!("pushed {reference}"));
        Ok(reference.with_digest(image.digest()))
    })
}

/// Sends a part of a pack, unless the registry has it.
async fn upload(
    session: &mut Session,
    transfer: &Transfer,
    digest: &str,
    blob: Bytes,
) -> anyhow::Result<()> {
    let address = session.address(&format!("blobs/{digest}"))?;
    let response = session
        .send(transfer, |client| client.head(address.clone()))
        .await?;
    if response.status() == StatusCode::OK {
        transfer.move_on(blob.len());
        return Ok(());
    }
    let address = session.address("blobs/uploads/")?;
    let begun = session
        .send(transfer, |client| {
            client.post(address.clone()).header(CONTENT_LENGTH, 0)
        })
        .await?;
    if begun.status() != StatusCode::ACCEPTED {
        return Err(session.unexpected("an upload", begun).await);
    }
    let mut address = session.location(&begun)?;
    address.query_pairs_mut().append_pair("digest", digest);
    let response = session
        .send(transfer, |client| {
            let request = client.put(address.clone());
            let request = request.header(CONTENT_TYPE, "application/octet-stream");
            request
                .header(CONTENT_LENGTH, blob.len())
                .body(transfer.body(blob.clone()))
        })
        .await?;
    match response.status() {
        StatusCode::CREATED => Ok(()),
        _ => Err(session.unexpected("a part of the pack", response).await),
    }
}

fn runtime() -> anyhow::Result<Runtime> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime
        .enable_all()
        .build()
        .context("cannot talk to a registry")
}

/// An error about what was pulled, with its name in front.
fn named(reference: &Reference, error: &anyhow::Error) -> anyhow::Error {
    BadInput::new(format!("{reference}: {error:#}")).into()
}
