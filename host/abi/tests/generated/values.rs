//! How the types of `wit/` lie in a guest's memory.

use std::fmt::Write as _;

use wit_parser::{Enum, Field, Record, Resolve, Type, TypeDefKind, TypeId, TypeOwner, Variant};

use crate::Contract;

/// What a type is called in Rust: `spawn-error` is `SpawnError`.
pub(crate) fn camel(name: &str) -> String {
    let words = name.split('-');
    let word = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|c| c.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    words.map(word).collect()
}

/// What a function, a field or a parameter is called.
pub(crate) fn snake(name: &str) -> String {
    name.replace('-', "_")
}

/// Behind all names that are used from other interfaces.
pub(crate) fn origin(resolve: &Resolve, mut id: TypeId) -> TypeId {
    while let TypeDefKind::Type(Type::Id(other)) = resolve.types[id].kind {
        id = other;
    }
    id
}

/// Whether a value of the type holds a list or a text somewhere.
pub(crate) fn has_list(resolve: &Resolve, ty: &Type) -> bool {
    let Type::Id(id) = ty else {
        return *ty == Type::String;
    };
    let any = |types: Vec<Type>| types.iter().any(|ty| has_list(resolve, ty));
    match &resolve.types[*id].kind {
        TypeDefKind::List(_) => true,
        TypeDefKind::Record(record) => any(record.fields.iter().map(|field| field.ty).collect()),
        TypeDefKind::Tuple(tuple) => any(tuple.types.clone()),
        TypeDefKind::Variant(variant) => {
            any(variant.cases.iter().filter_map(|case| case.ty).collect())
        }
        TypeDefKind::Option(ty) | TypeDefKind::Type(ty) => has_list(resolve, ty),
        TypeDefKind::Result(result) => any(result.ok.into_iter().chain(result.err).collect()),
        _ => false,
    }
}

/// Whether it is a handle, which is given a number only when it is lowered.
fn is_handle(resolve: &Resolve, ty: &Type) -> bool {
    let Type::Id(id) = ty else { return false };
    matches!(
        resolve.types[origin(resolve, *id)].kind,
        TypeDefKind::Handle(_)
    )
}

/// Whether it is a list of something else than bytes.
fn is_list_of_values(resolve: &Resolve, ty: &Type) -> bool {
    let Type::Id(id) = ty else { return false };
    matches!(&resolve.types[*id].kind, TypeDefKind::List(element) if *element != Type::U8)
}

/// The types with names that are part of these.
fn named(resolve: &Resolve, ty: &Type, found: &mut Vec<TypeId>) {
    let Type::Id(id) = ty else { return };
    let id = origin(resolve, *id);
    let definition = &resolve.types[id];
    let mut parts: Vec<Type> = Vec::new();
    match &definition.kind {
        TypeDefKind::Record(record) => parts.extend(record.fields.iter().map(|field| field.ty)),
        TypeDefKind::Tuple(tuple) => parts.extend(&tuple.types),
        TypeDefKind::Variant(variant) => {
            parts.extend(variant.cases.iter().filter_map(|case| case.ty));
        }
        TypeDefKind::List(ty) | TypeDefKind::Option(ty) => parts.push(*ty),
        TypeDefKind::Result(result) => parts.extend(result.ok.into_iter().chain(result.err)),
        _ => {}
    }
    for part in parts {
        named(resolve, &part, found);
    }
    let own = matches!(
        definition.kind,
        TypeDefKind::Record(_) | TypeDefKind::Variant(_) | TypeDefKind::Enum(_)
    );
    if own && !found.contains(&id) {
        found.push(id);
    }
}

/// The element types of lists within a parameter: what is read from memory.
fn read_from_memory(resolve: &Resolve, ty: &Type, found: &mut Vec<TypeId>) {
    let Type::Id(id) = ty else { return };
    match &resolve.types[origin(resolve, *id)].kind {
        TypeDefKind::List(element) => named(resolve, element, found),
        TypeDefKind::Option(ty) => read_from_memory(resolve, ty, found),
        _ => {}
    }
}

