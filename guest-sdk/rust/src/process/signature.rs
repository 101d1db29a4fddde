//! The signature: what a component says of itself, in a custom section.

use crate::message::{Printer, Type};

/// A part of the signature's JSON, which `#[process]` puts together.
#[derive(Debug, Clone, Copy)]
pub enum Piece {
    /// JSON as it is.
    Text(&'static str),
    /// A type; nothing in it needs escaping.
    Type(&'static Type),
    /// A number.
    Number(usize),
}

/// The type of a port's messages.
pub const fn port_type(ty: &'static Type) -> Piece {
    Piece::Type(ty)
}

/// The type of an argument.
pub const fn argument_type(ty: &'static Type) -> Piece {
    assert!(
        !ty.carries_ends(),
        "this parameter is neither an argument nor a port. Ports are `Receiver<T>`, `Option<Receiver<T>>`, \
         `Vec<Receiver<T>>` and `[Receiver<T>; N]`, written out, and the same of `Sender<T>`; an argument holds no \
         ends of channels"
    );
    Piece::Type(ty)
}

/// How long the signature is.
pub const fn signature_length(pieces: &[Piece]) -> usize {
    let mut printer = Printer::new(&mut []);
    print(pieces, &mut printer);
    printer.length()
}

/// The signature, of that length.
pub const fn signature<const LENGTH: usize>(pieces: &[Piece]) -> [u8; LENGTH] {
    let mut out = [0; LENGTH];
    print(pieces, &mut Printer::new(&mut out));
    out
}

const fn print(pieces: &[Piece], printer: &mut Printer<'_>) {
    let mut i = 0;
    while i < pieces.len() {
        match &pieces[i] {
            Piece::Text(text) => printer.text(text),
            Piece::Type(ty) => printer.ty(ty),
            Piece::Number(number) => printer.number(*number),
        }
        i += 1;
    }
}
