//! Signatures of packs: Ed25519, with keys as OpenSSL makes them.
//!
//! What is signed is the digests of the configuration and of the layers, in their order, with their types: all that
//! decides what runs. The signature is an annotation of the manifest, so it goes wherever that goes.

use std::path::Path;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, DecodePublicKey as _};
use ed25519_dalek::{Signature, Signer as _};

use super::image::{Image, Manifest};
use crate::exit::BadInput;

/// The annotation that holds the signature, in Base64.
const ANNOTATION: &str = "org.transputer.signature.ed25519";

/// A key that signs.
pub(crate) struct SigningKey(ed25519_dalek::SigningKey);

/// A key that tells whether a signature is right.
pub(crate) struct VerifyingKey(ed25519_dalek::VerifyingKey);

impl SigningKey {
    /// Reads a private key in PEM: `openssl genpkey -algorithm ed25519`.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let key = ed25519_dalek::SigningKey::from_pkcs8_pem(&read(path)?);
        let key = key.map_err(|error| {
            BadInput::new(format!(
                "{} holds no private key for Ed25519 in PEM ({error}); `openssl genpkey -algorithm ed25519` makes one",
                path.display()
            ))
        })?;
        Ok(Self(key))
    }

    /// Signs what the manifest names.
    pub(super) fn sign(&self, manifest: &mut Manifest) {
        let signature = self.0.sign(payload(manifest).as_bytes());
        let signature = STANDARD.encode(signature.to_bytes());
        manifest
            .annotations
            .insert(ANNOTATION.to_owned(), signature);
    }
}

impl VerifyingKey {
    /// Reads a public key in PEM: `openssl pkey -pubout`.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let key = ed25519_dalek::VerifyingKey::from_public_key_pem(&read(path)?);
        let key = key.map_err(|error| {
            BadInput::new(format!(
                "{} holds no public key for Ed25519 in PEM ({error}); `openssl pkey -pubout` makes one of a private key",
                path.display()
            ))
        })?;
        Ok(Self(key))
    }

    /// Fails unless this key's owner has signed the image.
    pub(crate) fn check(&self, image: &Image) -> anyhow::Result<()> {
        let found = image.manifest.annotations.get(ANNOTATION);
        let found = found
            .ok_or_else(|| BadInput::new("it is not signed; `transputer pack --sign KEY` signs"))?;
        let signature = STANDARD.decode(found).ok();
        let signature = signature.and_then(|bytes| Signature::from_slice(&bytes).ok());
        let payload = payload(&image.manifest);
        let right = signature
            .is_some_and(|signature| self.0.verify_strict(payload.as_bytes(), &signature).is_ok());
        match right {
            true => Ok(()),
            false => Err(BadInput::new(
                "its signature is not of this key, or of something else: do not run it",
            )
            .into()),
        }
    }
}

fn payload(manifest: &Manifest) -> String {
    let mut payload = "transputer pack 1\n".to_owned();
    for descriptor in [&manifest.config].into_iter().chain(&manifest.layers) {
        payload.push_str(&format!(
            "{} {} {}\n",
            descriptor.digest, descriptor.size, descriptor.media_type
        ));
    }
    payload
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}
