//! A stream of Redis with a group of one reader, written as its documentation shows. What is taken is acknowledged and
//! deleted; the reader gives back credit, since a stream of Redis refuses nobody.

use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::measure::{Case, Measured, Stamps};

/// A server of the benchmark's own, which writes a file as JetStream does, without waiting for the disk each time.
pub(super) struct Redis {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Redis {
    pub(super) fn start() -> Option<Self> {
        let folder = tempfile::tempdir().ok()?;
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).ok()?;
        let port = listener.local_addr().ok()?.port();
        drop(listener);
        let child = Command::new("redis-server")
            .args([
                "--port",
                &port.to_string(),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
            ])
            .args(["--appendonly", "yes", "--appendfsync", "everysec", "--dir"])
            .arg(folder.path())
            .stdout(Stdio::null())
            .spawn()
            .ok()?;
        let until = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if Instant::now() > until {
                return None;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Some(Self {
            child,
            port,
            _folder: folder,
        })
    }

    fn connect(&self) -> Connection {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        stream.set_nodelay(true).expect("it is open");
        Connection {
            out: BufWriter::new(stream.try_clone().expect("it is open")),
            into: BufReader::new(stream),
        }
    }

    pub(super) fn run(&self, name: &str, case: Case) -> Measured {
        let (mut writer, mut reader) = (self.connect(), self.connect());
        let count = case.capacity.min(64).to_string();
        writer.ask(&[
            b"XGROUP",
            b"CREATE",
            name.as_bytes(),
            b"g",
            b"$",
            b"MKSTREAM",
        ]);
        let (give, credit) = mpsc::channel();
        (0..case.capacity).for_each(|_| give.send(()).expect("it is open"));
        let began = Instant::now();
        let key = name.to_owned();
        let sending = std::thread::spawn(move || {
            let mut stamps = Stamps::new(began, case.size);
            let mut sent = 0;
            while sent < case.count {
                credit.recv().expect("it is open");
                let mut ahead = 1;
                writer.send(&[b"XADD", key.as_bytes(), b"*", b"m", &stamps.message()]);
                while sent + ahead < case.count && credit.try_recv().is_ok() {
                    writer.send(&[b"XADD", key.as_bytes(), b"*", b"m", &stamps.message()]);
                    ahead += 1;
                }
                writer.flush();
                (0..ahead).for_each(|_| drop(writer.reply()));
                sent += ahead;
            }
        });
        let mut measured = Measured::new(began);
        while measured.count() < case.count {
            let read: [&[u8]; 11] = [
                b"XREADGROUP",
                b"GROUP",
                b"g",
                b"r",
                b"COUNT",
                count.as_bytes(),
                b"BLOCK",
                b"2000",
                b"STREAMS",
                name.as_bytes(),
                b">",
            ];
            let Reply::Many(streams) = reader.ask(&read) else {
                break;
            };
            let mut taken = 0;
            for (id, bytes) in entries(streams) {
                measured.received(&bytes);
                reader.send(&[b"XACK", name.as_bytes(), b"g", &id]);
                reader.send(&[b"XDEL", name.as_bytes(), &id]);
                taken += 1;
            }
            reader.flush();
            (0..2 * taken).for_each(|_| drop(reader.reply()));
            for _ in 0..taken {
                // The sender may have sent all.
                let _ = give.send(());
            }
        }
        sending.join().expect("it ends");
        measured
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What comes back from a read: of one stream, identifiers with one field and its value.
fn entries(streams: Vec<Reply>) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut found = Vec::new();
    for stream in streams {
        let Reply::Many(stream) = stream else {
            continue;
        };
        let Some(Reply::Many(entries)) = stream.into_iter().nth(1) else {
            continue;
        };
        for entry in entries {
            let Reply::Many(entry) = entry else { continue };
            let mut entry = entry.into_iter();
            if let (Some(Reply::Bytes(id)), Some(Reply::Many(fields))) =
                (entry.next(), entry.next())
                && let Some(Reply::Bytes(value)) = fields.into_iter().nth(1)
            {
                found.push((id, value));
            }
        }
    }
    found
}

enum Reply {
    Bytes(Vec<u8>),
    Many(Vec<Reply>),
    Other,
}

struct Connection {
    out: BufWriter<TcpStream>,
    into: BufReader<TcpStream>,
}

impl Connection {
    fn send(&mut self, words: &[&[u8]]) {
        write!(self.out, "*{}\r\n", words.len()).expect("it is open");
        for word in words {
            write!(self.out, "${}\r\n", word.len()).expect("it is open");
            self.out.write_all(word).expect("it is open");
            self.out.write_all(b"\r\n").expect("it is open");
        }
    }

    fn flush(&mut self) {
        self.out.flush().expect("it is open");
    }

    fn ask(&mut self, words: &[&[u8]]) -> Reply {
        self.send(words);
        self.flush();
        self.reply()
    }

    fn reply(&mut self) -> Reply {
        let mut line = String::new();
        self.into.read_line(&mut line).expect("it is open");
        let line = line.trim_end();
        let number = || line[1..].parse::<i64>().expect("a number");
        match line.as_bytes()[0] {
            b'$' => match usize::try_from(number()) {
                Ok(length) => {
                    let mut bytes = vec![0; length + 2];
                    self.into.read_exact(&mut bytes).expect("it is open");
                    bytes.truncate(length);
                    Reply::Bytes(bytes)
                }
                Err(_) => Reply::Other,
            },
            b'*' => match usize::try_from(number()) {
                Ok(count) => Reply::Many((0..count).map(|_| self.reply()).collect()),
                Err(_) => Reply::Other,
            },
            b'-' => panic!("redis says {line}"),
            _ => Reply::Other,
        }
    }
}
