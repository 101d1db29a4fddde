//! Names as they are outside Rust.

use syn::ext::IdentExt;

/// The name without the `r#` of a raw identifier.
pub(crate) fn name(ident: &syn::Ident) -> String {
    ident.unraw().to_string()
}