/// `channel::Error`, say.
pub(crate) fn path(resolve: &Resolve, id: TypeId) -> String {
    let definition = &resolve.types[id];
    let TypeOwner::Interface(interface) = definition.owner else {
        panic!("a type of no interface");
    };
    let interface = resolve.interfaces[interface].name.as_deref();
    let name = definition.name.as_deref().expect("it has a name");
    format!("{}::{}", interface.expect("it has a name"), camel(name))
}

pub(crate) fn file(contract: &Contract) -> String {
    let resolve = &contract.resolve;
    let (mut lifted, mut lowered) = (Vec::new(), Vec::new());
    for (_, interface) in &contract.interfaces {
        for function in resolve.interfaces[*interface].functions.values() {
            for parameter in &function.params {
                read_from_memory(resolve, &parameter.ty, &mut lifted);
            }
            if let Some(result) = &function.result {
                named(resolve, result, &mut lowered);
            }
        }
    }
    let mut code = "//! The types of `wit/` in a guest's memory. Generated: see `tests/generated`.\n\n\
         use wasmtime::Result;\n\n\
         use crate::bindings::transputer::csp::{alternation, channel, process};\n\
         use crate::canonical::{Flat, Lift, List, Lower, Lowering, Position, Source, case, no_case};\n\n"
        .to_owned();
    for id in lifted {
        code += &lift(contract, id);
    }
    for id in lowered {
        code += &lower(contract, id);
    }
    code
}

/// The size and the alignment, as constants of a trait.
fn layout(contract: &Contract, id: TypeId) -> String {
    let (size, align) = size_and_align(contract, id);
    format!("const SIZE: usize = {size};\nconst ALIGN: usize = {align};\n\n")
}

fn size_and_align(contract: &Contract, id: TypeId) -> (usize, usize) {
    let ty = Type::Id(id);
    let size = contract.sizes.size(&ty).size_wasm32();
    (size, contract.sizes.align(&ty).align_wasm32())
}

fn lift(contract: &Contract, id: TypeId) -> String {
    let TypeDefKind::Variant(variant) = &contract.resolve.types[id].kind else {
        panic!("guests give lists of variants only: extend `lift` for another kind of type");
    };
    let content = content_at(contract, variant);
    let name = contract.resolve.types[id].name.as_deref().unwrap_or("");
    let mut cases = String::new();
    for (number, case) in variant.cases.iter().enumerate() {
        let value = match case.ty {
            Some(_) => format!("(Lift::lift(source, at + {content})?)"),
            None => String::new(),
        };
        let _ = writeln!(cases, "{number} => Self::{}{value},", camel(&case.name));
    }
    format!(
        "impl Lift for {} {{\n{}\
         fn lift(source: &Source<'_>, at: usize) -> Result<Self> {{\n\
         Ok(match case(source, at)? {{\n{cases}\
         other => return no_case(\"{name}\", other),\n}})\n}}\n}}\n\n",
        path(&contract.resolve, id),
        layout(contract, id),
    )
}

fn content_at(contract: &Contract, variant: &Variant) -> usize {
    let types = variant.cases.iter().map(|case| case.ty.as_ref());
    let offset = contract.sizes.payload_offset(variant.tag(), types);
    offset.size_wasm32()
}

fn lower(contract: &Contract, id: TypeId) -> String {
    let (body, flat) = match &contract.resolve.types[id].kind {
        TypeDefKind::Enum(cases) => lower_enum(cases),
        TypeDefKind::Record(record) => lower_record(contract, id, record),
        TypeDefKind::Variant(variant) => lower_variant(contract, id, variant),
        _ => unreachable!("no other type has a name"),
    };
    let flat = flat.map_or_else(String::new, |flat| {
        format!("\n#[inline]\nfn flat(&self) -> Option<Flat> {{\n{flat}\n}}\n")
    });
    format!(
        "impl Lower for {} {{\n{}\
         fn lower(self, out: &mut Lowering, at: Position) -> Result<()> {{\n{body}\n}}\n{flat}}}\n\n",
        path(&contract.resolve, id),
        layout(contract, id),
    )
}

