//! `#[derive(Message)]`.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Data, DataEnum, DeriveInput, Error, Fields, Ident, Result, Type, Variant, parse_quote};

use crate::names::name;

/// The three parts of an implementation.
struct Parts {
    ty: TokenStream,
    write: TokenStream,
    read: TokenStream,
}

pub(crate) fn expand(item: &DeriveInput) -> Result<TokenStream> {
    let mut generics = item.generics.clone();
    if let Some(lifetime) = generics.lifetimes().next() {
        let text = "a message owns what it holds: a type with lifetimes cannot cross a channel";
        return Err(Error::new(lifetime.span(), text));
    }
    for parameter in generics.type_params_mut() {
        parameter
            .bounds
            .push(parse_quote!(::transputer_guest::Message));
    }
    if let Some(itself) = own_field(item) {
        let text = "a message cannot hold its own type: it would have no finite type in WIT";
        return Err(Error::new_spanned(itself, text));
    }
    let Parts { ty, write, read } = match &item.data {
        Data::Struct(data) => structure(&data.fields),
        Data::Enum(data) => enumeration(&item.ident, data)?,
        Data::Union(_) => {
            let text = "a union cannot be a message: nothing tells which field is valid";
            return Err(Error::new(item.ident.span(), text));
        }
    };
    let ident = &item.ident;
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #impl_generics ::transputer_guest::Message for #ident #type_generics #where_clause {
            const TYPE: &'static ::transputer_guest::message::Type = #ty;

            fn write(&self, writer: &mut ::transputer_guest::message::Writer) {
                #write
            }

            fn read(
                reader: &mut ::transputer_guest::message::Reader<'_>,
            ) -> ::core::result::Result<Self, ::transputer_guest::Undecodable> {
                #read
            }
        }
    })
}

/// The first field whose type names the type itself.
fn own_field(item: &DeriveInput) -> Option<&Type> {
    let fields: Vec<&Fields> = match &item.data {
        Data::Struct(data) => vec![&data.fields],
        Data::Enum(data) => data
            .variants
            .iter()
            .map(|variant| &variant.fields)
            .collect(),
        Data::Union(_) => Vec::new(),
    };
    let mut types = fields.into_iter().flatten().map(|field| &field.ty);
    types.find(|ty| mentions(ty.to_token_stream(), &item.ident))
}

/// Whether `tokens` name `ident` outside of a longer path.
fn mentions(tokens: TokenStream, ident: &Ident) -> bool {
    let mut after_colon = false;
    tokens.into_iter().any(|token| {
        let in_path = std::mem::replace(
            &mut after_colon,
            matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ':'),
        );
        match token {
            TokenTree::Ident(found) => !in_path && found == *ident,
            TokenTree::Group(group) => mentions(group.stream(), ident),
            TokenTree::Punct(_) | TokenTree::Literal(_) => false,
        }
    })
}

