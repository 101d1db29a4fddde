//! Each function of an interface, linked as a core function.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use wit_parser::{Function, FunctionKind, InterfaceId, Type, TypeDefKind, TypeId};

use crate::values::{camel, has_list, origin, path, snake};
use crate::{Contract, folder};

/// Calls that a host can try before it waits, with the method that tries.
const FAST: [(&str, &str, &str); 2] = [
    ("channel", "send-small", "try_send_small"),
    ("channel", "receive-some", "try_receive_some"),
];

/// Calls whose bytes the host reads where they lie, with the method that does.
const BORROWED: [(&str, &str, &str); 1] = [("channel", "send-some", "send_some_from")];

/// Calls with a message or a batch that is refused, by an error of their own, if it is too large.
const REFUSABLE: [(&str, &str); 5] = [
    ("channel", "[method]sender.send"),
    ("channel", "[method]sender.try-send"),
    ("channel", "[method]sender.send-by"),
    ("channel", "[method]sender.send-batch"),
    ("channel", "[method]sender.send-ends"),
];

/// Names that a parameter must not have, since the code around it has them.
const TAKEN: [&str; 7] = [
    "memory",
    "host",
    "source",
    "to",
    "answer",
    "parkings",
    "arguments",
];

/// The functions that can wait, as `bindings.rs` has them: `channel.[method]sender.send`, say.
pub(crate) fn waiting() -> BTreeSet<String> {
    let text = fs::read_to_string(folder("src/bindings.rs")).expect("the bindings are there");
    let lines = text.lines();
    lines
        .filter_map(|line| line.trim().strip_prefix("\"transputer:csp/"))
        .filter_map(|line| line.split_once("\": async"))
        .map(|(function, _)| function.to_owned())
        .collect()
}

pub(crate) fn file(contract: &Contract, name: &str, id: InterfaceId) -> String {
    let waiting = waiting();
    let interface = &contract.resolve.interfaces[id];
    let mut groups: Vec<(String, String)> = vec![(String::new(), String::new())];
    for (type_name, ty) in &interface.types {
        if matches!(contract.resolve.types[*ty].kind, TypeDefKind::Resource) {
            groups.push((type_name.clone(), String::new()));
        }
    }
    for function in interface.functions.values() {
        let resource = match function.kind {
            FunctionKind::Freestanding => "",
            FunctionKind::Method(id) | FunctionKind::Static(id) => {
                contract.resolve.types[id].name.as_deref().unwrap_or("")
            }
            _ => panic!("`{}`: extend the generator for its kind", function.name),
        };
        let waits = waiting.contains(&format!("{name}.{}", function.name));
        let code = link(contract, name, function, waits);
        let group = groups.iter_mut().find(|group| group.0 == resource);
        group.expect("a resource of this interface").1 += &code;
    }
    for (resource, code) in groups.iter_mut().skip(1) {
        let _ = writeln!(
            code,
            "plain!(imports, INTERFACE, \"[resource-drop]{resource}\", |_, host, this: u32| \
             wit::Host{}::drop(host, resource(this)?));",
            camel(resource)
        );
    }
    assemble(contract, name, &groups)
}

