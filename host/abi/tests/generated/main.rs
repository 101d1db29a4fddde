//! Whether what is generated from `wit/` is up to date; with `TRANSPUTER_UPDATE=1` it is written.

mod functions;
mod values;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use wit_parser::{Function, InterfaceId, Resolve, SizeAlign};

/// The interfaces that a core module may import, in the order in which they are linked.
const INTERFACES: [&str; 3] = ["channel", "alternation", "process"];

/// The contract, and how its types are laid out.
struct Contract {
    resolve: Resolve,
    sizes: SizeAlign,
    interfaces: Vec<(&'static str, InterfaceId)>,
}

impl Contract {
    /// The name of the interface that a function is in.
    fn interface_of(&self, function: &Function) -> &'static str {
        let has = |id| {
            let functions = &self.resolve.interfaces[id].functions;
            functions
                .get(&function.name)
                .is_some_and(|it| it == function)
        };
        let mut interfaces = self.interfaces.iter();
        let found = interfaces.find(|(_, id)| has(*id));
        found.expect("a function of an interface").0
    }

    fn read() -> Self {
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_dir(folder("wit")).expect("`wit/` can be read");
        let interface = |name| resolve.packages[package].interfaces[name];
        let interfaces = INTERFACES.map(|name| (name, interface(name))).into();
        let mut sizes = SizeAlign::default();
        sizes.fill(&resolve);
        Self {
            resolve,
            sizes,
            interfaces,
        }
    }
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The code as rustfmt has it.
fn formatted(code: &str) -> String {
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("rustfmt is there");
    let mut stdin = rustfmt.stdin.take().expect("it is piped");
    stdin.write_all(code.as_bytes()).expect("it reads");
    drop(stdin);
    let output = rustfmt.wait_with_output().expect("it ends");
    assert!(output.status.success(), "it cannot be formatted:\n{code}");
    String::from_utf8(output.stdout).expect("it writes text")
}

#[test]
fn what_is_generated_is_up_to_date() {
    let contract = Contract::read();
    let mut files = vec![("values", values::file(&contract))];
    for (name, id) in &contract.interfaces {
        files.push((name, functions::file(&contract, name, *id)));
    }
    let update = std::env::var_os("TRANSPUTER_UPDATE").is_some();
    for (name, code) in files {
        let path = folder("src/link").join(format!("{name}.rs"));
        let wanted = formatted(&code);
        if update {
            fs::write(&path, wanted).expect("it can be written");
            continue;
        }
        let found = fs::read_to_string(&path).expect("it can be read");
        assert!(
            found == wanted,
            "{} is not what `wit/` says now: run\n    \
             TRANSPUTER_UPDATE=1 cargo test --locked -p transputer-abi --test generated",
            path.display()
        );
    }
}

/// What blocks has an async function of the same kind in `wit/async/`, and there is no other.
#[test]
fn what_blocks_is_async_for_tasks() {
    let mut resolve = Resolve::default();
    let (own, _) = resolve
        .push_dir(folder("wit/async"))
        .expect("`wit/async/` can be read");
    let tasks = &resolve.interfaces[resolve.packages[own].interfaces["tasks"]];
    let blocking = functions::waiting();
    let functions = tasks.functions.values();
    let is_async = functions.filter(|function| function.kind.is_async());
    assert_eq!(is_async.count(), blocking.len());
    for name in blocking {
        let (interface, function) = name.split_once('.').expect("an interface and a function");
        let mut packages = resolve.packages.iter();
        let first = packages
            .find(|(id, _)| *id != own && resolve.packages[*id].name.namespace == "transputer");
        let (_, package) = first.expect("the first contract");
        let first = &resolve.interfaces[package.interfaces[interface]].functions[function];
        let name = match function {
            "[method]prepared.wait" => "choose",
            _ => first.item_name(),
        };
        let task = tasks
            .functions
            .get(name)
            .unwrap_or_else(|| panic!("`{name}` is missing"));
        assert!(task.kind.is_async(), "{name}");
        let types = |function: &Function| -> Vec<String> {
            let types = function
                .params
                .iter()
                .map(|it| it.ty)
                .chain(function.result);
            types.map(|ty| values::described(&resolve, &ty)).collect()
        };
        assert_eq!(types(first), types(task), "{name}");
    }
}
