//! Asks WASI 0.2, past std, for what it has without handles.

use std::collections::HashMap;

use transputer_guest::{Error, Receiver, Sender};
use wasi::cli::{environment, exit};
use wasi::clocks::{monotonic_clock, wall_clock};
use wasi::random::{insecure, insecure_seed, random};

wit_bindgen::generate!({
    inline: "
        package transputer:asks;
        world asks {
            import wasi:random/random@0.2.3;
            import wasi:random/insecure@0.2.3;
            import wasi:random/insecure-seed@0.2.3;
            import wasi:clocks/monotonic-clock@0.2.3;
            import wasi:clocks/wall-clock@0.2.3;
            import wasi:cli/environment@0.2.3;
            import wasi:cli/exit@0.2.3;
        }
        package wasi:random@0.2.3 {
            interface random {
                get-random-bytes: func(len: u64) -> list<u8>;
                get-random-u64: func() -> u64;
            }
            interface insecure {
                get-insecure-random-bytes: func(len: u64) -> list<u8>;
                get-insecure-random-u64: func() -> u64;
            }
            interface insecure-seed {
                insecure-seed: func() -> tuple<u64, u64>;
            }
        }
        package wasi:clocks@0.2.3 {
            interface monotonic-clock {
                type instant = u64;
                type duration = u64;
                now: func() -> instant;
                resolution: func() -> duration;
            }
            interface wall-clock {
                record datetime { seconds: u64, nanoseconds: u32 }
                now: func() -> datetime;
                resolution: func() -> datetime;
            }
        }
        package wasi:cli@0.2.3 {
            interface environment {
                get-environment: func() -> list<tuple<string, string>>;
                get-arguments: func() -> list<string>;
                initial-cwd: func() -> option<string>;
            }
            interface exit {
                exit: func(status: result);
            }
        }
    ",
    generate_all,
});

/// Tells what it got for each thing that it is asked for.
#[transputer_guest::process]
fn asks_chance(questions: Receiver<String>, answers: Sender<String>) -> Result<(), Error> {
    for question in questions {
        let answer = match question.as_str() {
            "order" => {
                let map: HashMap<u32, ()> = (0..20).map(|number| (number, ())).collect();
                format!("{:?}", map.keys().collect::<Vec<_>>())
            }
            "seed" => format!("{:?}", insecure_seed::insecure_seed()),
            "number" => random::get_random_u64().to_string(),
            "bytes" => format!("{:?}", random::get_random_bytes(33)),
            "no bytes" => format!("{:?}", random::get_random_bytes(0)),
            "insecure number" => insecure::get_insecure_random_u64().to_string(),
            "insecure bytes" => format!("{:?}", insecure::get_insecure_random_bytes(33)),
            "too many bytes" => random::get_random_bytes(u64::MAX).len().to_string(),
            "time" => monotonic_clock::now().to_string(),
            "step" => monotonic_clock::resolution().to_string(),
            "date" => format!("{:?}", wall_clock::now()),
            "step of date" => format!("{:?}", wall_clock::resolution()),
            "variables" => format!("{:?}", environment::get_environment()),
            "arguments" => format!("{:?}", environment::get_arguments()),
            "folder" => format!("{:?}", environment::initial_cwd()),
            "success" => exits(Ok(())),
            "failure" => exits(Err(())),
            other => format!("nothing is called `{other}`"),
        };
        answers.send(&answer)?;
    }
    Ok(())
}

fn exits(status: Result<(), ()>) -> String {
    exit::exit(status);
    "it went on".to_owned()
}