fn assemble(contract: &Contract, name: &str, groups: &[(String, String)]) -> String {
    let package = contract.resolve.interfaces[contract.interfaces[0].1].package;
    let package = &contract.resolve.packages[package.expect("a package")].name;
    let version = package.version.as_ref().expect("a version");
    let mut calls = String::new();
    let mut functions = String::new();
    for (resource, code) in groups {
        let suffix = match resource.as_str() {
            "" => "functions".to_owned(),
            resource => snake(resource),
        };
        let _ = writeln!(calls, "link_{suffix}(imports)?;");
        let _ = write!(
            functions,
            "\nfn link_{suffix}<T: HostCalls>(imports: &mut Imports<T>) -> Result<()> {{\n\
             {code}Ok(())\n}}\n"
        );
    }
    let used = |word: &str| functions.contains(word);
    let import = |from: &str, words: &[(&str, &str)]| {
        let found: Vec<_> = words
            .iter()
            .filter(|(_, mark)| used(mark))
            .map(|w| w.0)
            .collect();
        match found.as_slice() {
            [] => String::new(),
            found => format!("use {from}::{{{}}};\n", found.join(", ")),
        }
    };
    let macros = [
        ("Imports", "Imports"),
        ("begins", "begins!"),
        ("can_wait", "can_wait!"),
        ("fast", "fast!"),
        ("give", "give("),
        ("may_return_list", "may_return_list!"),
        ("plain", "plain!"),
        ("put", "put("),
    ];
    let canonical = [
        ("DONE", "DONE"),
        ("List", "List("),
        ("Source", "Source::"),
        ("Spilled", "Spilled::"),
        ("no_case", "no_case("),
    ];
    let handles = [("handle", "handle(&"), ("resource", "resource(")];
    let channel = match used("channel::") {
        true => "use crate::bindings::transputer::csp::channel;\n",
        false => "",
    };
    let waiting = waiting();
    let own = format!("{name}.");
    let blocking = waiting
        .iter()
        .filter_map(|function| function.strip_prefix(&own));
    let blocking: Vec<&str> = blocking.collect();
    let call = match used("Call::") {
        true => "use crate::stackless::Call;\n",
        false => "",
    };
    let wait = match used("WAIT") {
        true => "use crate::trampolines::WAIT;\n",
        false => "",
    };
    format!(
        "//! `{}:{}/{name}`, as core functions. Generated: see `tests/generated`.\n\n\
         use wasmtime::Result;\n\n{}use crate::HostCalls;\n{channel}\
         use crate::bindings::transputer::csp::{name} as wit;\n{}{}{call}{wait}\n\
         pub(super) const INTERFACE: &str = \"{}:{}/{name}@{version}\";\n\n\
         /// The functions that block.\n\
         pub(super) const BLOCKING: [&str; {}] = {blocking:?};\n\n\
         pub(super) fn link<T: HostCalls>(imports: &mut Imports<T>) -> Result<()> {{\n\
         {calls}Ok(())\n}}\n{functions}",
        package.namespace,
        package.name,
        import("super", &macros),
        import("crate::canonical", &canonical),
        import("crate::handles", &handles),
        package.namespace,
        package.name,
        blocking.len(),
    )
}

/// A parameter as it is passed: its numbers, and the expression that makes the value of them.
struct Passed {
    numbers: Vec<Number>,
    value: String,
    from_memory: bool,
}

/// One number, and where it is if the parameter lies in memory.
struct Number {
    name: String,
    kind: &'static str,
    /// From the beginning of the parameter, in bytes.
    offset: usize,
    /// Whether it is a byte there.
    byte: bool,
}

impl Number {
    fn new(name: String, kind: &'static str, offset: usize) -> Self {
        Self {
            name,
            kind,
            offset,
            byte: false,
        }
    }
}

