//! Tables of files with mistakes, each with everything that is wrong with it.

use transputer_network::diagnostics::Diagnostic;

use crate::{assert_diagnostics, parse, plan};

/// Texts that cannot be read, each with everything that is wrong with it.
const UNREADABLE: &[(&str, &[&str])] = &[
    (
        "",
        &["1:1 error: the network has no process (add one: `[process.name]` with a `component`)"],
    ),
    (
        "[process.a]\ncomponent = \"x\"\ncomponent = \"y\"\ncapacity = 1",
        &[
            "3:1 error: `component` is given twice (remove or rename one of the two)",
            "4:1 error: process `a` has no key `capacity` (the keys here are `component`, `arguments`, `limits`, `grants`, `restart`, `links`, `place`, `instances`, `count` and `index`)",
        ],
    ),
    (
        "[process.a]\ncomponent = \"x\"\n[process.a]\n",
        &["3:10 error: `a` is given twice (remove or rename one of the two)"],
    ),
    (
        "[netwrk]\n[network]\nnam = \"x\"\ndoc = 3\n",
        &[
            "1:2 error: a network's description has no key `netwrk` (did you mean `network`?)",
            "3:1 error: [network] has no key `nam` (did you mean `name`?)",
            "4:7 error: `doc` is a string; found `3`",
        ],
    ),
    (
        "limits = 3\nprocess = [1]\nchannel = { a = 1 }\nstdin = \"x\"",
        &[
            "1:10 error: `limits` is a table; found `3`",
            "2:11 error: `process` is a table; found an array",
            "3:11 error: `channel` is a list of tables, each under `[[channel]]`; found a table",
            "4:9 error: `stdin` is a table; found `\"x\"`",
        ],
    ),
    (
        "[process.\"a.b\"]\ncompnent = \"x\"",
        &[
            "1:10 error: \"a.b\" is not a valid name for a process (use letters, digits, `_` and `-`)",
            "1:10 error: process `a.b` has no `component` (add one, such as `component = \"filter\"`)",
            "2:1 error: process `a.b` has no key `compnent` (did you mean `component`?)",
        ],
    ),
    (
        "[process.a]\ncomponent = \"\"\n[components]\nb = 1",
        &[
            "2:13 error: `component` is empty (name a `.wasm`, `.rs` or `.py` file, or a folder with a Cargo package)",
            "4:5 error: `b` is a string; found `1`",
        ],
    ),
    (
        "[limits]\nmemory = \"64 MB?\"\nmessage = \"1 XiB\"\ncpu = \"2\"\nwall = 0\nchildren = -1\nchannels = 4294967296",
        &[
            "2:10 error: `memory` is a size, such as \"64 MiB\" or a number of bytes; found `\"64 MB?\"`",
            "3:11 error: `message` is a size, such as \"64 MiB\" or a number of bytes; found `\"1 XiB\"`",
            "4:7 error: `cpu` is a time with its unit, such as \"2 s\" or \"500 ms\"; found `\"2\"`",
            "5:8 error: `wall` is a time with its unit, such as \"2 s\" or \"500 ms\"; found `0`",
            "6:12 error: `children` is a whole number from 0 to 4294967295; found `-1`",
            "7:12 error: `channels` is a whole number from 0 to 4294967295; found `4294967296`",
        ],
    ),
    (
        "[limits]\nmemory = \"1 KiB\"\nmessage = \"99999999999 EiB\"\nwall = \"0 s\"",
        &[
            "2:10 error: `memory` is 1024 bytes, and a process needs at least one page (give it `64 KiB` or more)",
            "3:11 error: `message` is a size, such as \"64 MiB\" or a number of bytes; found `\"99999999999 EiB\"`",
            "4:8 error: `wall` is a time with its unit, such as \"2 s\" or \"500 ms\"; found `\"0 s\"`",
        ],
    ),
    (
        "[limits]\noperation = \"0 s\"\nlog = \"1 MiB\"\nprocesses = 3",
        &[
            "2:13 error: `operation` is a time with its unit, such as \"2 s\" or \"500 ms\"; found `\"0 s\"`",
            "3:7 error: `log` is a whole number from 0 to 4294967295; found `\"1 MiB\"`",
            "4:1 error: [limits] has no key `processes` (the keys here are `memory`, `message`, `cpu`, `wall`, `operation`, `children`, `channels` and `log`)",
        ],
    ),
    (
        "[network]\nat_capacity = \"never\"\n[process.a]\ncomponent = \"x\"\ngrants = { clocks = 1 }",
        &[
            "2:15 error: `at_capacity` is \"fail\", \"wait\", or a time to wait, such as \"2 s\"; found `\"never\"`",
            "5:21 error: `clocks` is `true` or `false`; found `1`",
        ],
    ),
    (
        "[network.limits]\nmemory = -1\nprocesses = 1\nchannels = 0\ncpu = 1\nwall = \"1 s\"\n[process.a]\ncomponent = \"x\"\n[process.b]\ncomponent = \"x\"\n[stdin]\nto = \"a.in\"\nformat = \"lines\"",
        &[
            "2:10 error: `memory` is a whole number from 0 to 18446744073709551615; found `-1`",
            "3:13 error: `processes` = 1, and the network begins with 2 (allow 2 or more)",
            "4:12 error: `channels` = 0, and the network begins with 1 (allow 1 or more)",
            "5:7 error: `cpu` is a time with its unit, such as \"2 s\" or \"500 ms\"; found `1`",
            "6:1 error: [network.limits] has no key `wall` (the keys here are `memory`, `processes`, `channels` and `cpu`)",
        ],
    ),
    (
        "[process.a]\ncomponent = \"x\"\n[process.a.grants]\nstdio = \"yes\"\nenv = [\"A=B\", 3]\nnetwork = [\"localhost:80\"]\nspawn = \"x\"",
        &[
            "4:9 error: `stdio` is `true` or `false`; found `\"yes\"`",
            "5:8 error: \"A=B\" is not a valid name for an environment variable (to give it a value, write `env = { NAME = \"value\" }`)",
            "5:15 error: `env` is a list of the host's variables, such as [\"HOME\"], or a table of values, such as { LANG = \"C\" }; found `3`",
            "6:12 error: \"localhost:80\" is not an address with a port (write `127.0.0.1:8080` or `[::1]:8080`; names of hosts are not looked up)",
            "7:9 error: `spawn` is a list of names from [components]; found `\"x\"`",
        ],
    ),
    (
        "[process.a]\ncomponent = \"x\"\n[process.a.grants]\ndirectories = [\n{ host = \"d\", guest = \"data\" },\n{ hst = \"d\", guest = \"/d\" },\n7,\n{ host = \"a\", guest = \"/d\" },\n{ host = \"b\", guest = \"/d\" },\n]",
        &[
            "5:23 error: `guest` is an absolute path; found \"data\" (write \"/data\")",
            "6:1 error: a directory of grants of process `a` has no `host` (add one, such as `host = \"data\"`)",
            "6:3 error: a directory of grants of process `a` has no key `hst` (did you mean `host`?)",
            "7:1 error: `directories` is a list of tables, such as [{ host = \"data\", guest = \"/data\" }]; found `7`",
            "9:1 error: two directories are called `/d`",
        ],
    ),
    (
        "[[channel]]\nfrom = \"generator\"\nto = [\"printer.lines\", 3]\ncapacity = -1\noverflow = \"drop-oldset\"\n[[channel]]\nto = []\noverflow = \"drop-oldest\"\nname = \" \"",
        &[
            "2:8 error: \"generator\" is not a port (write the process, a dot, and its port: \"process.port\")",
            "3:24 error: `to` is a port such as \"process.port\", or a list of ports; found `3`",
            "4:12 error: `capacity` is a whole number from 0 to 4294967295; found `-1`",
            "5:12 error: `overflow` is `block`, `drop-oldest` or `drop-newest`; found \"drop-oldset\" (did you mean `drop-oldest`?)",
            "6:1 error: a channel has no `from` (add one, such as `from = \"process.port\"`)",
            "7:6 error: `to` lists no port",
            "8:12 error: a rendezvous holds no messages that could be dropped (give the channel a `capacity` of 1 or more, or leave `overflow` out)",
            "9:8 error: \" \" is not a valid name for a channel (use a few printable characters)",
        ],
    ),
    (
        "[stdin]\nto = \"a.b.c\"\nformat = \"line\"\n[stdout]\nto = \"a.b\"",
        &[
            "2:6 error: \"a.b.c\" is not a port (write the process, a dot, and its port: \"process.port\")",
            "3:10 error: `format` is `lines`, `bytes`, `cbor`, `json` or `csv`; found \"line\" (did you mean `lines`?)",
            "4:1 error: [stdout] has no `from` (add one, such as `from = \"process.port\"`)",
            "5:1 error: [stdout] has no key `to` (the keys here are `from`, `format` and `capacity`)",
        ],
    ),
    (
        "[stdin]\nto = \"a.b\"\nformat = \"cbor\"\non-bad-line = \"drop\"\n[stdout]\nfrom = \"a.c\"\non-bad-line = \"cut\"",
        &[
            "4:15 error: there are no lines in the format `cbor` (leave `on-bad-line` out, or write `format = \"lines\"`)",
            "4:15 error: `on-bad-line` is `fail`, `skip` or `cut`; found \"drop\"",
            "7:1 error: [stdout] has no key `on-bad-line` (the keys here are `from`, `format` and `capacity`)",
        ],
    ),
    (
        "[arguments]\nbig = 170141183460469231731687303715884105728\n[process.a]\ncomponent = \"x\"",
        &["2:7 error: `big` has a number that is out of range"],
    ),
];

