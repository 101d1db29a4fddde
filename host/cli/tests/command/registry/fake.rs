//! A registry that does what a test wants: a thread that answers one request at a time.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// What came, and in which order.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    /// The credentials that came with it.
    pub(super) authorization: Option<String>,
    pub(super) body: Vec<u8>,
}

/// What is answered.
pub(super) struct Answer {
    status: &'static str,
    headers: Vec<String>,
    body: Body,
}

enum Body {
    Bytes(Vec<u8>),
    /// Spaces without end: JSON may begin with them.
    Endless,
}

impl Answer {
    pub(super) fn new(status: &'static str) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Body::Bytes(Vec::new()),
        }
    }

    pub(super) fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self::new("200 OK").with(bytes)
    }

    pub(super) fn with(self, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            body: Body::Bytes(bytes.into()),
            ..self
        }
    }

    pub(super) fn header(mut self, header: impl Into<String>) -> Self {
        self.headers.push(header.into());
        self
    }

    pub(super) fn endless(self) -> Self {
        Self {
            body: Body::Endless,
            ..self
        }
    }

    fn send(self, mut to: TcpStream) -> std::io::Result<()> {
        let mut head = format!("HTTP/1.1 {}\r\nConnection: close\r\n", self.status);
        for header in &self.headers {
            head.push_str(header);
            head.push_str("\r\n");
        }
        match self.body {
            Body::Bytes(bytes) => {
                head.push_str(&format!("Content-Length: {}\r\n\r\n", bytes.len()));
                to.write_all(head.as_bytes())?;
                to.write_all(&bytes)
            }
            Body::Endless => {
                head.push_str("\r\n");
                to.write_all(head.as_bytes())?;
                loop {
                    to.write_all(&[b' '; 4096])?;
                }
            }
        }
    }
}

pub(super) struct Fake {
    address: String,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Fake {
    /// One that answers like this. `HOST` in a header stands for its own host and port.
    pub(super) fn open(answer: impl Fn(&Request) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port that is free");
        let address = listener.local_addr().expect("it has one").to_string();
        let seen: Arc<Mutex<Vec<Request>>> = Arc::default();
        let (note, host) = (Arc::clone(&seen), address.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                // Whoever wants TLS hears that there is none.
                let Some(request) = read(&stream) else {
                    continue;
                };
                let mut answer = answer(&request);
                for header in &mut answer.headers {
                    *header = header.replace("HOST", &host);
                }
                lock(&note).push(request);
                // Whoever has read enough goes away.
                let _ = answer.send(stream);
            }
        });
        Self { address, seen }
    }

    /// The requests that have come.
    pub(super) fn seen(&self) -> Vec<Request> {
        lock(&self.seen).clone()
    }
}

impl super::Listens for Fake {
    fn address(&self) -> &str {
        &self.address
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    // The first bytes of TLS are no text.
    if !reader.fill_buf().ok()?.first()?.is_ascii_uppercase() {
        return None;
    }
    reader.read_line(&mut first).ok()?;
    let mut words = first.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let (mut length, mut authorization) = (0, None);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        match name.to_lowercase().as_str() {
            "content-length" => length = value.trim().parse().ok()?,
            "authorization" => authorization = Some(value.trim().to_owned()),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request {
        method,
        path,
        authorization,
        body,
    })
}

pub(super) fn digest(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("sha256:{hex}")
}

/// A pack as a registry has it.
pub(super) struct Stored {
    pub(super) manifest: Vec<u8>,
    blobs: Vec<(String, Vec<u8>)>,
}

impl Stored {
    /// What is in the file of a pack.
    pub(super) fn of(pack: &[u8]) -> Self {
        let mut archive = tar::Archive::new(pack);
        let mut blobs = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().display().to_string();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            if let Some(hex) = name.strip_prefix("blobs/sha256/") {
                blobs.push((format!("sha256:{hex}"), bytes));
            }
        }
        let is_manifest = |(_, bytes): &(String, Vec<u8>)| {
            let json: Option<serde_json::Value> = serde_json::from_slice(bytes).ok();
            json.is_some_and(|json| json["mediaType"] == MANIFEST)
        };
        let manifest = blobs.iter().position(is_manifest).expect("a manifest");
        let (_, manifest) = blobs.swap_remove(manifest);
        Self { manifest, blobs }
    }

    /// What an honest registry answers.
    pub(super) fn answer(&self, request: &Request) -> Answer {
        let last = request.path.rsplit('/').next().unwrap_or_default();
        if request.path.contains("/manifests/") {
            return Answer::bytes(self.manifest.clone());
        }
        match self.blobs.iter().find(|(digest, _)| digest == last) {
            Some((_, bytes)) => Answer::bytes(bytes.clone()),
            None => Answer::new("404 Not Found"),
        }
    }

    /// The digest of its component.
    pub(super) fn component(&self) -> &str {
        let is_component = |(_, bytes): &&(String, Vec<u8>)| bytes.starts_with(b"\0asm");
        let found = self.blobs.iter().find(is_component);
        &found.expect("a component").0
    }
}