fn passed(contract: &Contract, interface: &str, name: &str, ty: &Type) -> Passed {
    let resolve = &contract.resolve;
    let number = |kind| Passed {
        numbers: vec![Number::new(name.to_owned(), kind, 0)],
        value: name.to_owned(),
        from_memory: false,
    };
    let id = match ty {
        Type::U32 => return number("u32"),
        Type::U64 => return number("u64"),
        Type::String => return in_memory(name, "text"),
        Type::Id(id) => origin(resolve, *id),
        _ => panic!("parameter `{name}`: extend the generator for its type"),
    };
    match &resolve.types[id].kind {
        TypeDefKind::Handle(_) => Passed {
            value: format!("resource({name})?"),
            ..number("u32")
        },
        TypeDefKind::List(Type::U8) => in_memory(name, "bytes"),
        TypeDefKind::List(_) => in_memory(name, "list"),
        TypeDefKind::Option(inner) => {
            let mut some = passed(contract, interface, name, inner);
            let flag = format!("{name}_some");
            some.value = format!(
                "match {flag} {{\n0 => None,\n1 => Some({}),\n\
                 other => return no_case(\"option\", other),\n}}",
                some.value
            );
            let content = align(contract, inner);
            for number in &mut some.numbers {
                number.offset += content;
            }
            let mut flag = Number::new(flag, "u32", 0);
            flag.byte = true;
            some.numbers.insert(0, flag);
            some
        }
        TypeDefKind::Record(record) => {
            let mut all = number("u32");
            all.numbers.clear();
            all.value = format!("{} {{", named(contract, interface, id));
            let mut offset = 0_usize;
            for field in &record.fields {
                let part = format!("{name}_{}", snake(&field.name));
                let mut field_passed = passed(contract, interface, &part, &field.ty);
                offset = offset.next_multiple_of(align(contract, &field.ty));
                for number in &mut field_passed.numbers {
                    number.offset += offset;
                }
                offset += contract.sizes.size(&field.ty).size_wasm32();
                all.numbers.extend(field_passed.numbers);
                all.from_memory |= field_passed.from_memory;
                let _ = write!(all.value, "{}: {},", snake(&field.name), field_passed.value);
            }
            all.value += "}";
            all
        }
        TypeDefKind::Enum(cases) => {
            let ty = named(contract, interface, id);
            let cases = cases.cases.iter().enumerate();
            let cases = cases.map(|(n, case)| format!("{n} => {ty}::{},", camel(&case.name)));
            Passed {
                value: chosen(
                    name,
                    &cases.collect::<String>(),
                    resolve.types[id].name.as_deref(),
                ),
                numbers: vec![Number {
                    byte: true,
                    ..Number::new(name.to_owned(), "u32", 0)
                }],
                from_memory: false,
            }
        }
        TypeDefKind::Variant(variant) => {
            let ty = named(contract, interface, id);
            let content = format!("{name}_content");
            let mut arms = String::new();
            for (n, case) in variant.cases.iter().enumerate() {
                let value = match case.ty {
                    None => String::new(),
                    Some(Type::U64) => format!("({content})"),
                    Some(_) => panic!("`{name}`: extend the generator for this content"),
                };
                let _ = write!(arms, "{n} => {ty}::{}{value},", camel(&case.name));
            }
            let flag = format!("{name}_case");
            Passed {
                value: chosen(&flag, &arms, resolve.types[id].name.as_deref()),
                numbers: vec![
                    Number {
                        byte: true,
                        ..Number::new(flag, "u32", 0)
                    },
                    Number::new(content, "u64", 8),
                ],
                from_memory: false,
            }
        }
        _ => panic!("parameter `{name}`: extend the generator for its type"),
    }
}

fn in_memory(name: &str, kind: &str) -> Passed {
    let length = format!("{name}_length");
    Passed {
        value: format!("source.{kind}({name}, {length})?"),
        numbers: vec![
            Number::new(name.to_owned(), "u32", 0),
            Number::new(length, "u32", 4),
        ],
        from_memory: true,
    }
}

fn chosen(number: &str, arms: &str, ty: Option<&str>) -> String {
    let ty = ty.unwrap_or("variant");
    format!("match {number} {{\n{arms}\nother => return no_case(\"{ty}\", other),\n}}")
}

/// The type's path, as the file of an interface names it.
fn named(contract: &Contract, interface: &str, id: TypeId) -> String {
    let path = path(&contract.resolve, id);
    match path.strip_prefix(&format!("{interface}::")) {
        Some(own) => format!("wit::{own}"),
        None => path,
    }
}

/// How a result comes back.
enum Answer {
    Nothing,
    Number,
    Handle,
    /// In memory, where the guest said.
    InMemory {
        lists: bool,
    },
}

