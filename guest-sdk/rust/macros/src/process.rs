//! `#[process]`.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Error, Expr, GenericArgument, Ident, PathArguments, Result, ReturnType, Type};

use crate::exports;
use crate::function::{Function, Input};
use crate::names::name;
use crate::signature;

/// What a parameter is to the network.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Argument,
    Input,
    Output,
}

/// How many ends a port takes.
#[derive(Clone, Copy)]
pub(crate) enum Ends<'a> {
    One,
    /// `Option<Sender<T>>`
    Optional,
    /// `Vec<Sender<T>>`
    List,
    /// `[Sender<T>; N]`
    Array(&'a Expr),
}

/// A parameter of the process function.
pub(crate) struct Parameter<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) kind: Kind,
    /// One, for an argument.
    pub(crate) ends: Ends<'a>,
    /// The type of the argument, or of the port's messages.
    pub(crate) ty: &'a Type,
}

pub(crate) fn expand(attribute: &TokenStream, item: &TokenStream) -> Result<TokenStream> {
    let function: Function = syn::parse2(item.clone())?;
    let mut errors = Errors::default();
    if !attribute.is_empty() {
        errors.add(attribute.span(), "`#[process]` has no options");
    }
    check_signature(&function, &mut errors);
    let parameters: Vec<Parameter<'_>> = function
        .inputs
        .iter()
        .filter_map(|input| errors.keep(parameter(input)))
        .collect();
    errors.finish()?;
    Ok(generate(item, &function, &parameters))
}

fn check_signature(function: &Function, errors: &mut Errors) {
    if let Some(unsafety) = &function.unsafety {
        errors.add(
            unsafety.span(),
            "a process cannot be unsafe: the host calls it",
        );
    }
    if let Some(abi) = &function.abi {
        errors.add(
            abi.span(),
            "a process is an ordinary Rust function: `#[process]` makes its ABI",
        );
    }
    if !function.generics.params.is_empty() {
        errors.add(
            function.generics.span(),
            "a process cannot be generic: its ports and arguments have types that the host can read",
        );
    }
    if let ReturnType::Type(_, ty) = &function.output
        && let Type::ImplTrait(_) = &**ty
    {
        errors.add(ty.span(), "a process returns nothing or `Result<(), E>`");
    }
}

fn parameter(input: &Input) -> Result<Parameter<'_>> {
    let (false, Some(ty)) = (input.is_self(), &input.ty) else {
        let text = "a process is a function, not a method: it has no `self`";
        return Err(Error::new_spanned(input.pattern(), text));
    };
    let Some(ident) = input.name() else {
        let text = "a parameter of a process needs a plain name: the network file uses it";
        return Err(Error::new_spanned(input.pattern(), text));
    };
    let (kind, ends, ty) = match ends(ty)? {
        Some(port) => port,
        None => {
            let (kind, ty) = kind(ty)?;
            (kind, Ends::One, ty)
        }
    };
    Ok(Parameter {
        ident,
        kind,
        ends,
        ty,
    })
}

/// What a type is that holds several ends, or may hold none.
fn ends(ty: &Type) -> Result<Option<(Kind, Ends<'_>, &Type)>> {
    let (ends, inner) = match ty {
        Type::Group(group) => return self::ends(&group.elem),
        Type::Paren(paren) => return self::ends(&paren.elem),
        Type::Array(array) => (Ends::Array(&array.len), &*array.elem),
        Type::Path(path) => {
            let Some(last) = path.path.segments.last() else {
                return Ok(None);
            };
            let ends = match last.ident.to_string().as_str() {
                "Option" => Ends::Optional,
                "Vec" => Ends::List,
                _ => return Ok(None),
            };
            let PathArguments::AngleBracketed(arguments) = &last.arguments else {
                return Ok(None);
            };
            match arguments.args.first() {
                Some(GenericArgument::Type(inner)) => (ends, inner),
                _ => return Ok(None),
            }
        }
        _ => return Ok(None),
    };
    if !matches!(inner, Type::Path(_) | Type::Group(_) | Type::Paren(_)) {
        return Ok(None);
    }
    Ok(match kind(inner)? {
        (Kind::Argument, _) => None,
        (kind, message) => Some((kind, ends, message)),
    })
}

/// Whether the type is an end, and the type of its messages; or an argument.
fn kind(ty: &Type) -> Result<(Kind, &Type)> {
    let path = match ty {
        Type::Group(group) => return kind(&group.elem),
        Type::Paren(paren) => return kind(&paren.elem),
        Type::Path(path) => path,
        Type::Reference(reference) => return Err(reference_error(reference)),
        Type::ImplTrait(_) => {
            let text = "a parameter of a process has a concrete type";
            return Err(Error::new(ty.span(), text));
        }
        _ => return Ok((Kind::Argument, ty)),
    };
    let Some(last) = path.path.segments.last() else {
        return Ok((Kind::Argument, ty));
    };
    let kind = match last.ident.to_string().as_str() {
        "Receiver" => Kind::Input,
        "Sender" => Kind::Output,
        _ => return Ok((Kind::Argument, ty)),
    };
    if let PathArguments::AngleBracketed(arguments) = &last.arguments
        && let [GenericArgument::Type(message)] =
            arguments.args.iter().collect::<Vec<_>>().as_slice()
    {
        return Ok((kind, message));
    }
    let end = &last.ident;
    let text = format!("a port needs the type of its messages: `{end}<u64>`, say");
    Err(Error::new_spanned(last, text))
}

