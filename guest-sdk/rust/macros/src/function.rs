//! The head of a function, as far as `#[process]` looks at it: syn's own takes twice as long to
//! compile, and every workspace with a guest compiles it.

use proc_macro2::{TokenStream, TokenTree};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Abi, Attribute, Generics, Ident, Result, ReturnType, Token, Type, Visibility};

pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) asyncness: Option<Token![async]>,
    pub(crate) unsafety: Option<Token![unsafe]>,
    pub(crate) abi: Option<Abi>,
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    pub(crate) inputs: Punctuated<Input, Token![,]>,
    pub(crate) output: ReturnType,
}

/// A parameter: `pattern: type`, or some form of `self`.
pub(crate) struct Input {
    pub(crate) pattern: Vec<TokenTree>,
    /// None for `self` without a type.
    pub(crate) ty: Option<Type>,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        input.parse::<Visibility>()?;
        input.parse::<Option<Token![const]>>()?;
        let asyncness = input.parse()?;
        let unsafety = input.parse()?;
        let abi = input.parse()?;
        input.parse::<Token![fn]>()?;
        let ident = input.parse()?;
        let generics = input.parse()?;
        let parameters;
        syn::parenthesized!(parameters in input);
        let inputs = parameters.parse_terminated(Input::parse, Token![,])?;
        let output = input.parse()?;
        // What is left is the `where` clause and the body.
        input.parse::<TokenStream>()?;
        Ok(Function {
            attrs,
            asyncness,
            unsafety,
            abi,
            ident,
            generics,
            inputs,
            output,
        })
    }
}

impl Parse for Input {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        input.call(Attribute::parse_outer)?;
        let mut pattern = Vec::new();
        while !input.is_empty() && !input.peek(Token![,]) {
            if input.peek(Token![::]) {
                pattern.push(input.parse()?);
            } else if input.peek(Token![:]) {
                break;
            }
            pattern.push(input.parse()?);
        }
        let parameter = Input { pattern, ty: None };
        if parameter.is_self() && !input.peek(Token![:]) {
            return Ok(parameter);
        }
        input.parse::<Token![:]>()?;
        let ty = Some(input.parse()?);
        Ok(Input { ty, ..parameter })
    }
}

impl Input {
    /// The name, where the pattern is no more than that.
    pub(crate) fn name(&self) -> Option<&Ident> {
        match self.pattern.as_slice() {
            [TokenTree::Ident(ident)] if ident != "_" => Some(ident),
            [TokenTree::Ident(first), TokenTree::Ident(ident)] if first == "mut" => Some(ident),
            _ => None,
        }
    }

    pub(crate) fn is_self(&self) -> bool {
        self.pattern
            .iter()
            .any(|token| matches!(token, TokenTree::Ident(ident) if ident == "self"))
    }

    pub(crate) fn pattern(&self) -> TokenStream {
        self.pattern.iter().cloned().collect()
    }
}