fn answer(contract: &Contract, result: Option<&Type>) -> Answer {
    let Some(ty) = result else {
        return Answer::Nothing;
    };
    let lists = has_list(&contract.resolve, ty);
    match ty {
        Type::U32 | Type::U64 => Answer::Number,
        Type::Id(id) => match &contract.resolve.types[origin(&contract.resolve, *id)].kind {
            TypeDefKind::Handle(_) => Answer::Handle,
            TypeDefKind::Enum(_) => panic!("extend the generator for enums as results"),
            _ => Answer::InMemory { lists },
        },
        _ => Answer::InMemory { lists },
    }
}

fn link(contract: &Contract, interface: &str, function: &Function, waits: bool) -> String {
    let mut numbers: Vec<Number> = Vec::new();
    let mut size = 0_usize;
    let mut lets = String::new();
    let mut values = Vec::new();
    let mut from_memory = false;
    for parameter in &function.params {
        let name = match parameter.name.as_str() {
            "self" => "this".to_owned(),
            name => snake(name),
        };
        assert!(!TAKEN.contains(&name.as_str()), "`{name}` is taken");
        let passed = passed(contract, interface, &name, &parameter.ty);
        if passed.value != name {
            let _ = writeln!(lets, "let {name} = {};", passed.value);
        }
        from_memory |= passed.from_memory;
        size = size.next_multiple_of(align(contract, &parameter.ty));
        numbers.extend(passed.numbers.into_iter().map(|number| Number {
            offset: number.offset + size,
            ..number
        }));
        size += contract.sizes.size(&parameter.ty).size_wasm32();
        values.push(name);
    }
    let begins = waits.then(|| begins(contract, function, &numbers, size, &lets, &values));
    if from_memory {
        lets.insert_str(0, "let source = Source::new(memory, host.call_bytes());\n");
    }
    if REFUSABLE.contains(&(interface, &*function.name)) {
        lets = lets.replace("source.bytes(", "source.message(");
    }
    let answer = answer(contract, function.result.as_ref());
    if matches!(answer, Answer::InMemory { .. }) {
        numbers.push(Number::new("to".to_owned(), "u32", 0));
    }
    let parameters = numbers
        .iter()
        .map(|Number { name, kind, .. }| format!(", {name}: {kind}"));
    let parameters: String = parameters.collect();
    let borrowed = BORROWED
        .iter()
        .find(|it| (it.0, it.1) == (interface, &*function.name));
    let call = match borrowed {
        Some((_, _, method)) => {
            lets = lets.replace("source.bytes(", "source.borrowed(");
            format!("host.{method}({})", values.join(", "))
        }
        None => format!(
            "{}(host, {})",
            method(contract, function),
            values.join(", ")
        ),
    };
    let fast = FAST
        .iter()
        .position(|it| (it.0, it.1) == (interface, &*function.name));
    let (form, body) = match waits {
        true => ("can_wait", can_wait(&call, &answer, fast)),
        false => at_once(&call, &answer),
    };
    let memory = match from_memory || matches!(answer, Answer::InMemory { .. }) {
        true => "memory",
        false => "_",
    };
    let name = &function.name;
    let body = match lets.is_empty() && !body.contains(';') {
        true => body,
        false => format!("{{\n{lets}{body}\n}}"),
    };
    let mut code =
        format!("{form}!(imports, INTERFACE, \"{name}\", |{memory}, host{parameters}| {body});\n");
    if let Some(number) = fast {
        let _ = writeln!(
            code,
            "fast!(imports, INTERFACE, \"{name}\", {number}, |memory, host{parameters}| {{\n{lets}\
             match host.{}({})? {{\nSome(answer) => give(host, memory, to, answer),\n\
             None => Ok(WAIT),\n}}\n}});",
            FAST[number].2,
            values.join(", ")
        );
    }
    code + &begins.unwrap_or_default()
}

/// The most numbers that are passed by themselves where a call is begun.
const PASSED: usize = 4;