fn structure(fields: &Fields) -> Parts {
    let ty = fields_type(fields)
        .unwrap_or_else(|| quote!(&::transputer_guest::message::Type::Tuple(&[])));
    let names = bindings(fields);
    let pattern = pattern(fields, &names);
    let write = write_fields(fields, &names);
    let read = read_fields(fields, &names);
    Parts {
        ty,
        write: quote! {
            let Self #pattern = self;
            #write
        },
        read: quote! {
            #read
            ::core::result::Result::Ok(Self #pattern)
        },
    }
}

fn enumeration(ident: &Ident, data: &DataEnum) -> Result<Parts> {
    if data.variants.is_empty() {
        let text = "an enum without variants has no values, so it cannot be a message";
        return Err(Error::new(ident.span(), text));
    }
    let writes = data.variants.iter().map(write_variant);
    let reads = data.variants.iter().map(read_variant);
    Ok(Parts {
        ty: enum_type(data),
        write: quote!(match self { #(#writes)* }),
        read: quote! {
            let case = reader.case(Self::TYPE)?;
            let value = match case.name() {
                #(#reads)*
                _ => {
                    return ::core::result::Result::Err(reader.unknown_case(&case, Self::TYPE));
                }
            };
            reader.close_case(&case, Self::TYPE)?;
            ::core::result::Result::Ok(value)
        },
    })
}

fn enum_type(data: &DataEnum) -> TokenStream {
    let names = data.variants.iter().map(|variant| name(&variant.ident));
    let payloads: Vec<Option<TokenStream>> = data
        .variants
        .iter()
        .map(|variant| fields_type(&variant.fields))
        .collect();
    if payloads.iter().all(Option::is_none) {
        return quote!(&::transputer_guest::message::Type::Enum(&[#(#names),*]));
    }
    let payloads = payloads.iter().map(|payload| match payload {
        Some(ty) => quote!(::core::option::Option::Some(#ty)),
        None => quote!(::core::option::Option::None),
    });
    quote!(&::transputer_guest::message::Type::Variant(&[#((#names, #payloads)),*]))
}

fn write_variant(variant: &Variant) -> TokenStream {
    let ident = &variant.ident;
    let name = name(ident);
    let names = bindings(&variant.fields);
    let pattern = pattern(&variant.fields, &names);
    if variant.fields.is_empty() {
        return quote!(Self::#ident #pattern => writer.text(#name),);
    }
    let write = write_fields(&variant.fields, &names);
    quote! {
        Self::#ident #pattern => {
            writer.case(#name);
            #write
        }
    }
}

fn read_variant(variant: &Variant) -> TokenStream {
    let ident = &variant.ident;
    let name = name(ident);
    let payload = !variant.fields.is_empty();
    let names = bindings(&variant.fields);
    let pattern = pattern(&variant.fields, &names);
    let read = if payload {
        read_fields(&variant.fields, &names)
    } else {
        TokenStream::new()
    };
    quote! {
        #name => {
            reader.check_payload(&case, #payload)?;
            #read
            Self::#ident #pattern
        }
    }
}

/// A variable for every field.
fn bindings(fields: &Fields) -> Vec<Ident> {
    (0..fields.len())
        .map(|index| format_ident!("field_{index}"))
        .collect()
}

/// The fields, bound to the variables: a pattern and an expression.
fn pattern(fields: &Fields, names: &[Ident]) -> TokenStream {
    match fields {
        Fields::Named(named) => {
            let idents = named.named.iter().map(|field| &field.ident);
            quote!({ #(#idents: #names),* })
        }
        Fields::Unnamed(_) => quote!((#(#names),*)),
        Fields::Unit => TokenStream::new(),
    }
}

/// The type in WIT of a struct or a payload; none for a unit.
fn fields_type(fields: &Fields) -> Option<TokenStream> {
    let types: Vec<TokenStream> = fields.iter().map(|field| message_type(&field.ty)).collect();
    Some(match fields {
        _ if types.is_empty() => return None,
        Fields::Unnamed(_) if types.len() == 1 => quote!(#(#types)*),
        Fields::Unnamed(_) => {
            quote!(&::transputer_guest::message::Type::Tuple(&[#(#types),*]))
        }
        Fields::Unit => return None,
        Fields::Named(_) => {
            let names = field_names(fields);
            quote!(&::transputer_guest::message::Type::Record(&[#((#names, #types)),*]))
        }
    })
}

fn message_type(ty: &Type) -> TokenStream {
    quote_spanned!(ty.span()=> <#ty as ::transputer_guest::Message>::TYPE)
}

fn field_names(fields: &Fields) -> Vec<String> {
    fields
        .iter()
        .filter_map(|field| field.ident.as_ref().map(name))
        .collect()
}

fn write_fields(fields: &Fields, names: &[Ident]) -> TokenStream {
    let length = names.len();
    match fields {
        Fields::Unnamed(_) if length == 1 => quote! {
            #(::transputer_guest::Message::write(#names, writer);)*
        },
        Fields::Named(_) if length > 0 => {
            let texts = field_names(fields);
            quote! {
                writer.map(#length);
                #(
                    writer.text(#texts);
                    ::transputer_guest::Message::write(#names, writer);
                )*
            }
        }
        _ => quote! {
            writer.array(#length);
            #(::transputer_guest::Message::write(#names, writer);)*
        },
    }
}

/// Reads the fields into the variables.
fn read_fields(fields: &Fields, names: &[Ident]) -> TokenStream {
    let length = names.len();
    let types: Vec<&Type> = fields.iter().map(|field| &field.ty).collect();
    let expected = fields_type(fields).unwrap_or_else(|| quote!(Self::TYPE));
    match fields {
        Fields::Unnamed(_) if length == 1 => quote! {
            #(let #names = <#types as ::transputer_guest::Message>::read(reader)?;)*
        },
        Fields::Named(_) if length > 0 => {
            let texts = field_names(fields);
            quote! {
                #(let mut #names = ::core::option::Option::<#types>::None;)*
                reader.record(#expected, &mut |reader, name| match name {
                    #(#texts => reader.field(name, &mut #names),)*
                    _ => reader.skip(),
                })?;
                #(let #names = reader.required(#texts, #names)?;)*
            }
        }
        _ => {
            let indices = 0..length;
            quote! {
                let indefinite = reader.tuple(#expected, #length)?;
                #(let #names = reader.item::<#types>(#indices)?;)*
                reader.close(indefinite, #expected)?;
            }
        }
    }
}
