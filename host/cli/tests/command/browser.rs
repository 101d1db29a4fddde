//! The live page in a real browser: Chromium, driven by its own driver. `tools/browser` runs these.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::network;
use super::page::Page;
use super::raw::put_guest;

/// A browser without a window; gone when dropped.
struct Browser {
    driver: Child,
    port: u16,
    session: String,
}

impl Browser {
    fn open() -> Browser {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a port that is free")
            .port();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver: tools/setup installs it");
        let mut browser = Browser {
            driver,
            port,
            session: String::new(),
        };
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::yield_now();
        }
        let options = json!({ "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"] });
        let wanted = json!({
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": { "browser": "ALL" },
            "unhandledPromptBehavior": "ignore",
        });
        let opened = browser.ask(
            "POST",
            "/session",
            &json!({ "capabilities": { "alwaysMatch": wanted } }),
        );
        browser.session = opened["sessionId"].as_str().expect("a session").to_owned();
        browser
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if method == "GET" {
            String::new()
        } else {
            body.to_string()
        };
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the driver listens");
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
        .expect("it reads");
        // It keeps the connection open, so the length tells where the answer ends.
        let mut reader = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).expect("an answer");
            let line = line.trim_end().to_lowercase();
            if let Some(text) = line.strip_prefix("content-length:") {
                length = text.trim().parse().expect("a number");
            }
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).expect("a body");
        let answer: Value = serde_json::from_slice(&body).expect("JSON");
        let value = answer["value"].clone();
        assert!(value["error"].is_null(), "{path}: {value}");
        value
    }

    fn at(&self, path: &str) -> String {
        format!("/session/{}{path}", self.session)
    }

    fn chrome(&self, command: &str, parameters: Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        self.ask("POST", &self.at("/goog/cdp/execute"), &body)
    }

    fn script(&self, script: &str) -> Value {
        let body = json!({ "script": script, "args": [] });
        self.ask("POST", &self.at("/execute/sync"), &body)
    }

    /// Waits until a script says true.
    fn wait(&self, script: &str) {
        while self.script(&format!("return {script};")) != true {
            std::thread::park_timeout(std::time::Duration::from_millis(100));
        }
    }

    fn show(&self, link: &str, width: u32, height: u32, scheme: &str) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.chrome("Emulation.setDeviceMetricsOverride", metrics);
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.chrome("Emulation.setEmulatedMedia", features);
        self.ask("POST", &self.at("/url"), &json!({ "url": link }));
    }

    /// Keeps a picture of the page, for people to look at.
    fn keep(&self, name: &str) {
        let taken = self.ask("GET", &self.at("/screenshot"), &Value::Null);
        let taken = taken.as_str().expect("a picture in base64");
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("screenshots");
        std::fs::create_dir_all(&folder).expect("a folder");
        let bytes = decoded(taken);
        assert!(bytes.starts_with(b"\x89PNG"), "{name} is no picture");
        std::fs::write(folder.join(name), bytes).expect("it is written");
    }

    /// What the browser complains of: scripts that the policy forbids, errors of the page's own.
    fn complaints(&self) -> Vec<String> {
        let log = self.ask("POST", &self.at("/se/log"), &json!({ "type": "browser" }));
        let lines = log.as_array().expect("a list").iter();
        let bad = lines.filter(|line| {
            line["level"] == "SEVERE" || line["message"].to_string().contains("Content Security")
        });
        bad.map(|line| line["message"].to_string()).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            self.ask("DELETE", &self.at(""), &json!({}));
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// Base64.
fn decoded(text: &str) -> Vec<u8> {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let digits: Vec<u8> = text
        .bytes()
        .filter(|byte| *byte != b'=')
        .map(value)
        .collect();
    let mut bytes = Vec::with_capacity(digits.len());
    for group in digits.chunks(4) {
        let bits = group
            .iter()
            .fold(0u32, |bits, digit| bits << 6 | u32::from(*digit));
        let bits = bits << (6 * (4 - group.len()));
        bytes.extend(&bits.to_be_bytes()[1..group.len()]);
    }
    bytes
}

fn run(folder: &Path, more: &[&str]) -> Page {
    Page::of(folder, more)
}

/// Laptop and phone, light and dark.
const VIEWS: [(u32, u32, &str, &str); 4] = [
    (1280, 800, "light", "laptop-light"),
    (1280, 800, "dark", "laptop-dark"),
    (390, 844, "light", "phone-light"),
    (390, 844, "dark", "phone-dark"),
];

#[test]
#[ignore = "needs Chromium: run tools/browser"]
fn the_page_shows_a_bottleneck_and_sorts_its_table() {
    let folder = network(
        "[process.source]\ncomponent = \"{guest:count}\"\narguments = { limit = 1000000000 }\n\
         [process.double]\ncomponent = \"{guest:double}\"\n\
         [process.again]\ncomponent = \"{guest:double}\"\n\
         [process.labours]\ncomponent = \"labours.wasm\"\n\
         [process.idle]\ncomponent = \"{guest:sleeper}\"\narguments = { milliseconds = 1000000000 }\n\
         [process.sink]\ncomponent = \"{guest:parks}\"\n\
         [[channel]]\nfrom = \"source.numbers\"\nto = \"double.numbers\"\ncapacity = 16\n\
         [[channel]]\nfrom = \"double.doubled\"\nto = \"again.numbers\"\ncapacity = 16\n\
         [[channel]]\nfrom = \"again.doubled\"\nto = \"labours.numbers\"\ncapacity = 16\n\
         [[channel]]\nfrom = \"idle.slept\"\nto = \"sink.input\"\n",
    );
    put_guest(folder.path(), "labours");
    let page = run(folder.path(), &[]);
    let browser = Browser::open();
    for (width, height, scheme, name) in VIEWS {
        browser.show(&page.link, width, height, scheme);
        browser.wait("[...document.querySelectorAll('.box.bottleneck')].length === 1");
        browser.keep(&format!("few-{name}.png"));
        // Nothing is wider than the screen, but for what scrolls by itself.
        let wide =
            browser.script("return document.documentElement.scrollWidth <= window.innerWidth;");
        assert_eq!(wide, true, "{name}");
    }
    let verdict = browser.script("return document.getElementById('verdict').textContent;");
    let verdict = verdict.as_str().expect("text");
    assert!(
        verdict.contains("labours computes, while again.doubled -> labours.numbers was full"),
        "{verdict}"
    );
    let first = "document.querySelector('#processes tbody tr td').textContent";
    browser.wait(&format!("{first}.startsWith('labours')"));
    browser.script("document.querySelector('#processes th button').click();");
    browser.wait(&format!("{first}.startsWith('again')"));
    browser.script("document.querySelector('#processes th button').click();");
    browser.wait(&format!("{first}.startsWith('source')"));
    browser.script("const find = document.getElementById('find'); find.value = 'idl'; find.dispatchEvent(new Event('input'));");
    browser.wait("document.querySelectorAll('#processes tbody tr').length === 1");
    // Looking back, and returning.
    browser.wait("Number(document.getElementById('when').max) > 3");
    browser.script("const when = document.getElementById('when'); when.value = 1; when.dispatchEvent(new Event('input'));");
    browser.wait("!document.getElementById('live').hidden && document.getElementById('when-text').textContent.endsWith('ago')");
    browser.script("document.getElementById('live').click();");
    browser.wait("document.getElementById('live').hidden");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
#[ignore = "needs Chromium: run tools/browser"]
fn five_hundred_processes_are_one_picture() {
    let mut text = String::from(
        "[process.source]\ncomponent = \"{guest:count}\"\narguments = { limit = 1000000000 }\n",
    );
    let component = super::guest("relays");
    let mut before = "source.numbers".to_owned();
    for number in 1..=498 {
        text += &format!(
            "[process.relay-{number}]\ncomponent = {component:?}\n\
             [[channel]]\nfrom = \"{before}\"\nto = \"relay-{number}.numbers\"\ncapacity = 4\n"
        );
        before = format!("relay-{number}.out");
    }
    text += &format!(
        "[process.labours]\ncomponent = \"labours.wasm\"\n[[channel]]\nfrom = \"{before}\"\nto = \"labours.numbers\"\ncapacity = 4\n"
    );
    let folder = network(&text);
    put_guest(folder.path(), "labours");
    let page = run(folder.path(), &[]);
    let browser = Browser::open();
    for (width, height, scheme, name) in VIEWS {
        browser.show(&page.link, width, height, scheme);
        browser.wait("document.querySelectorAll('.box').length === 3 && document.querySelectorAll('#processes tbody tr').length === 200");
        browser.keep(&format!("many-{name}.png"));
    }
    let boxes = browser.script("return [...document.querySelectorAll('.box text')].map((text) => text.textContent).join('|');");
    assert!(boxes.to_string().contains("498 × "), "{boxes}");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
#[ignore = "needs Chromium: run tools/browser"]
fn a_deadlock_is_drawn_as_its_cycle_and_stays() {
    let folder = network(
        "[process.first]\ncomponent = \"{guest:double}\"\n[process.second]\ncomponent = \"{guest:double}\"\n\
         [process.third]\ncomponent = \"{guest:double}\"\n\
         [[channel]]\nfrom = \"first.doubled\"\nto = \"second.numbers\"\n\
         [[channel]]\nfrom = \"second.doubled\"\nto = \"third.numbers\"\n\
         [[channel]]\nfrom = \"third.doubled\"\nto = \"first.numbers\"\n",
    );
    let page = run(folder.path(), &["--stay"]);
    let browser = Browser::open();
    browser.show(&page.link, 1280, 800, "light");
    browser.wait("document.querySelectorAll('.cycle li').length === 4");
    browser.wait("document.querySelectorAll('.box.stuck').length === 3 && document.querySelectorAll('.arrow.stuck').length === 3");
    browser.wait("document.getElementById('state').textContent === 'ended in a deadlock'");
    browser.keep("deadlock.png");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// Names and log lines that would be elements, scripts and handlers, were they ever HTML.
#[test]
#[ignore = "needs Chromium: run tools/browser"]
fn nothing_that_guests_say_is_html() {
    let folder = network(
        "[network]\nname = \"<b>n</b><script>alert(0)</script>\"\n[network.limits]\nprocesses = 4\n\
         [components]\nself = \"speaks_html.wasm\"\n\
         [process.speaks]\ncomponent = \"self\"\ngrants.spawn = [\"self\"]\n\
         [process.one]\ncomponent = \"{guest:double}\"\n[process.other]\ncomponent = \"{guest:double}\"\n\
         [[channel]]\nname = \"<svg onload=alert(5)>\"\ncapacity = 1\n\
         from = \"one.doubled\"\nto = \"other.numbers\"\n\
         [[channel]]\nfrom = \"other.doubled\"\nto = \"one.numbers\"\n",
    );
    put_guest(folder.path(), "speaks_html");
    let page = run(folder.path(), &["--stay"]);
    let browser = Browser::open();
    browser.show(&page.link, 1280, 800, "dark");
    browser.wait(
        "document.getElementById('events').textContent.includes('<script>alert(1)</script>')",
    );
    browser.wait(
        "document.getElementById('processes').textContent.includes('<script>alert(4)</script>')",
    );
    assert_eq!(
        browser.script("return document.getElementById('network').textContent;"),
        "<b>n</b><script>alert(0)</script>"
    );
    let foreign = browser.script(
        "return document.querySelectorAll('main img, main b b, main script, main svg svg').length;",
    );
    assert_eq!(foreign, 0);
    assert_eq!(browser.script("return document.scripts.length;"), 4);
    browser.keep("hostile.png");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