fn reference_error(reference: &syn::TypeReference) -> Error {
    let owned = match &*reference.elem {
        Type::Path(path) if path.path.is_ident("str") => "use `String`",
        Type::Slice(_) => "use `Vec<T>`, or `Bytes`",
        _ => "take it by value",
    };
    let text = format!("a process owns its arguments and ports: {owned}");
    Error::new_spanned(reference, text)
}

fn generate(item: &TokenStream, function: &Function, parameters: &[Parameter<'_>]) -> TokenStream {
    let ident = &function.ident;
    let process = name(ident);
    let pieces = signature::pieces(&process, &signature::doc(&function.attrs), parameters);
    let names: Vec<Ident> = (0..parameters.len())
        .map(|index| Ident::new(&format!("parameter_{index}"), Span::mixed_site()))
        .collect();
    let returned = match &function.output {
        ReturnType::Default => ident.span(),
        ReturnType::Type(_, ty) => ty.span(),
    };
    // Macro hygiene keeps this apart from a process of the same name.
    let start = Ident::new("start", Span::mixed_site());
    let takes = parameters.iter().map(take);
    // An end of the one form or the other.
    let into = quote!(::core::convert::Into::into);
    let takes: Vec<TokenStream> = takes
        .zip(parameters)
        .map(|(take, parameter)| match parameter.ends {
            Ends::One => quote!(#into(#start.#take?)),
            Ends::Optional | Ends::Array(_) => quote!(#start.#take?.map(#into)),
            Ends::List => quote!(#start.#take?.into_iter().map(#into).collect()),
        })
        .collect();
    let ending = quote_spanned!(returned=> ::transputer_guest::__private::Ending::into_result);
    // Among the code that takes its ports in, its loops would be short of registers.
    let inlined = |attribute: &syn::Attribute| attribute.path().is_ident("inline");
    let is_async = function.asyncness.is_some();
    let apart = !is_async && !function.attrs.iter().any(inlined);
    let apart = apart.then(|| quote!(#[inline(never)]));
    let returned = match is_async {
        true => quote!(::transputer_guest::__private::Main),
        false => quote!(::core::result::Result<(), ::std::string::String>),
    };
    let call = match is_async {
        true => quote!(::std::boxed::Box::pin(async move { #ending(#ident(#(#names),*).await) })),
        false => quote!(#ending(#ident(#(#names),*))),
    };
    let register = Ident::new(
        if is_async {
            "register_stackless"
        } else {
            "register"
        },
        Span::call_site(),
    );
    let export = exports::first(is_async);
    quote! {
        #export

        // Ports and arguments are as many as the network needs.
        #[allow(clippy::too_many_arguments)]
        #apart
        #item

        #[allow(unsafe_code, dead_code, clippy::let_unit_value)]
        const _: () = {
            fn transputer_run(
                #start: &mut ::transputer_guest::__private::Start,
            ) -> ::core::result::Result<#returned, ::std::string::String> {
                #(let #names = #takes;)*
                #start.finish()?;
                ::core::result::Result::Ok(#call)
            }

            const TRANSPUTER_PIECES: &[::transputer_guest::__private::Piece] = #pieces;
            const TRANSPUTER_LENGTH: usize = ::transputer_guest::__private::signature_length(TRANSPUTER_PIECES);

            #[cfg_attr(
                target_family = "wasm",
                unsafe(link_section = "transputer:signature")
            )]
            static TRANSPUTER_SIGNATURE: [u8; TRANSPUTER_LENGTH] = ::transputer_guest::__private::signature(TRANSPUTER_PIECES);

            extern "C" fn transputer_register() {
                ::transputer_guest::__private::#register(#process, transputer_run);
            }

            // A constructor, by which the component's `run` finds its processes, and a test those that it spawns.
            #[used]
            #[cfg_attr(
                not(any(target_vendor = "apple", windows)),
                unsafe(link_section = ".init_array")
            )]
            #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__mod_init_func"))]
            #[cfg_attr(windows, unsafe(link_section = ".CRT$XCU"))]
            static TRANSPUTER_REGISTER: extern "C" fn() = transputer_register;
        };
    }
}

/// What takes a parameter from the start of the process.
fn take(parameter: &Parameter<'_>) -> TokenStream {
    let name = name(parameter.ident);
    let ty = parameter.ty;
    let method = match (parameter.kind, parameter.ends) {
        (Kind::Argument, _) => "argument",
        (Kind::Input, Ends::One) => "input",
        (Kind::Input, Ends::Optional) => "optional_input",
        (Kind::Input, Ends::List) => "inputs",
        (Kind::Input, Ends::Array(_)) => "input_array",
        (Kind::Output, Ends::One) => "output",
        (Kind::Output, Ends::Optional) => "optional_output",
        (Kind::Output, Ends::List) => "outputs",
        (Kind::Output, Ends::Array(_)) => "output_array",
    };
    let method = Ident::new(method, ty.span());
    match parameter.ends {
        Ends::Array(length) => quote_spanned!(ty.span()=> #method::<#ty, { #length }>(#name)),
        _ => quote_spanned!(ty.span()=> #method::<#ty>(#name)),
    }
}

/// All mistakes at once.
#[derive(Default)]
struct Errors(Option<Error>);

impl Errors {
    fn add(&mut self, span: Span, text: &str) {
        self.push(Error::new(span, text));
    }

    fn push(&mut self, error: Error) {
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            None => self.0 = Some(error),
        }
    }

    fn keep<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    fn finish(self) -> Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}