/// What begins a call for a stackless process.
fn begins(
    contract: &Contract,
    function: &Function,
    numbers: &[Number],
    size: usize,
    lets: &str,
    values: &[String],
) -> String {
    let interface = contract.interface_of(function);
    let borrows = BORROWED
        .iter()
        .any(|it| (it.0, it.1) == (interface, &*function.name));
    let mut lets = match borrows {
        true => lets.replace("source.bytes(", "source.borrowed("),
        false => lets.to_owned(),
    };
    if REFUSABLE.contains(&(interface, &*function.name)) {
        lets = lets.replace("source.bytes(", "source.message(");
    }
    let in_memory = numbers.len() > PASSED;
    let mut parameters = String::new();
    if in_memory {
        let aligns = function.params.iter().map(|it| align(contract, &it.ty));
        let aligned = aligns.max().unwrap_or(1);
        let size = size.next_multiple_of(aligned);
        parameters += ", arguments: u32";
        let mut read =
            format!("let arguments = Spilled::new(memory, arguments, {size}, {aligned})?;\n");
        for Number {
            name,
            kind,
            offset,
            byte,
        } in numbers
        {
            let kind = if *byte { "u8" } else { kind };
            let _ = writeln!(read, "let {name} = arguments.{kind}({offset})?;");
        }
        lets.insert_str(0, &read);
    } else {
        for Number { name, kind, .. } in numbers {
            let _ = write!(parameters, ", {name}: {kind}");
        }
    }
    if lets.contains("source.") {
        lets.insert_str(0, "let source = Source::new(memory, host.call_bytes());\n");
    }
    let to = match function.result {
        Some(_) => {
            parameters += ", to: u32";
            "to"
        }
        None => "0",
    };
    let resource = match function.kind {
        FunctionKind::Method(id) | FunctionKind::Static(id) => {
            camel(contract.resolve.types[id].name.as_deref().unwrap_or(""))
        }
        _ => String::new(),
    };
    let call = format!("Call::{resource}{}", camel(function.item_name()));
    let call = match values {
        [] => call,
        values => format!("{call} {{ {} }}", values.join(", ")),
    };
    let body = match lets.is_empty() {
        true => call,
        false => format!("{{\n{lets}{call}\n}}"),
    };
    let name = match &*function.name {
        "[method]prepared.wait" => "choose",
        _ => function.item_name(),
    };
    format!("begins!(imports, \"{name}\", |memory, host{parameters}| {to}, {body});\n")
}

fn align(contract: &Contract, ty: &Type) -> usize {
    contract.sizes.align(ty).align_wasm32()
}

/// `wit::HostSender::send`, say.
fn method(contract: &Contract, function: &Function) -> String {
    let own = snake(function.item_name());
    match function.kind {
        FunctionKind::Method(id) | FunctionKind::Static(id) => {
            let resource = contract.resolve.types[id].name.as_deref().unwrap_or("");
            format!("wit::Host{}::{own}", camel(resource))
        }
        _ => format!("wit::Host::{own}"),
    }
}

fn at_once(call: &str, answer: &Answer) -> (&'static str, String) {
    match answer {
        Answer::Nothing | Answer::Number => ("plain", call.to_owned()),
        Answer::Handle => ("plain", format!("handle(&{call}?)")),
        Answer::InMemory { lists: false } => (
            "plain",
            format!("let answer = {call}?;\nput(memory, to, answer)"),
        ),
        Answer::InMemory { lists: true } => (
            "may_return_list",
            format!("let answer = {call}?;\ngive(host, memory, to, answer)"),
        ),
    }
}

fn can_wait(call: &str, answer: &Answer, fast: Option<usize>) -> String {
    match (answer, fast) {
        (Answer::Nothing, _) => format!("{call}.await?;\nOk(DONE)"),
        (Answer::InMemory { .. }, None) => {
            format!("let answer = {call}.await?;\ngive(host, memory, to, answer)")
        }
        (Answer::InMemory { .. }, Some(number)) => format!(
            "let parkings = host.parkings();\nlet answer = {call}.await?;\n\
             let waited = host.parkings() != parkings;\n\
             host.abi_mut().note_waited({number}, waited);\n\
             give(host, memory, to, answer)"
        ),
        _ => panic!("{call}: a call that can wait gives its answer in memory"),
    }
}
