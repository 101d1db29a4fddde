//! The macros of `transputer-guest`, which documents them by example.

#![deny(missing_docs)]

mod exports;
mod function;
mod message;
mod names;
mod process;
mod signature;

use proc_macro::TokenStream;

/// Makes a function a process.
///
/// ```ignore
/// /// Passes on the numbers that `prime` does not divide.
/// #[transputer_guest::process]
/// fn filter(prime: u64, candidates: Receiver<u64>, survivors: Sender<u64>) -> Result<(), Error> {
///     // ...
/// }
/// ```
///
/// - Parameters of type `Receiver<T>` are input ports, those of type `Sender<T>` output ports; the
///   others are arguments. Their names are those that a network file uses. An argument of type
///   `Option<T>` may be left out there, and so may a port of type `Option<Receiver<T>>` or `Option<Sender<T>>`.
/// - `Vec<Receiver<T>>`, `[Receiver<T>; 4]`, `Vec<Sender<T>>` and `[Sender<T>; 4]` are arrays of ports, whose ends a
///   network file calls `inputs[0]`, `inputs[1]` and so on.
/// - It returns nothing, or `Result<(), E>` where `E` can be displayed. An error ends the process
///   abnormally, and poisons the ports it still has, and those that it drops while it returns.
///   `transputer_guest::Error::Closed` is a normal end.
/// - It may be an `async` function, whose ends are those of `transputer_guest::stackless`; all processes of a
///   component are, or none.
/// - A panic is logged with its file and line before it traps.
/// - The first paragraph of its documentation says what the process does, wherever it is listed.
///
/// The function stays an ordinary one. A crate may have several: its component then contains them
/// all, and whoever starts one chooses by name.
#[proc_macro_attribute]
pub fn process(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let item = item.into();
    match process::expand(&attribute.into(), &item) {
        Ok(code) => code.into(),
        Err(error) => {
            // The function as it is, so that its other mistakes show as well.
            let error = error.into_compile_error();
            quote::quote!(#item #error).into()
        }
    }
}

/// Makes a struct or enum a message.
///
/// A struct with named fields is a `record`; one with a single unnamed field is that field; with
/// several it is a `tuple`. An enum is an `enum`, or a `variant` if a variant has a payload. Names are
/// those of the source. Every field must be a message itself.
#[proc_macro_derive(Message)]
pub fn message(item: TokenStream) -> TokenStream {
    let item = syn::parse_macro_input!(item as syn::DeriveInput);
    message::expand(&item)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