#[test]
fn everything_wrong_with_a_text_is_reported_at_once() {
    for (text, expected) in UNREADABLE {
        assert_diagnostics(text, &parse(text).unwrap_err(), expected);
    }
}

#[test]
fn several_mistakes_in_the_syntax_are_reported_at_once() {
    let text = "a = [1\n[process.x]\ncomponent = \"y\nb = 'z'";
    let diagnostics = parse(text).unwrap_err();
    assert!(diagnostics.len() >= 2, "{diagnostics}");
    let lines: Vec<_> = diagnostics.iter().filter_map(Diagnostic::line).collect();
    assert!(lines.is_sorted() && lines.contains(&3), "{diagnostics}");
    for diagnostic in &diagnostics {
        assert!(
            diagnostic.message.starts_with("this is not TOML: "),
            "{diagnostic}"
        );
    }
}

/// Networks that do not fit together.
const MISFITS: &[(&str, &[&str])] = &[
    (
        "[process.g]\ncomponent = \"generator\"\narguments = { count = 3 }\n[process.p]\ncomponent = \"printer\"\n[[channel]]\nfrom = \"g.numbers\"\nto = \"p.lines\"",
        &[
            "8:6 error: `g.numbers` sends `u64`, but `p.lines` receives `string` (both ends of a channel need the same type; put a process in between that converts)",
        ],
    ),
    (
        "[process.f]\ncomponent = \"filter\"\narguments.prime = 2",
        &[
            "1:10 error: port `f.candidates` of component `filter` is not wired; it receives `u64` (add a [[channel]] with `to = \"f.candidates\"`, or wire it to [stdin])",
            "1:10 error: port `f.survivors` of component `filter` is not wired; it sends `u64` (add a [[channel]] with `from = \"f.survivors\"`, or wire it to [stdout])",
        ],
    ),
    (
        "[process.f]\ncomponent = \"filter\"\narguments.prime = 2\n[[channel]]\nfrom = \"f.candidates\"\nto = \"f.survivors\"",
        &[
            "5:8 error: `f.candidates` receives, and cannot stand in `from` (of the ports of `f`, `survivors` sends)",
            "6:6 error: `f.survivors` sends, and cannot stand in `to` (of the ports of `f`, `candidates` receives)",
        ],
    ),
    (
        "[process.c]\ncomponent = \"copy\"\n[[channel]]\nfrom = \"c.to\"\nto = \"c.from\"\n[[channel]]\nfrom = \"c.tto\"\nto = \"cc.from\"\n[stdout]\nfrom = \"c.to\"\nformat = \"bytes\"",
        &[
            "7:8 error: process `c` has no port `tto` (did you mean `to`?)",
            "8:6 error: there is no process `cc` (did you mean `c`?)",
            "10:8 error: `c.to` is wired twice (a port is an end of one channel; a channel may have a list of ports)",
        ],
    ),
    (
        "[process.c]\ncomponent = \"copy\"\n[process.d]\ncomponent = \"copy\"\n[[channel]]\nname = \"n\"\nfrom = [\"c.to\", \"c.to\"]\nto = \"d.from\"\n[[channel]]\nname = \"n\"\nfrom = \"d.to\"\nto = \"c.from\"",
        &[
            "7:17 error: `c.to` is wired twice (a port is an end of one channel; a channel may have a list of ports)",
            "10:8 error: two channels are called `n` (rename one of them)",
        ],
    ),
    (
        "[process.g]\ncomponent = \"generator\"\narguments = { count = \"3\", limit = 70000, limt = 1 }\n[stdout]\nfrom = \"g.numbers\"",
        &[
            "3:23 error: argument `count` of process `g`: expected `u64` (0 to 18446744073709551615), found `\"3\"`",
            "3:36 error: argument `limit` of process `g`: expected `u16` (0 to 65535), found `70000`",
            "3:43 error: process `g` has no argument `limt` (did you mean `limit`?)",
        ],
    ),
    (
        "[arguments]\ncout = 3\n[process.g]\ncomponent = \"generator\"\n[stdout]\nfrom = \"g.numbers\"",
        &[
            "2:1 warning: no process has an argument `cout` (did you mean `count`?)",
            "3:10 error: process `g` needs the argument `count: u64` (add `arguments = { count = ... }` to it, or pass `--arg g.count=...`)",
        ],
    ),
    (
        "[components]\nfilter = \"filter\"\nbare = \"b.wasm\"\n[process.a]\ncomponent = \"fliter\"\n[process.b]\ncomponent = \"bare\"\n[process.i]\ncomponent = \"idle\"\ngrants.spawn = [\"filtr\", \"other\"]",
        &[
            "2:10 warning: no process uses the component `filter` (remove it, or let a process run or spawn it)",
            "3:8 error: the component `bare` carries no signature (in Rust, put `#[transputer_guest::process]` on the process's function; in other languages, append a custom section `transputer:signature` to the component)",
            "5:13 error: the component `fliter` carries no signature (did you mean `filter`?)",
            "10:17 error: process `i` may spawn `filtr`, but [components] has no such name (did you mean `filter`?)",
            "10:26 error: process `i` may spawn `other`, but [components] has no such name (add it: `other = \"folder\"`)",
        ],
    ),
    (
        "[process.s]\ncomponent = \"sink\"\n[process.g]\ncomponent = \"generator\"\narguments.count = 1\n[stdin]\nto = \"s.numbers\"\n[stdout]\nfrom = \"g.numbers\"\nformat = \"bytes\"",
        &[
            "6:1 error: `s.numbers` receives `u64`, but [stdin] has the format `lines` (`lines` there needs `string` or `list<u8>`)",
            "10:10 error: `g.numbers` sends `u64`, but [stdout] has the format `bytes` (`bytes` there needs `list<u8>`)",
        ],
    ),
    (
        "[process.g]\ncomponent = \"give\"\n[stdout]\nfrom = \"g.ends\"\nformat = \"cbor\"",
        &[
            "5:10 error: `g.ends` sends `sender<u64>`, but [stdout] has the format `cbor` (`cbor` there needs a type without ends of channels)",
        ],
    ),
    (
        "[process.p]\ncomponent = \"printer\"\n[stdout]\nfrom = \"p.lines\"",
        &[
            "4:8 error: `p.lines` receives, and cannot stand in `from` of [stdout] (no port of `p` sends)",
        ],
    ),
];

#[test]
fn everything_that_does_not_fit_is_reported_at_once() {
    for (text, expected) in MISFITS {
        assert_diagnostics(text, &plan(text, &[]).unwrap_err(), expected);
    }
}
