//! Processes in parallel and one after the other.

use transputer_guest::{Error, Failures, Receiver, Sender, Spawn, channel, par, seq, spawn};

/// Runs `good`, `bad` and `waits` in all the ways, and sends what became of them.
#[transputer_guest::process]
fn composes(told: Sender<String>) -> Result<(), Error> {
    told.send(in_words(par([good("a"), good("b")]).run()))?;
    told.send(in_words(par([good("c"), bad("d")?, good("e")]).run()))?;
    let (_held, input) = channel(0)?;
    let stopped = par([waits("f", input), bad("g")?]).stop_on_failure().run();
    told.send(in_words(stopped))?;
    told.send(in_words(par([spawn("unknown"), good("h")]).run()))?;
    let started = par([spawn("unknown"), good("i")]).stop_on_failure().run();
    told.send(in_words(started))?;
    told.send(in_words(seq([good("j"), good("k")])))?;
    told.send(in_words(seq([good("l"), bad("m")?, good("n")])))
}

fn good(name: &str) -> Spawn {
    spawn("good").name(name)
}

fn bad(name: &str) -> Result<Spawn, Error> {
    let (out, _) = channel::<u64>(0)?;
    let spawn = spawn("bad").name(name);
    Ok(spawn.argument("text", "no".to_owned()).output("out", out))
}

fn waits(name: &str, input: Receiver<u64>) -> Spawn {
    spawn("waits").name(name).input("input", input)
}

fn in_words(result: Result<Vec<String>, Failures>) -> String {
    match result {
        Ok(names) => names.join(" "),
        Err(failures) => format!(
            "{} | {} | {failures}",
            failures.finished.join(" "),
            failures.not_started.join(" ")
        ),
    }
}
