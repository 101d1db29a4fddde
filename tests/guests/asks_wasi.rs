//! Asks WASI for what it may not have been granted.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant, SystemTime};
use std::{env, fs, io, thread};

use transputer_guest::{Error, Receiver, Sender};

/// For each thing that it is asked for, `kind argument`, tells what it got, or the error.
#[transputer_guest::process]
fn asks_wasi(questions: Receiver<String>, answers: Sender<String>) -> Result<(), Error> {
    for question in questions {
        let (kind, argument) = question.split_once(' ').unwrap_or((&question, ""));
        let answer = match kind {
            "read" => told(fs::read_to_string(argument)),
            "write" => told(fs::write(argument, "written").map(|()| "done".to_owned())),
            "variable" => env::var(argument).unwrap_or_else(|error| error.to_string()),
            "variables" => env::vars().count().to_string(),
            "stdout" => told(writeln!(io::stdout(), "{argument}").map(|()| "done".to_owned())),
            "stderr" => told(writeln!(io::stderr(), "{argument}").map(|()| "done".to_owned())),
            "connect" => told(connect(argument)),
            "year" => year().to_string(),
            "sleep" => slept(),
            "fail" => return Err("asked to".into()),
            other => format!("nothing is called `{other}`"),
        };
        answers.send(&answer)?;
    }
    Ok(())
}

fn told(result: io::Result<String>) -> String {
    match result {
        Ok(text) => text,
        Err(error) => format!("{:?}", error.kind()),
    }
}

fn connect(address: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

fn year() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    1970 + since.unwrap_or_default().as_secs() / (365 * 24 * 3600)
}

/// Whether ten milliseconds of sleep look like some.
fn slept() -> String {
    let before = Instant::now();
    thread::sleep(Duration::from_millis(10));
    match before.elapsed() {
        elapsed if elapsed >= Duration::from_millis(8) => "some time".to_owned(),
        elapsed => format!("{elapsed:?}"),
    }
}
