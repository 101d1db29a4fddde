//! The signature: the JSON object that tells the host what the component is.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Expr, ExprLit, Lit, Meta};

use crate::names::name;
use crate::process::{Ends, Kind, Parameter};

/// The pieces of the signature, types still to be printed.
pub(crate) fn pieces(process: &str, doc: &str, parameters: &[Parameter<'_>]) -> TokenStream {
    let mut pieces = Pieces::default();
    pieces.text(r#"{"version":1,"process":"#);
    pieces.string(process);
    pieces.text(r#","doc":"#);
    pieces.string(doc);
    pieces.text(r#","arguments":["#);
    let (arguments, ports): (Vec<_>, Vec<_>) = parameters
        .iter()
        .partition(|parameter| matches!(parameter.kind, Kind::Argument));
    for (index, argument) in arguments.iter().enumerate() {
        pieces.open(index, argument);
        pieces.ty(argument);
        pieces.text("}");
    }
    pieces.text(r#"],"ports":["#);
    for (index, port) in ports.iter().enumerate() {
        pieces.open(index, port);
        pieces.text(match port.kind {
            Kind::Input => r#","direction":"input""#,
            _ => r#","direction":"output""#,
        });
        pieces.ty(port);
        match port.ends {
            Ends::One => {}
            Ends::Optional => pieces.text(r#","ends":"optional""#),
            Ends::List => pieces.text(r#","ends":"list""#),
            Ends::Array(length) => {
                pieces.text(r#","ends":"#);
                let length = quote_spanned!(length.span()=> ::transputer_guest::__private::Piece::Number(#length));
                pieces.piece(length);
            }
        }
        pieces.text("}");
    }
    pieces.text("]}");
    pieces.finish()
}

/// The first paragraph of the documentation, in one line.
pub(crate) fn doc(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| {
        let Meta::NameValue(meta) = &attribute.meta else {
            return None;
        };
        match &meta.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) if meta.path.is_ident("doc") => Some(text.value()),
            _ => None,
        }
    });
    let text: Vec<String> = lines.collect();
    let text = text.join("\n");
    let paragraph: Vec<&str> = text
        .trim_start()
        .lines()
        .map(|line| line.trim().trim_start_matches("* "))
        .take_while(|line| !line.is_empty())
        .collect();
    paragraph.join(" ")
}

#[derive(Default)]
struct Pieces {
    done: Vec<TokenStream>,
    text: String,
}

impl Pieces {
    fn text(&mut self, json: &str) {
        self.text.push_str(json);
    }

    fn string(&mut self, value: &str) {
        self.text.push('"');
        for char in value.chars() {
            match char {
                '"' => self.text.push_str("\\\""),
                '\\' => self.text.push_str("\\\\"),
                control if control < ' ' => {
                    self.text
                        .push_str(&format!("\\u{:04x}", u32::from(control)));
                }
                other => self.text.push(other),
            }
        }
        self.text.push('"');
    }

    fn open(&mut self, index: usize, parameter: &Parameter<'_>) {
        self.text(if index == 0 { "" } else { "," });
        self.text(r#"{"name":"#);
        self.string(&name(parameter.ident));
    }

    fn ty(&mut self, parameter: &Parameter<'_>) {
        self.text(r#","type":""#);
        let ty = parameter.ty;
        let piece = match parameter.kind {
            Kind::Argument => quote!(argument_type),
            Kind::Input | Kind::Output => quote!(port_type),
        };
        let ty = quote_spanned! {ty.span()=>
            ::transputer_guest::__private::#piece(<#ty as ::transputer_guest::Message>::TYPE)
        };
        self.piece(ty);
        self.text("\"");
    }

    fn piece(&mut self, piece: TokenStream) {
        self.flush();
        self.done.push(piece);
    }

    fn flush(&mut self) {
        let text = std::mem::take(&mut self.text);
        self.done
            .push(quote!(::transputer_guest::__private::Piece::Text(#text)));
    }

    fn finish(mut self) -> TokenStream {
        self.flush();
        let pieces = self.done;
        quote!(&[#(#pieces),*])
    }
}