fn lower_enum(cases: &Enum) -> (String, Option<String>) {
    assert!(cases.cases.len() <= 256, "its cases are numbered by a byte");
    (
        "out.put(at, [self as u8]);\nOk(())".to_owned(),
        Some("Some(Flat::zeros(1).with(0, [*self as u8]))".to_owned()),
    )
}

fn lower_record(contract: &Contract, id: TypeId, record: &Record) -> (String, Option<String>) {
    let types = record.fields.iter().map(|field: &Field| &field.ty);
    let offsets = contract.sizes.field_offsets(types);
    let is_number = |ty: &Type| matches!(ty, Type::U32 | Type::U64);
    let (size, _) = size_and_align(contract, id);
    let mut body = String::new();
    let mut flat = format!("Some(Flat::zeros({size})");
    for (field, (offset, ty)) in record.fields.iter().zip(&offsets) {
        let (name, offset) = (snake(&field.name), offset.size_wasm32());
        let value = match is_list_of_values(&contract.resolve, ty) {
            true => format!("List(self.{name})"),
            false => format!("self.{name}"),
        };
        let _ = writeln!(body, "{value}.lower(out, at.plus({offset}))?;");
        let _ = write!(flat, ".with({offset}, self.{name}.to_le_bytes())");
    }
    let all_numbers = record.fields.iter().all(|field| is_number(&field.ty));
    (body + "Ok(())", all_numbers.then(|| flat + ")"))
}

fn lower_variant(contract: &Contract, id: TypeId, variant: &Variant) -> (String, Option<String>) {
    let content = content_at(contract, variant);
    let (size, _) = size_and_align(contract, id);
    let (mut body, mut flat) = ("match self {\n".to_owned(), "match self {\n".to_owned());
    let mut flat_cases = 0;
    for (number, case) in variant.cases.iter().enumerate() {
        let name = camel(&case.name);
        let (pattern, value) = match case.ty {
            Some(_) => ("(content)", "content"),
            None => ("", "()"),
        };
        let _ = writeln!(
            body,
            "Self::{name}{pattern} => out.case(at, {number}, {content}, {value}),"
        );
        let never_flat =
            |ty: Type| has_list(&contract.resolve, &ty) || is_handle(&contract.resolve, &ty);
        if case.ty.is_some_and(never_flat) {
            continue;
        }
        flat_cases += 1;
        let _ = writeln!(
            flat,
            "Self::{name}{pattern} => {value}.flat()?.in_case({number}, {content}, {size}),"
        );
    }
    if flat_cases < variant.cases.len() {
        flat += "_ => None,\n";
    }
    (body + "}", (flat_cases > 0).then_some(flat + "}"))
}

/// A type in words, whichever interface names it.
pub(crate) fn described(resolve: &Resolve, ty: &Type) -> String {
    let Type::Id(id) = ty else {
        return format!("{ty:?}");
    };
    let id = origin(resolve, *id);
    let definition = &resolve.types[id];
    if let Some(name) = &definition.name {
        return name.clone();
    }
    let of = |ty: &Type| described(resolve, ty);
    let maybe = |ty: &Option<Type>| ty.as_ref().map_or("_".to_owned(), of);
    match &definition.kind {
        TypeDefKind::List(element) => format!("list<{}>", of(element)),
        TypeDefKind::Option(some) => format!("option<{}>", of(some)),
        TypeDefKind::Tuple(tuple) => {
            let types: Vec<_> = tuple.types.iter().map(of).collect();
            format!("tuple<{}>", types.join(", "))
        }
        TypeDefKind::Result(result) => {
            format!("result<{}, {}>", maybe(&result.ok), maybe(&result.err))
        }
        TypeDefKind::Handle(handle) => {
            let (kind, id) = match handle {
                wit_parser::Handle::Own(id) => ("own", id),
                wit_parser::Handle::Borrow(id) => ("borrow", id),
            };
            format!("{kind}<{}>", of(&Type::Id(*id)))
        }
        other => panic!("extend the description for {other:?}"),
    }
}
