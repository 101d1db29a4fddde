//! What the tests of the live page share: a command that serves one, and requests to it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use serde_json::Value;

/// A command that runs a network and serves its page; killed when dropped.
pub(crate) struct Page {
    pub(crate) child: Child,
    /// What it printed as the page's address.
    pub(crate) link: String,
    /// The lines of its standard error after that: it may write as many as it likes.
    _lines: Receiver<String>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Page {
    /// Runs the network of a folder, with its page at any port that is free.
    pub(crate) fn of(folder: &Path, more: &[&str]) -> Page {
        let mut command = Command::new(env!("CARGO_BIN_EXE_transputer"));
        command
            .arg("run")
            .arg(folder)
            .args(["--http", "127.0.0.1:0"])
            .args(more);
        Page::serve(command)
    }

    /// Runs a command that prints where the page is.
    pub(crate) fn serve(mut command: Command) -> Page {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command runs");
        let stderr = child.stderr.take().expect("it is piped");
        let (tell, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                // Whoever has seen enough has gone.
                let _ = tell.send(line);
            }
        });
        let link = loop {
            let line = lines.recv().expect("a line with the page's address");
            if let Some((_, link)) = line.split_once("the page is at ") {
                break link.to_owned();
            }
        };
        Page {
            child,
            link,
            _lines: lines,
        }
    }

    /// The address and port, as `Host` has them.
    pub(crate) fn host(&self) -> &str {
        let link = self.link.strip_prefix("http://").expect("a link");
        link.split('/').next().expect("a host")
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.request("GET", path, &format!("Host: {}\r\n", self.host()))
    }

    /// A request with these header lines.
    pub(crate) fn request(&self, method: &str, path: &str, headers: &str) -> Answer {
        let mut stream = TcpStream::connect(self.host()).expect("the page listens");
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n"
        )
        .expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        Answer {
            status: status.unwrap_or_else(|| panic!("no status: {head}")),
            head: head.to_lowercase(),
            body: body.to_owned(),
        }
    }

    /// What is seen, as soon as it fulfils a condition.
    pub(crate) fn wait_for(&self, condition: impl Fn(&Value) -> bool) -> Value {
        loop {
            let answer = self.get("/api/now");
            if answer.status == 200 {
                let look = serde_json::from_str(&answer.body).expect("JSON");
                if condition(&look) {
                    return look;
                }
            }
            // The server makes two looks a second; asking more often tells nothing new.
            std::thread::park_timeout(std::time::Duration::from_millis(100));
        }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
