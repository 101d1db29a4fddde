//! Typed networks, fed by a shell: JSON, CSV, and one component by itself.

use predicates::prelude::*;
use predicates::str::contains;
use tempfile::TempDir;

use super::raw::put_guest;
use super::{guest, network, transputer};

fn rows(format: &str, more: &str) -> TempDir {
    let folder = network(&format!(
        "[process.relay]\ncomponent = \"relays_rows.wasm\"\n\
         [stdin]\nto = \"relay.rows\"\nformat = \"{format}\"\n{more}\n\
         [stdout]\nfrom = \"relay.same\"\nformat = \"{format}\"\n"
    ));
    put_guest(folder.path(), "relays_rows");
    folder
}

fn run(folder: &TempDir) -> assert_cmd::Command {
    let mut command = transputer();
    command.arg("run").arg(folder.path());
    command
}

#[test]
fn a_line_of_json_is_a_value_of_the_ports_type() {
    let stdin = "{\"name\": \"a\\u00e9\", \"id\": 7}\n\n{\"id\": 4294967295, \"name\": \"\", \"share\": 0.5}\n";
    run(&rows("json", ""))
        .write_stdin(stdin)
        .assert()
        .code(0)
        .stdout("{\"id\":7,\"name\":\"aé\",\"share\":null}\n{\"id\":4294967295,\"name\":\"\",\"share\":0.5}\n");
}

#[test]
fn what_does_not_fit_is_named_by_line_and_path() {
    for (line, problem) in [
        (
            "{\"id\": -1, \"name\": \"\"}",
            "line 2: at `id`: expected `u32`",
        ),
        (
            "{\"id\": 1}",
            "line 2: expected a field `name: string`, found none",
        ),
        (
            "{\"id\": 1, \"name\": \"\", \"nam\": 1}",
            "line 2: at `nam`: expected one of the fields",
        ),
        ("[1", "line 2: this is not JSON"),
        (
            "{\"id\": 1, \"name\": \"\", \"share\": \"x\"}",
            "line 2: at `share`: expected",
        ),
    ] {
        let good = "{\"id\":1,\"name\":\"x\",\"share\":null}\n";
        let stdin = format!("{good}{line}\n{good}");
        run(&rows("json", ""))
            .write_stdin(stdin.clone())
            .assert()
            .code(1)
            .stdout(good)
            .stderr(contains(problem));
        run(&rows("json", "on-bad-line = \"skip\""))
            .write_stdin(stdin)
            .assert()
            .code(0)
            .stdout(good.repeat(2))
            .stderr(contains(problem).and(contains("1 line of stdin skipped")));
    }
}

#[test]
fn a_row_of_csv_is_a_record_with_columns_in_any_order() {
    run(&rows("csv", ""))
        .write_stdin("share,name,id\n0.25,\"a, \"\"b\"\"\",1\n,c,2\n")
        .assert()
        .code(0)
        .stdout("id,name,share\n1,\"a, \"\"b\"\"\",0.25\n2,c,\n");
    run(&rows("csv", ""))
        .write_stdin("id,name\n1,a\nmany,b\n")
        .assert()
        .code(1)
        .stdout("id,name,share\n1,a,\n")
        .stderr(contains("line 3: at `id`: expected `u32`"));
    run(&rows("csv", ""))
        .write_stdin("id,title\n1,a\n")
        .assert()
        .code(1)
        .stderr(contains("line 1: `title` is no column").and(contains("`id`, `name`, `share`")));
}

#[test]
fn a_type_that_no_row_can_hold_is_refused_before_anything_runs() {
    let folder = network(
        "[process.record]\ncomponent = \"{guest:record}\"\n\
         [stdin]\nto = \"record.lines\"\nformat = \"csv\"\n\
         [stdout]\nfrom = \"record.marked\"\nformat = \"json\"\n",
    );
    run(&folder)
        .write_stdin("")
        .assert()
        .code(2)
        .stderr(contains("csv").and(contains("a record of numbers, strings and other scalars")));
    let folder = rows("json", "on-bad-line = \"cut\"");
    run(&folder)
        .write_stdin("")
        .assert()
        .code(2)
        .stderr(contains("half a line means nothing"));
}

#[test]
fn one_component_runs_by_itself_by_the_types_of_its_ports() {
    transputer()
        .arg("run")
        .arg(guest("record"))
        .write_stdin("{\"number\": 1, \"text\": \"two words\", \"marks\": []}\n")
        .assert()
        .code(0)
        .stdout("{\"number\":1,\"text\":\"two words\",\"marks\":[{\"Words\":{\"count\":2,\"longest\":\"words\"}}]}\n");
    transputer()
        .arg("run")
        .arg(guest("copies_text"))
        .write_stdin("one\ntwo\n")
        .assert()
        .code(0)
        .stdout("one\ntwo\n");
    transputer()
        .arg("run")
        .arg(guest("count"))
        .args(["--arg", "limit=3"])
        .assert()
        .code(0)
        .stdout("0\n1\n2\n");
    transputer()
        .arg("run")
        .arg(guest("relays_from_two"))
        .assert()
        .code(2)
        .stderr(
            contains("has several input ports").and(contains("a network file that says which")),
        );
}
